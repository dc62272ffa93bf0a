"""The plans of all epochs as one sequence of batches, numbered from 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from bert_tf.data.batching.choice import choose_batching
from bert_tf.data.batching.features import Features
from bert_tf.data.batching.plan import Batching, BatchLayout, Plan, choose_layout, plan_epoch
from bert_tf.data.batching.stream import BatchPlans, Stream

KEPT_PLANS = 4


class Epochs:
    """Plans of epochs 0, 1, 2, ..., made when they are asked for; the last few are kept.

    An epoch's number of batches may differ by a few from another's, so a global batch number is found by counting.

    Args:
        make: gives the plan of an epoch.

    >>> epochs = Epochs.of(np.array([4, 6, 5]), BatchLayout("padded", 2, 8, 1, 2), seed=1)
    >>> epochs.start(3), epochs.plan(0).number_of_batches
    (6, 2)
    """

    def __init__(self, make: Callable[[int], Plan]):
        self._make = make
        self._plans: dict[int, Plan] = {}
        self._starts = [0]

    @classmethod
    def of(cls, lengths: np.ndarray, layout: BatchLayout, *, seed: int, shuffle: bool = True) -> Epochs:
        """The epochs of one data set."""
        return cls(lambda epoch: plan_epoch(lengths, layout, seed=seed, epoch=epoch, shuffle=shuffle))

    def plan(self, epoch: int) -> Plan:
        """The plan of `epoch`, counted from 0."""
        if epoch not in self._plans:
            self._plans[epoch] = self._make(epoch)
            for old in list(self._plans)[:-KEPT_PLANS]:
                del self._plans[old]
        return self._plans[epoch]

    def start(self, epoch: int) -> int:
        """Number of the first batch of `epoch`; also the number of batches in the epochs before it."""
        while len(self._starts) <= epoch:
            self._starts.append(self._starts[-1] + self.plan(len(self._starts) - 1).number_of_batches)
        return self._starts[epoch]

    def number_of_batches(self, epochs: float) -> int:
        """Batches in `epochs` epochs; of a part of an epoch, that part of its batches rounded up."""
        whole = int(epochs)
        rest = epochs - whole
        return self.start(whole) + (int(np.ceil(rest * self.plan(whole).number_of_batches)) if rest > 0 else 0)

    def locate(self, number: int) -> tuple[int, int]:
        """The epoch that global batch `number` belongs to, and its number within it."""
        if number < 0:
            raise ValueError(f"`number` must be at least 0. Received: {number}")
        epoch = 0
        while self.start(epoch + 1) <= number:
            epoch += 1
        return epoch, number - self.start(epoch)


def plan_batches(
    features: Features | Stream,
    batch_examples: int,
    *,
    batching: Batching | Literal["auto"] = "packed",
    divisor: int = 1,
    pack_length: int | None = None,
    steps: float = 0,
    seed: int,
) -> BatchPlans:
    """The batches of all epochs of a training set.

    Args:
        batching: as of `choose_layout`; "auto": of `choose_batching`.
        steps: of the whole training; for "auto".
        Others: as of `choose_layout` and `Epochs.of`.
    """
    options = {"divisor": divisor, "pack_length": pack_length}
    if isinstance(features, Stream):
        return features.epochs(
            batch_examples, batching="packed" if batching == "auto" else batching, **options, seed=seed
        )
    if batching == "auto":
        batching = choose_batching(features.lengths, batch_examples, **options, steps=steps)
    layout = choose_layout(features.lengths, batch_examples, batching=batching, **options)
    return Epochs.of(features.lengths, layout, seed=seed)
