"""What training asks of its examples where they are made as they are read, because there are too many to hold."""

from __future__ import annotations

import abc
from typing import Any, Protocol

import numpy as np

from bert_tf.data.batching.plan import Batching


class BatchPlans(Protocol):
    """The plans of all epochs, as `Epochs` has them.

    >>> import numpy as np
    >>> from bert_tf.data import Epochs, BatchLayout
    >>> plans: BatchPlans = Epochs.of(np.array([4, 6, 5]), BatchLayout("padded", 2, 8, 1, 2), seed=1)
    >>> plans.number_of_batches(2), plans.locate(3)
    (4, (1, 1))
    """

    def plan(self, epoch: int) -> Any: ...

    def number_of_batches(self, epochs: float) -> int: ...

    def locate(self, number: int) -> tuple[int, int]: ...


class Stream(abc.ABC):
    """Examples that stand in for `Features`. Every worker makes the same ones.

    >>> sorted(Stream.__abstractmethods__)
    ['__len__', 'batch', 'epochs', 'lengths_in', 'share_of']
    """

    bad_rows: int = 0
    """How many rows were left out."""

    @abc.abstractmethod
    def __len__(self) -> int:
        """About how many examples an epoch has."""

    @abc.abstractmethod
    def share_of(self, token_id: int) -> float:
        """The share of tokens that are this one."""

    @abc.abstractmethod
    def epochs(
        self, batch_examples: int, *, batching: Batching, divisor: int, pack_length: int | None, seed: int
    ) -> BatchPlans:
        """The batches of all epochs. Arguments as of `choose_layout` and `Epochs.of`."""

    @abc.abstractmethod
    def batch(self, plan: Any, k: int) -> dict[str, np.ndarray]:
        """Batch k of a plan, as `batch_arrays` gives it, and the float32 scalar `loss_divisor`."""

    @abc.abstractmethod
    def lengths_in(self, plan: Any, k: int) -> np.ndarray:
        """int [E]: tokens of each example of batch k."""
