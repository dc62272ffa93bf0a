"""Where every example of an epoch goes, portion by portion, so that nothing has to be made before its batch comes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bert_tf.data.batching.packing import Placement, pack
from bert_tf.data.batching.plan import WINDOW_BATCHES, Batching, BatchLayout, permutation
from bert_tf.data.corpora.pairs import Segments
from bert_tf.data.corpora.portions import Portions
from bert_tf.errors import UserError

SLOT_TOKENS = 24  # a row has one slot for so many of its tokens, and 4 at least
KEPT_PORTIONS = 2
ORDER = 1  # sets what is drawn here apart from `portions`


@dataclass(frozen=True, eq=False)
class Portion:
    """A portion's examples and where they stand. `rounds` int64 [E]: how often an example stood in it before."""

    segments: Segments
    lengths: np.ndarray
    placement: Placement
    rounds: np.ndarray


class EpochPlan:
    """The batches of one epoch. A portion's share of them follows from its tokens; none has to be made to be counted.

    Where a portion's examples fill fewer batches than its share, they are used once more, masked differently; what is
    over is left out, other examples in each epoch.
    """

    def __init__(self, plans: PretrainingPlans, epoch: int) -> None:
        self.plans, self.epoch, self.layout = plans, epoch, plans.layout
        sums = np.concatenate([[0], np.cumsum(plans.portions.source_tokens(epoch))])
        # int64 [B + 1]: the first batch of each portion.
        self.starts = plans.batches_per_epoch * sums // sums[-1]
        self.lengths = np.full(plans.batches_per_epoch, self.layout.length, np.int32)  # [K]

    @property
    def number_of_batches(self) -> int:
        return self.plans.batches_per_epoch

    def find(self, k: int) -> tuple[int, Portion, int]:
        """The portion of batch k, its number, and the batch's number in it."""
        if not 0 <= k < self.number_of_batches:
            raise IndexError(f"`k` must be in [0, {self.number_of_batches}). Received: k={k}")
        number = int(np.searchsorted(self.starts, k, side="right")) - 1
        batches = int(self.starts[number + 1] - self.starts[number])
        return number, self.plans.portion(self.epoch, number, batches), k - int(self.starts[number])


class PretrainingPlans:
    """The plans of all epochs, which have equally many batches, so that a batch's number says where it is.

    How many: as many rows as the first portion needs for its tokens, for all tokens of the corpus.
    """

    def __init__(
        self, portions: Portions, batch_examples: int, *, batching: Batching, divisor: int, length: int, seed: int
    ) -> None:
        self.portions, self.seed = portions, seed
        first, tokens = portions.segments(0, 0), portions.source_tokens(0)
        if not len(first):
            raise UserError("the corpus has too little text for one example")
        mean = float(first.lengths.mean())
        packed = batching == "packed"
        rows = batch_examples * (mean / length if packed else 1.0)
        rows = max(1, round(rows / divisor)) * divisor
        slots = max(4, length // SLOT_TOKENS) if packed else 1
        self.layout = BatchLayout("packed", rows, length, slots, batch_examples)
        self.portion = lru_cache(maxsize=KEPT_PORTIONS)(self._portion)
        # One batch at least, even of a corpus that does not fill it.
        filled = len(_pack(first.lengths, np.arange(len(first)), self.layout).splits) - 2
        per_token = (filled + 0.5) / first.source_tokens
        self.batches_per_epoch = max(1, math.floor(per_token * int(tokens.sum())))
        self._plan = lru_cache(maxsize=4)(lambda epoch: EpochPlan(self, epoch))

    def plan(self, epoch: int) -> EpochPlan:
        return self._plan(epoch)

    def number_of_batches(self, epochs: float) -> int:
        return max(1, math.ceil(round(epochs * self.batches_per_epoch, 6)))

    def locate(self, number: int) -> tuple[int, int]:
        if number < 0:
            raise ValueError(f"`number` must be at least 0. Received: {number}")
        return divmod(number, self.batches_per_epoch)

    def _portion(self, epoch: int, number: int, batches: int) -> Portion:
        segments = self.portions.segments(epoch, number)
        lengths = segments.lengths
        if not len(lengths):
            raise UserError("a portion of the corpus has too little text for one example")
        order, rounds = [], 0
        while True:
            order.append(permutation(len(lengths), self.seed, epoch, ORDER, number, rounds))
            rounds += 1
            if rounds * int(lengths.sum()) < batches * self.layout.rows * self.layout.length:
                continue
            placement = _pack(lengths, np.concatenate(order), self.layout)
            if len(placement.splits) - 2 >= batches:  # the last batch may have been left half empty
                break
        seen = np.zeros(len(lengths), np.int64)
        counts = np.zeros(len(placement.index), np.int64)
        for i, example in enumerate(placement.index.tolist() if rounds > 1 else ()):
            counts[i] = seen[example]
            seen[example] += 1
        return Portion(segments, lengths, placement, counts)


def _pack(lengths: np.ndarray, order: np.ndarray, layout: BatchLayout) -> Placement:
    window = max(WINDOW_BATCHES * layout.batch_examples, layout.rows)
    return pack(lengths, order, rows=layout.rows, length=layout.length, slots=layout.slots, window=window)
