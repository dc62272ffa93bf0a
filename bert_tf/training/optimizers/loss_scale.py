"""Dynamic loss scaling, for training in float16."""

from __future__ import annotations

import tensorflow as tf

INITIAL_SCALE = 2.0**15
GROWTH_STEPS = 2000


class LossScale(tf.Module):
    """Doubles after 2,000 updates without an overflow, halves at each overflow (Micikevicius et al., 2018).

    Reference: https://arxiv.org/abs/1710.03740
    """

    def __init__(self) -> None:
        super().__init__(name="loss_scale")
        first = tf.VariableAggregation.ONLY_FIRST_REPLICA
        self.value = tf.Variable(INITIAL_SCALE, trainable=False, name="value", aggregation=first)
        self.good_steps = tf.Variable(0, dtype=tf.int64, trainable=False, name="good_steps", aggregation=first)

    def update(self, finite: tf.Tensor) -> None:
        """After an update: `finite` bool [], whether every gradient was. Called in replica context."""
        good = tf.where(finite, self.good_steps + 1, 0)
        grow = good >= GROWTH_STEPS
        factor = tf.where(finite, tf.where(grow, 2.0, 1.0), 0.5)
        self.value.assign(tf.maximum(self.value * factor, 1.0))
        self.good_steps.assign(tf.where(grow, tf.zeros_like(good), good))
