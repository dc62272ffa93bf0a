"""Checkpoints of a run: everything that the next update depends on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from bert_tf.errors import UserError
from bert_tf.training.optimizers.adamw import AdamW


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


class Checkpoints:
    """`checkpoints/` of a run folder. Written whole or not at all; the last two are kept.

    Args:
        folder: where they lie.
        weights: the model's variables.
        optimizer, state: the rest; `extra` holds further trackables by name, such as a loss scale.
        writes: False on workers that are not the chief.
    """

    def __init__(
        self,
        folder: Path,
        weights: Sequence[tf.Variable],
        optimizer: AdamW,
        state: State,
        *,
        extra: dict[str, Any] | None = None,
        writes: bool = True,
    ) -> None:
        self.folder, self.writes = folder, writes
        self.checkpoint = tf.train.Checkpoint(
            weights=list(weights),
            step=optimizer.step,
            first=optimizer.first,
            second=optimizer.second,
            state=state,
            **(extra or {}),
        )
        self.manager = tf.train.CheckpointManager(self.checkpoint, str(folder), max_to_keep=2)

    def restore(self) -> bool:
        """Resumes from the newest checkpoint that can be read. Returns: whether there was one.

        Raises: UserError if there are some and none can be read.
        """
        failure = ""
        for path in reversed(self.manager.checkpoints):
            try:
                self.checkpoint.restore(path).assert_consumed()
            except (tf.errors.OpError, AssertionError, ValueError, IndexError, KeyError) as error:
                failure = f"{path}: {str(error).splitlines()[0]}"
            else:
                return True
        if failure:
            raise UserError(
                f"no checkpoint of this run can be read ({failure}). Give another --run folder, or delete "
                f"{self.folder} to start again"
            )
        return False

    def save(self, step: int) -> None:
        """Writes the checkpoint of `step` updates, if this worker is the one that writes."""
        if self.writes:
            self.manager.save(checkpoint_number=step)

    def latest_step(self) -> int | None:
        """The number of updates of the newest checkpoint, or None."""
        latest = self.manager.latest_checkpoint
        return None if latest is None else int(latest.rpartition("-")[2])

    def latest(self) -> str:
        """The newest checkpoint's path, or "none"."""
        return self.manager.latest_checkpoint or "none"
