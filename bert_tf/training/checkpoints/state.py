"""What a run remembers besides weights and moments: where it is in the data, and its best score."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

OF_EVALUATIONS = ("best_step", "evaluated_step", "evaluations_since_best")


class State(tf.Module):
    """What a run remembers besides weights and moments: where it is in the data, and its best score.

    The position in the data is the number of the next global batch, from which the pipeline starts again exactly. All
    randomness follows from the run's seed and the number of the update.
    """

    def __init__(self) -> None:
        super().__init__(name="state")
        self.next_batch = tf.Variable(0, dtype=tf.int64, trainable=False, name="next_batch")
        self.best_score = tf.Variable(math.nan, dtype=tf.float64, trainable=False, name="best_score")
        self.best_step = tf.Variable(-1, dtype=tf.int64, trainable=False, name="best_step")
        self.evaluated_step = tf.Variable(0, dtype=tf.int64, trainable=False, name="evaluated_step")
        self.evaluations_since_best = tf.Variable(0, dtype=tf.int64, trainable=False, name="evaluations_since_best")
        # Examples, tokens, token positions, FLOPs and seconds of training.
        self.totals = tf.Variable(tf.zeros([5], tf.float64), trainable=False, name="totals")

    @property
    def of_evaluations(self) -> dict[str, int | float | None]:
        """What an evaluation changes, as JSON has it."""
        best = float(self.best_score.numpy())
        return {
            "best_score": None if math.isnan(best) else best,
            **{name: int(getattr(self, name).numpy()) for name in OF_EVALUATIONS},
        }

    def assign(self, noted: Mapping[str, Any]) -> None:
        """Takes over what `of_evaluations` gave; nothing of an empty one."""
        for name in OF_EVALUATIONS:
            if name in noted:
                getattr(self, name).assign(noted[name])
        if "best_score" in noted:
            self.best_score.assign(math.nan if noted["best_score"] is None else noted["best_score"])

    def forget_best(self, done: int) -> None:
        """The weights that were kept are lost: the next evaluation's are kept, and one is due after `done` updates."""
        self.best_score.assign(math.nan)
        self.best_step.assign(-1)
        self.evaluated_step.assign(min(int(self.evaluated_step.numpy()), done - 1))

    def record(self, score: float, step: int, *, greater_is_better: bool) -> bool:
        """Notes an evaluation. Returns: whether its weights are to be kept.

        Of equal scores the later step's are, as more was learnt by then: where nothing is found yet, say, and all
        scores are 0. A score that is not a number is no best one, but kept while there is no other. Equal
        scores count as not better for early stopping.
        """
        self.evaluated_step.assign(step)
        best = float(self.best_score.numpy())
        better = not math.isnan(score) and (math.isnan(best) or (score > best if greater_is_better else score < best))
        kept = better or math.isnan(best) or score == best
        if kept:
            self.best_score.assign(score)
            self.best_step.assign(step)
        if better:
            self.evaluations_since_best.assign(0)
        elif not math.isnan(best):
            self.evaluations_since_best.assign_add(1)
        return kept
