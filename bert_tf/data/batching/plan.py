"""Where every example of an epoch goes: batches, rows and columns, made from the examples' lengths alone.

A plan depends on the lengths, the layout, the seed and the epoch, and on nothing else: every worker makes the same one,
and a position in the data is a batch's number.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np

from bert_tf.data.batching.packing import Placement, pack

Batching = Literal["packed", "bucketed", "padded"]

BATCHINGS = ("packed", "bucketed", "padded")
MIN_PACK_LENGTH = 64
WINDOW_BATCHES = 8  # a packed batch looks so far ahead: 1.0 % padding at SST-2's lengths; 1.1 % with 3, 0.9 % with 16
BUCKET_WINDOW_BATCHES = 50
TRIAL_EXAMPLES = 8192
CLOSE = 0.01
TOO_MANY = 0.05
USUAL_FILL = 0.985


@dataclasses.dataclass(frozen=True)
class BatchLayout:
    """The shape of the batches.

    Args:
        batching: "packed", "bucketed" or "padded".
        rows: rows R of a batch, a multiple of the divisor asked for.
        length: tokens T of a row; where bucketed, of the longest.
        slots: most examples M in a row; 1 where not packed.
        batch_examples: examples in a batch; where packed, about so many on average.
        max_examples: most examples in a packed batch; None: as many as fit.

    >>> layout = choose_layout(np.array([4, 6, 5, 3]), 2, batching="padded")
    >>> layout.rows, layout.length, layout.slots
    (2, 8, 1)
    """

    batching: Batching
    rows: int
    length: int
    slots: int
    batch_examples: int
    max_examples: int | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
    """One epoch: E examples in K batches.

    Args:
        layout: the shape of the batches.
        placement: which example stands where.
        lengths: int32 [K], tokens of a row in each batch.
        tokens: int64 [K], real tokens in each batch.

    >>> lengths = np.array([4, 6, 5])
    >>> plan = plan_epoch(lengths, choose_layout(lengths, 2, batching="padded"), seed=1, epoch=0, shuffle=False)
    >>> plan.number_of_batches, plan.tokens.tolist()
    (2, [10, 5])
    """

    layout: BatchLayout
    placement: Placement
    lengths: np.ndarray
    tokens: np.ndarray

    @property
    def number_of_batches(self) -> int:
        return len(self.lengths)

    @property
    def examples(self) -> np.ndarray:
        """int64 [K]: examples in each batch."""
        return np.diff(self.placement.splits)

    def batch(self, k: int) -> Placement:
        """Batch k's own part of the placement."""
        if not 0 <= k < self.number_of_batches:
            raise IndexError(f"`k` must be in [0, {self.number_of_batches}). Received: k={k}")
        start, stop = self.placement.splits[k : k + 2]
        index, row, column, slot = (values[start:stop] for values in self.placement[:4])
        return Placement(index, row, column, slot, np.array([0, stop - start]))


def choose_layout(
    lengths: np.ndarray,
    batch_examples: int,
    *,
    batching: Batching = "packed",
    divisor: int = 1,
    pack_length: int | None = None,
) -> BatchLayout:
    """Chooses the shape of the batches.

    A packed batch has R rows of L tokens, so that full batches hold `batch_examples` examples on average: of the L from
    the longest example (64 at least) up to a quarter more (128 at least), in steps of 8, the shortest whose best R
    comes within 1 %, by trial on up to 8192 examples (32 batches where that is more); failing that, an L below 64
    that does; failing that, the nearest. Where even that holds 5 % too many, as it can with few rows or a large
    `divisor`, a batch takes `batch_examples` and no more, and the rest is padding.

    Args:
        lengths: tokens of each example, [E].
        batch_examples: examples a batch, over all replicas and accumulation steps.
        divisor: replicas times accumulation steps; rows are a multiple of it.
        pack_length: L where packed (as it is, not rounded), or T where padded; chosen here if None.
    Raises: ValueError if `pack_length` is below the longest example.
    """
    lengths = np.asarray(lengths)
    if batching not in BATCHINGS:
        raise ValueError(f"`batching` must be one of {', '.join(BATCHINGS)}. Received: {batching!r}")
    if not len(lengths) or lengths.min() < 1:
        raise ValueError(f"`lengths` must hold one length at least, all of them 1 or more. Received: {lengths}")
    for name, value in (("batch_examples", batch_examples), ("divisor", divisor)):
        if value < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {value}")
    longest = int(lengths.max())
    if pack_length is not None and pack_length < longest:
        raise ValueError(
            f"`pack_length` must be at least the longest example's length, {longest}. Received: {pack_length}"
        )
    if batching == "packed":
        return _packed_layout(lengths, batch_examples, divisor, pack_length)
    length = bucket_length(longest) if batching == "bucketed" else pack_length or _round_up(longest, 8)
    return BatchLayout(batching, _round_up(batch_examples, divisor), length, 1, batch_examples)


