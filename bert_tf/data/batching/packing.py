"""Packs examples into rows of a fixed length: best fit over a short window of the stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

CHUNK = 1 << 16  # examples that are held as Python's numbers


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
    lengths, order = np.asarray(lengths), np.asarray(order, np.int64)
    shortest = int(lengths.min(initial=length))
    most = len(order) if max_examples is None else max_examples
    placed = np.empty((4, len(order)), np.int32)
    done = next_new = 0
    index: list[int] = []
    row: list[int] = []
    column: list[int] = []
    slot: list[int] = []
    splits = [0]
    waiting: list[int] = []
    needs: list[int] = []  # of those that wait, their lengths
    # Of the order, what comes next, and its lengths: as Python's numbers all of it would be 80 bytes an example.
    stream: list[int] = []
    stream_needs: list[int] = []
    at_stream = 0
    while waiting or at_stream < len(stream) or next_new < len(order):
        new = max(0, window - len(waiting))
        if len(stream) - at_stream < new and next_new < len(order):
            fresh = order[next_new : next_new + new + CHUNK]
            stream, stream_needs = (
                stream[at_stream:] + fresh.tolist(),
                stream_needs[at_stream:] + lengths[fresh].tolist(),
            )
            next_new, at_stream = next_new + len(fresh), 0
        waiting += stream[at_stream : at_stream + new]
        needs += stream_needs[at_stream : at_stream + new]
        at_stream = min(at_stream + new, len(stream))
        # Rows by the room they have left; bit r of `room` is set where rows_with_room[r] is not empty.
        rows_with_room: dict[int, list[int]] = {length: list(range(rows - 1, -1, -1))}
        room = 1 << length
        used = [0] * rows
        passed_over: list[int] = []
        passed_needs: list[int] = []
        seen, end = 0, len(index) + most
        for example, need in zip(waiting, needs, strict=True):
            if not room or len(index) == end:
                break
            seen += 1
            fits = room >> need
            if not fits:
                passed_over.append(example)
                passed_needs.append(need)
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
        waiting, needs = passed_over + waiting[seen:], passed_needs + needs[seen:]
        splits.append(done + len(index))
        if len(index) >= CHUNK or not (waiting or at_stream < len(stream) or next_new < len(order)):
            stop = done + len(index)
            for all_values, values in zip(placed, (index, row, column, slot), strict=True):
                all_values[done:stop] = values
                values.clear()
            done = stop
    return Placement(placed[0], placed[1], placed[2], placed[3], np.array(splits, np.int64))
