"""What a model gives for every example of a data set, in its order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from bert_tf.data import Features, choose_layout, plan_epoch, replica_batches
from bert_tf.models.base import inputs_of


class Outputs:
    """Runs a model over features, examples of like length together.

    Args:
        model: Keras model, called with a batch and `training=False`, whose output is one tensor.
        features: what to run it on.
        batch_examples: examples in a batch.
        per_token: whether the output is one a token, [B, T, ...], rather than one an example, [B, ...].
    """

    def __init__(self, model: Any, features: Features, *, batch_examples: int, per_token: bool = False) -> None:
        self.features = features
        self.per_token = per_token
        layout = choose_layout(features.lengths, batch_examples, batching="bucketed")
        self.plan = plan_epoch(features.lengths, layout, seed=0, epoch=0, shuffle=False)
        self.forward: Callable[[Any], Any] = tf.function(
            lambda inputs: model(inputs, training=False), reduce_retracing=True
        )

    def __call__(self) -> list[np.ndarray]:
        """float32, in the order of the features: E arrays [...], or [T_e, ...] per token."""
        found: list[np.ndarray] = [np.empty(0)] * len(self.features)
        lengths = self.features.lengths
        for batch in replica_batches(self.features, self.plan):
            inputs = {name: tf.constant(value) for name, value in inputs_of(batch).items()}
            outputs = self.forward(inputs).numpy().astype(np.float32)
            for row, index in enumerate(batch["example_index"]):
                if index >= 0:
                    found[index] = outputs[row, : lengths[index]] if self.per_token else outputs[row]
        return found