def plan_epoch(lengths: np.ndarray, layout: BatchLayout, *, seed: int, epoch: int, shuffle: bool = True) -> Plan:
    """Places every example once.

    Order: random by (seed, epoch) if `shuffle`; otherwise the input's, but that bucketed batches go from long to short.
    A packed row takes later examples forward to fill it, by `WINDOW_BATCHES` batches at most. The last batch may hold
    fewer examples, and then empty rows.
    """
    lengths = np.asarray(lengths)
    if lengths.max() > layout.length:
        raise ValueError(
            f"`lengths` must fit in the layout's rows of {layout.length} tokens. Received: {lengths.max()} tokens"
        )
    order = permutation(len(lengths), seed, epoch) if shuffle else np.arange(len(lengths))
    if layout.batching == "packed":
        window = max(WINDOW_BATCHES * layout.batch_examples, layout.rows)
        placement = pack(
            lengths,
            order,
            rows=layout.rows,
            length=layout.length,
            slots=layout.slots,
            window=window,
            max_examples=layout.max_examples,
        )
    else:
        splits = _cuts(len(lengths), layout.batch_examples)
        if layout.batching == "bucketed":
            order, splits = _by_length(lengths, order, layout.batch_examples, (seed, epoch) if shuffle else None)
        row = np.arange(len(order)) - np.repeat(splits[:-1], np.diff(splits))
        zeros = np.zeros(len(order), np.int32)
        placement = Placement(order.astype(np.int32), row.astype(np.int32), zeros, zeros, splits)
    ordered, starts = lengths[placement.index], placement.splits[:-1]
    batch_lengths = np.full(len(starts), layout.length, np.int32)
    if layout.batching == "bucketed":
        longest = np.maximum.reduceat(ordered, starts)
        batch_lengths = np.array([bucket_length(n) for n in longest.tolist()], np.int32)
    return Plan(layout, placement, batch_lengths, np.add.reduceat(ordered, starts).astype(np.int64))


def permutation(size: int, *key: int) -> np.ndarray:
    """A random order of `size` things, int64, by `key`: made from raw Philox output, so the same in every NumPy."""
    raw = np.random.Philox(np.random.SeedSequence(key)).random_raw(size)
    return np.argsort(raw, kind="stable")


def bucket_length(length: int) -> int:
    """`length` rounded up to a multiple of 8, from 64 on of 16, from 128 on of 32 and so on: 20 shapes up to 512."""
    return _round_up(length, 1 << max(3, (length - 1).bit_length() - 3))


def _by_length(
    lengths: np.ndarray, order: np.ndarray, batch_examples: int, key: tuple[int, int] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Batches of like length: sorted within windows of the order, then the batches shuffled; the part batch is last."""
    if key is None:
        return order[np.argsort(-lengths[order], kind="stable")], _cuts(len(order), batch_examples)
    full = len(order) // batch_examples * batch_examples
    batches = []
    for start in range(0, full, BUCKET_WINDOW_BATCHES * batch_examples):
        window = order[start : min(start + BUCKET_WINDOW_BATCHES * batch_examples, full)]
        batches.append(window[np.argsort(lengths[window], kind="stable")].reshape(-1, batch_examples))
    if not batches:
        return order, _cuts(len(order), batch_examples)
    stacked = np.concatenate(batches)
    stacked = stacked[permutation(len(stacked), *key, 1)]
    return np.concatenate([stacked.ravel(), order[full:]]), _cuts(len(order), batch_examples)


def _packed_layout(lengths: np.ndarray, batch_examples: int, divisor: int, pack_length: int | None) -> BatchLayout:
    longest = int(lengths.max())
    if pack_length is None:
        start = _round_up(max(longest, MIN_PACK_LENGTH), 8)
        choices = list(range(start, max(start * 5 // 4, 2 * MIN_PACK_LENGTH) + 1, 8))
        choices += list(range(MIN_PACK_LENGTH - 8, longest - 1, -8))
    else:
        choices = [pack_length]
    wanted = batch_examples * float(lengths.mean()) / USUAL_FILL  # token positions in a batch
    sample = lengths[permutation(len(lengths), 0)[: max(TRIAL_EXAMPLES, 32 * batch_examples)]]
    layouts = [
        BatchLayout("packed", rows * divisor, length, length // int(lengths.min()), batch_examples)
        for length in choices
        for rows in range(max(1, int(wanted / length / divisor)), int(wanted / length / divisor) + 2)
    ]
    guesses = [abs(layout.rows * layout.length / wanted - 1.0) for layout in layouts]
    # Only what can come near is worth a trial.
    near = [layout for layout, guess in zip(layouts, guesses, strict=True) if guess < 3 * CLOSE]
    tried = []
    for layout in near or [layouts[int(np.argmin(guesses))]]:
        fill, most = _trial(sample, layout)
        off = layout.rows * layout.length * fill / float(lengths.mean()) / batch_examples - 1.0
        limit = batch_examples if off > TOO_MANY else None
        tried.append((abs(off), dataclasses.replace(layout, slots=most, max_examples=limit)))
        if abs(off) <= CLOSE:
            break
    return min(tried, key=lambda pair: pair[0])[1]


def _trial(sample: np.ndarray, layout: BatchLayout) -> tuple[float, int]:
    """The share of full batches that is tokens, and the most examples in a row."""
    plan = plan_epoch(sample, layout, seed=0, epoch=0)
    most = int(plan.placement.slot.max()) + 1
    if plan.number_of_batches < 8:  # too few to be typical
        return USUAL_FILL, most
    return float(plan.tokens[:-1].mean()) / (layout.rows * layout.length), most


def _cuts(size: int, step: int) -> np.ndarray:
    return np.append(np.arange(0, size, step), size).astype(np.int64)


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
