"""Packs examples into rows of a fixed length: best fit over a short window of the stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Placement(NamedTuple):
    """Where every example of an epoch stands, in the order of the batches.

    Fields: `index` int32 [E] names the example, `row`, `column` (of its first token) and `slot` (which example of its
    row, from 0) int32 [E] say where it stands; `splits` int64 [K + 1] cuts the four into K batches.
    """

    index: np.ndarray
    row: np.ndarray
    column: np.ndarray
    slot: np.ndarray
    splits: np.ndarray


def pack(
    lengths: np.ndarray,
    order: Sequence[int] | np.ndarray,
    *,
    rows: int,
    length: int,
    slots: int,
    window: int,
    max_examples: int | None = None,
) -> Placement:
    """Packs the examples `order` of the given lengths into batches of `rows` rows of `length` tokens.

    A row holds `slots` examples at most, a batch `max_examples`.

    A batch looks at the next `window` examples that are not placed yet, oldest first, and puts each into the row with
    the least room that it fits in. What fits nowhere is looked at first by the next batch, while all its rows are
    empty, so no example waits long, and the order stays random but for shifts of about a window. Every length is in
    [1, length].
    """
    lengths_list, stream = np.asarray(lengths).tolist(), np.asarray(order).tolist()
    shortest = min(lengths_list, default=1)
    index: list[int] = []
    row: list[int] = []
    column: list[int] = []
    slot: list[int] = []
    splits = [0]
    waiting: list[int] = []
    next_new = 0
    while waiting or next_new < len(stream):
        new = max(0, window - len(waiting))
        waiting += stream[next_new : next_new + new]
        next_new += new
        # Rows by the room they have left; bit r of `room` is set where rows_with_room[r] is not empty.
        rows_with_room: dict[int, list[int]] = {length: list(range(rows - 1, -1, -1))}
        room = 1 << length
        used = [0] * rows
        passed_over: list[int] = []
        seen, end = 0, len(index) + (len(stream) if max_examples is None else max_examples)
        for example in waiting:
            if not room or len(index) == end:
                break
            seen += 1
            need = lengths_list[example]
            fits = room >> need
            if not fits:
                passed_over.append(example)
                continue
            least = need + (fits & -fits).bit_length() - 1
            stack = rows_with_room[least]
            at = stack.pop()
            if not stack:
                room ^= 1 << least
            index.append(example)
            row.append(at)
            column.append(length - least)
            slot.append(used[at])
            used[at] += 1
            left = least - need
            if left >= shortest and used[at] < slots:
                rows_with_room.setdefault(left, []).append(at)
                room |= 1 << left
        waiting = passed_over + waiting[seen:]
        splits.append(len(index))
    return Placement(
        np.array(index, np.int32),
        np.array(row, np.int32),
        np.array(column, np.int32),
        np.array(slot, np.int32),
        np.array(splits, np.int64),
    )
