"""Logits of a whole data set, in its order."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from bert_tf.data import Features, blocks, choose_layout, plan_epoch
from bert_tf.models.base import inputs_of


class Evaluator:
    """Runs a model over features, examples of like length together.

    Args:
        model: Keras model, called with a batch and `training=False`.
        features: what to run it on.
        batch_examples: examples in a batch.
    """

    def __init__(self, model: Any, features: Features, *, batch_examples: int) -> None:
        self.features = features
        layout = choose_layout(features.lengths, batch_examples, batching="bucketed")
        self.plan = plan_epoch(features.lengths, layout, seed=0, epoch=0, shuffle=False)
        self.forward = tf.function(lambda inputs: model(inputs, training=False), reduce_retracing=True)

    def logits(self) -> np.ndarray:
        """float32 [E, ...], in the order of the features."""
        found: np.ndarray | None = None
        for batch in blocks(self.features, self.plan):
            index = batch["example_index"]
            logits = (
                self.forward({name: tf.constant(value) for name, value in inputs_of(batch).items()})
                .numpy()
                .astype(np.float32)
            )
            if found is None:
                found = np.empty((len(self.features), *logits.shape[1:]), np.float32)
            found[index[index >= 0]] = logits[index >= 0]
        if found is None:
            raise ValueError("`features` must hold at least one example. Received: none")
        return found
