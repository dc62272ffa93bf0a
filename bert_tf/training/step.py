"""One update: forward, backward, the sum over replicas, clipping, AdamW."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from bert_tf.models.base import inputs_of
from bert_tf.training.loss_scale import LossScale
from bert_tf.training.optimizer import AdamW

Batch = dict[str, tf.Tensor]
PerExampleLoss = Callable[[Any, Batch], tf.Tensor]


class TrainStep:
    """What a replica does with its block of a global batch.

    The loss is the mean over the examples of the global batch (or over their terms: see `Features.loss_terms`),
    whichever replica and micro-batch they are in: each replica divides its sum by `loss_divisor`, and the sums are
    added. So one device, several replicas and several workers, with or without accumulation, take the same update.

    Args:
        model: called with the batch's inputs, `training=True`, and a `seed` int64 [2] for all its dropout.
        per_example_loss: outputs and batch -> float32 of the shape of `example_weight`.
        optimizer: holds the weights to train.
        seed: of dropout. With the update's number, the replica and the micro-batch it gives all randomness there is,
            so a run that goes on from a checkpoint draws what it would have drawn.
        accumulation_steps: micro-batches that the block's rows are cut into; must divide the number of rows.
        clip_norm: largest global norm of the summed gradient, or None.
        loss_scale: for float16, or None.
        xla: compile forward and backward pass with XLA.
    """

    def __init__(
        self,
        model: Any,
        per_example_loss: PerExampleLoss,
        optimizer: AdamW,
        *,
        seed: int = 1,
        accumulation_steps: int = 1,
        clip_norm: float | None = None,
        loss_scale: LossScale | None = None,
        xla: bool = False,
    ) -> None:
        self.model = model
        self.per_example_loss = per_example_loss
        self.optimizer = optimizer
        self.seed = seed
        self.accumulation_steps = accumulation_steps
        self.clip_norm = clip_norm
        self.loss_scale = loss_scale
        self.gradients_of = tf.function(self._gradients, jit_compile=True) if xla else self._gradients

    def __call__(self, batch: Batch) -> dict[str, tf.Tensor]:
        """One update, in replica context.

        Returns: float32 [] each, `loss`, `gradient_norm` and `learning_rate`.
        """
        scale = self.loss_scale.value if self.loss_scale else tf.constant(1.0)
        context = tf.distribute.get_replica_context()
        replica = tf.cast(context.replica_id_in_sync_group, tf.int64)
        block = self.optimizer.step * context.num_replicas_in_sync + replica
        loss, gradients = self.gradients_of(batch, scale, block)
        if context.num_replicas_in_sync > 1:
            loss, *gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, [loss, *gradients])
        norm = tf.linalg.global_norm(gradients) / scale
        finite = tf.math.is_finite(norm) & tf.math.is_finite(loss)
        factor = 1.0 / scale
        if self.clip_norm is not None:
            factor *= tf.minimum(1.0, self.clip_norm / (norm + 1e-6))
        learning_rate = self.optimizer.learning_rate()
        self.optimizer.apply(gradients, scale=factor, finite=finite)
        if self.loss_scale:
            self.loss_scale.update(finite)
        return {"loss": loss, "gradient_norm": norm, "learning_rate": learning_rate}

    def _gradients(self, batch: Batch, scale: tf.Tensor, block: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Sum over the micro-batches: the loss float32 [], and dense float32 gradients of `scale` times the loss."""
        if self.accumulation_steps == 1:
            return self._micro_batch(batch, scale, block)
        parts = {key: self._cut(value) for key, value in batch.items()}
        loss = tf.constant(0.0)
        gradients = [tf.zeros(variable.shape, tf.float32) for variable in self.optimizer.variables_to_train]
        for i in tf.range(self.accumulation_steps):
            number = block * self.accumulation_steps + tf.cast(i, tf.int64)
            part_loss, part = self._micro_batch({key: value[i] for key, value in parts.items()}, scale, number)
            loss += part_loss
            gradients = [total + gradient for total, gradient in zip(gradients, part, strict=True)]
        return loss, gradients

    def _cut(self, value: tf.Tensor) -> tf.Tensor:
        """[B, ...] -> [A, B/A, ...]; a scalar -> [A], the same for each micro-batch."""
        if value.shape.rank == 0:
            return tf.repeat(value, self.accumulation_steps)
        rows = tf.shape(value)
        return tf.reshape(
            value, tf.concat([[self.accumulation_steps, rows[0] // self.accumulation_steps], rows[1:]], 0)
        )

    def _micro_batch(self, batch: Batch, scale: tf.Tensor, number: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        seed = tf.stack([tf.constant(self.seed, tf.int64), number])
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self.optimizer.variables_to_train)
            outputs = self.model(inputs_of(batch), training=True, seed=seed)
            losses = self.per_example_loss(outputs, batch)
            loss = tf.reduce_sum(losses * batch["example_weight"]) / batch["loss_divisor"]
            scaled = loss * scale
        gradients = tape.gradient(
            scaled, self.optimizer.variables_to_train, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        # An embedding's gradient comes as slices, a row as often as its token occurs: this adds them up.
        return loss, [tf.cast(tf.convert_to_tensor(gradient), tf.float32) for gradient in gradients]
