"""The learning rate as a function of the update's number."""

from __future__ import annotations

import math
from dataclasses import dataclass

import tensorflow as tf

SCHEDULES = ("linear", "cosine", "constant")


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Linear warm-up from 0 to the peak, then linear or cosine to 0, or constant.

    Update `k` (from 0) of a warm-up of `w` updates has the rate `peak * k / w`; with `t` updates in all, the linear
    schedule continues with `peak * (t - k) / (t - w)`. These are Transformers' conventions, so settings carry over.

    Args:
        peak: highest learning rate.
        total_steps: updates in the whole run.
        warmup_steps: updates of warm-up.
        shape: `"linear"`, `"cosine"` or `"constant"`, after the warm-up.

    Raises: ValueError if the shape is unknown or a number of steps is out of range.
    """

    peak: float
    total_steps: int
    warmup_steps: int = 0
    shape: str = "linear"

    def __post_init__(self) -> None:
        if self.shape not in SCHEDULES:
            raise ValueError(f"`shape` must be one of {', '.join(SCHEDULES)}. Received: shape={self.shape!r}")
        if self.total_steps < 1 or not 0 <= self.warmup_steps <= self.total_steps:
            raise ValueError(
                "`total_steps` must be at least 1 and `warmup_steps` between 0 and `total_steps`. "
                f"Received: total_steps={self.total_steps}, warmup_steps={self.warmup_steps}"
            )

    def __call__(self, step: tf.Tensor | int) -> tf.Tensor:
        """The rate of update `step` (integers of any shape, from 0). Returns: float32 of the same shape."""
        step = tf.cast(step, tf.float32)
        rising = step / max(self.warmup_steps, 1)
        rest = (step - self.warmup_steps) / max(self.total_steps - self.warmup_steps, 1)
        rest = tf.clip_by_value(rest, 0.0, 1.0)
        if self.shape == "linear":
            falling = 1.0 - rest
        elif self.shape == "cosine":
            falling = 0.5 * (1.0 + tf.cos(math.pi * rest))
        else:
            falling = tf.ones_like(rest)
        return self.peak * tf.where(step < self.warmup_steps, rising, falling)
