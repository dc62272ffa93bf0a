"""How fast a run goes, and how well it uses the machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bert_tf.data import BatchPlans
from bert_tf.models.backbones.config import BertConfig
from bert_tf.training.checkpoints.state import State
from bert_tf.training.reports.flops import training_flops


class Meter:
    """Counts examples, tokens, FLOPs and seconds of training, evaluations and saving not included.

    The first call of the compiled step is left out of the rates: it is spent on tracing.

    Args:
        epochs: the plans of the batches that are counted.
        lengths_in: gives the tokens of each example of a plan's batch, int [E].
        configs: the model's shape, and those of models within it that are trained with it.
        only_pooled: whether the model's last block works on first tokens alone.
        peak_flops: FLOP/s that all devices could do.
        state: keeps the totals over interruptions.
    """

    def __init__(
        self,
        epochs: BatchPlans,
        lengths_in: Callable[[Any, int], np.ndarray],
        configs: Sequence[BertConfig],
        *,
        only_pooled: bool,
        peak_flops: float,
        state: State,
    ) -> None:
        self.epochs, self.lengths_in, self.configs, self.only_pooled = epochs, lengths_in, configs, only_pooled
        self.peak_flops, self.state = peak_flops, state
        self.totals = np.array(state.totals.numpy())  # examples, tokens, positions, FLOPs, seconds
        self.since_report = np.zeros_like(self.totals)
        self.warm = False

    def add(self, first: int, count: int, seconds: float) -> None:
        """`count` updates from global batch `first` on took `seconds`."""
        row = np.zeros_like(self.totals)
        for number in range(first, first + count):
            epoch, k = self.epochs.locate(number)
            plan = self.epochs.plan(epoch)
            lengths = self.lengths_in(plan, k)
            flops = sum(training_flops(lengths, config, only_pooled=self.only_pooled) for config in self.configs)
            row += [len(lengths), int(lengths.sum()), plan.layout.rows * int(plan.lengths[k]), flops, 0.0]
        row[4] = seconds
        if self.warm:
            self.totals += row
            self.since_report += row
        self.warm = True

    def report(self) -> dict[str, float]:
        """Rates since the last report."""
        rates = _rates(self.since_report, self.peak_flops)
        self.since_report[:] = 0.0
        return rates

    def overall(self) -> dict[str, float]:
        """Rates of the whole run."""
        return _rates(self.totals, self.peak_flops)

    def store(self) -> None:
        """Puts the totals where checkpoints keep them."""
        self.state.totals.assign(self.totals)


def _rates(totals: np.ndarray, peak_flops: float) -> dict[str, float]:
    examples, tokens, positions, flops, seconds = totals.tolist()
    if not seconds:
        return {}
    return {
        "seconds": seconds,
        "examples_per_second": examples / seconds,
        "tokens_per_second": tokens / seconds,
        "padding_share": 1.0 - tokens / positions,
        "model_flops_utilization": flops / seconds / peak_flops,
    }
