"""One update: forward, backward, the sum over replicas, clipping, AdamW."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from bert_tf.models.base import inputs_of
from bert_tf.training.optimizers.adamw import AdamW
from bert_tf.training.optimizers.loss_scale import LossScale
from bert_tf.training.workers.reduction import Reduction

Batch = dict[str, tf.Tensor]
PerExampleLoss = Callable[[Any, Batch], tf.Tensor]


class TrainStep:
    """What a replica does with its part of a global batch.

    The loss is the mean over the examples of the global batch (or over their terms: see `Features.loss_terms`),
    whichever replica and micro-batch they are in: each replica divides its sum by `loss_divisor`, and the sums are
    added. So one device, several replicas and several workers, with or without accumulation, take the same update.

    Args:
        model: called with the batch's inputs, `training=True`, and a `seed` int64 [2] for all its dropout.
        per_example_loss: outputs and batch -> float32 of the shape of `example_weight`.
        optimizer: holds the weights to train.
        seed: of dropout. With the update's number, the replica and the micro-batch it gives all randomness there is,
            so a run that resumes from a checkpoint draws what it would have drawn.
        accumulation_steps: micro-batches that the part's rows are cut into; must divide the number of rows.
        clip_norm: largest global norm of the summed gradient, or None.
        loss_scale: for float16, or None.
        reduction: sums up gradients over the replicas. Whole tables where they are accumulated.
        xla: compile forward and backward pass with XLA.
        at_once: parts of the rows that go through the model side by side, each with masks of its own, where there are
            as many rows. A part's operations stand in a line; beside another part's, they leave no core idle.
        parts: names of what the loss is the sum of, where `per_example_loss` gives them one by one, on a last axis.
        compared: fields of a batch that an example's loss reads of the other examples, too, with their outputs: those
            of all replicas, then, of the same micro-batch.
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
        reduction: Reduction | None = None,
        xla: bool = False,
        at_once: int = 1,
        parts: Sequence[str] = (),
        compared: Sequence[str] = (),
    ) -> None:
        self.model = model
        self.per_example_loss = per_example_loss
        self.optimizer = optimizer
        self.seed = seed
        self.accumulation_steps = accumulation_steps
        self.clip_norm = clip_norm
        self.loss_scale = loss_scale
        self.at_once = at_once
        self.reduction = reduction or Reduction()
        self.parts = tuple(parts)
        self.compared = tuple(compared)
        self.gradients_of = tf.function(self._gradients, jit_compile=True) if xla else self._gradients

    def __call__(self, batch: Batch) -> dict[str, tf.Tensor]:
        """One update, in replica context.

        Returns: float32 [] each, those of `reported`.
        """
        scale = self.loss_scale.value if self.loss_scale else tf.constant(1.0)
        context = tf.distribute.get_replica_context()
        replica = tf.cast(context.replica_id_in_sync_group, tf.int64)
        part = self.optimizer.step * context.num_replicas_in_sync + replica
        losses, gradients = self.gradients_of(batch, scale, part)  # float32 [1 + parts]
        losses, gradients = self.reduction(losses, gradients)
        loss, *parts = tf.unstack(losses)
        norm = tf.linalg.global_norm(gradients) / scale
        finite = tf.math.is_finite(norm) & tf.math.is_finite(loss)
        factor = 1.0 / scale
        if self.clip_norm is not None:
            factor *= tf.minimum(1.0, self.clip_norm / (norm + 1e-6))
        learning_rate = self.optimizer.learning_rate()
        self.optimizer.apply(gradients, scale=factor, finite=finite)
        if self.loss_scale:
            self.loss_scale.update(finite)
        return dict(zip(self.reported, (loss, norm, learning_rate, *parts), strict=True))

    @property
    def reported(self) -> tuple[str, ...]:
        """Names of what an update reports."""
        return ("loss", "gradient_norm", "learning_rate", *self.parts)

    def _gradients(self, batch: Batch, scale: tf.Tensor, number: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Sums over the micro-batches: the loss and its parts, float32 [1 + parts]; dense float32 gradients of `scale`
        times the loss. `number`: that of the replica's part, over all updates.
        """
        if self.accumulation_steps == 1:
            return self._micro_batch(batch, scale, number)
        parts = {key: self._cut(value) for key, value in batch.items()}
        loss = tf.zeros([1 + len(self.parts)])
        gradients = [tf.zeros(variable.shape, tf.float32) for variable in self.optimizer.variables_to_train]
        # What replicas tell each other cannot stand in a loop of the graph.
        is_alone = not self.compared or tf.distribute.get_replica_context().num_replicas_in_sync == 1
        for i in tf.range(self.accumulation_steps) if is_alone else range(self.accumulation_steps):
            micro = number * self.accumulation_steps + tf.cast(i, tf.int64)
            part_loss, part = self._micro_batch({key: value[i] for key, value in parts.items()}, scale, micro)
            loss += part_loss
            gradients = [total + gradient for total, gradient in zip(gradients, part, strict=True)]
        return loss, gradients

    def _cut(self, value: tf.Tensor) -> tf.Tensor:
        """[B, ...] -> [A, B/A, ...]; a scalar -> [A], the same for each micro-batch.

        Where examples are compared, row i is in micro-batch i mod A: so it is however many replicas share the rows.
        """
        if value.shape.rank == 0:
            return tf.repeat(value, self.accumulation_steps)
        if self.compared:
            return tf.stack([value[i :: self.accumulation_steps] for i in range(self.accumulation_steps)])
        rows = tf.shape(value)
        return tf.reshape(
            value, tf.concat([[self.accumulation_steps, rows[0] // self.accumulation_steps], rows[1:]], 0)
        )

    def _micro_batch(self, batch: Batch, scale: tf.Tensor, number: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self.optimizer.variables_to_train)
            outputs = self._outputs(inputs_of(batch), number)
            losses = self._losses(outputs, batch)
            weight = batch["example_weight"]
            if self.parts:
                weighted = tf.reshape(losses * weight[..., None], [-1, len(self.parts)])
                parts = tf.reduce_sum(weighted, axis=0) / batch["loss_divisor"]
                loss = tf.reduce_sum(parts)
            else:
                parts = tf.zeros([0])
                loss = tf.reduce_sum(losses * weight) / batch["loss_divisor"]
            scaled = loss * scale
        gradients = tape.gradient(
            scaled, self.optimizer.variables_to_train, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        # An embedding's gradient comes as slices, a row as often as its token occurs: this adds them up.
        reported = tf.concat([[loss], parts], axis=0)
        if self.accumulation_steps == 1:
            found = zip(gradients, self.optimizer.variables_to_train, strict=True)
            return reported, [self.reduction.to_send(*each) for each in found]
        return reported, [tf.cast(tf.convert_to_tensor(gradient), tf.float32) for gradient in gradients]

    @tf.autograph.experimental.do_not_convert
    def _losses(self, outputs: Any, batch: Batch) -> tf.Tensor:
        """Of the replica's own examples, among those of all replicas where they are compared."""
        context = tf.distribute.get_replica_context()
        if not self.compared or context.num_replicas_in_sync == 1:
            return self.per_example_loss(outputs, batch)

        rows, replicas = tf.shape(outputs)[0], context.num_replicas_in_sync
        first = context.replica_id_in_sync_group * rows

        def of_all(value: tf.Tensor) -> tf.Tensor:
            """[R, ...] -> [replicas * R, ...]: a sum, whose gradient is the sum of those that all replicas have."""
            around = [[first, (replicas - 1) * rows - first], *([[0, 0]] * (value.shape.rank - 1))]
            summed = context.all_reduce(tf.distribute.ReduceOp.SUM, tf.pad(value, around))
            return tf.ensure_shape(summed, [None, *value.shape[1:]])

        found, fields = of_all(tf.cast(outputs, tf.float32)), {name: of_all(batch[name]) for name in self.compared}
        return self.per_example_loss(found, fields)[first : first + rows]

    @tf.autograph.experimental.do_not_convert  # which costs most of a trace, and a model needs none
    def _outputs(self, inputs: Batch, number: tf.Tensor) -> Any:
        """What the model gives for all rows, worked out part by part."""
        rows = inputs["token_ids"].shape[0] or 1
        count = min(self.at_once, rows)
        ends = [rows * i // count for i in range(1, count)]
        found = []
        for i, (first, last) in enumerate(zip([None, *ends], [*ends, None], strict=True)):
            part = {name: value[first:last] for name, value in inputs.items()}
            seed = tf.stack([tf.constant(self.seed, tf.int64), number * self.at_once + i])
            found.append(self.model(part, training=True, seed=seed))
        return found[0] if count == 1 else tf.nest.map_structure(lambda *each: tf.concat(each, axis=0), *found)
