"""What a model gives for every example of a data set, in its order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from bert_tf.data import Features, choose_layout, plan_epoch, replica_batches
from bert_tf.machine.side_by_side import several_at_a_time
from bert_tf.machine.threads import runs_at_a_time
from bert_tf.models.base import inputs_of

Loss = Callable[[Any, Mapping[str, Any]], Any]
"""Outputs and batch -> float32, the loss of each example; see `Kind.per_example_loss`."""
Forward = Callable[[Mapping[str, Any]], tuple[Any, Any]]


def compiled(model: Any, loss: Loss | None = None) -> Forward:
    """A function that is traced once for all the sets that a model is scored on.

    Args:
        model: Keras model, called with a batch's inputs and `training=False`.
        loss: of the outputs; None: no loss.
    Returns: batch -> the outputs, and the sum of its examples' losses, float32 []; 0 without `loss`.
    """

    @tf.autograph.experimental.do_not_convert  # which costs most of a trace, and a model needs none
    def ask(batch: Mapping[str, Any]) -> Any:
        return model(inputs_of(batch), training=False)

    def forward(batch: Mapping[str, Any]) -> tuple[Any, Any]:
        outputs = ask(batch)
        return outputs, tf.zeros([]) if loss is None else _sum(loss(outputs, batch), batch["example_weight"])

    return tf.function(forward, reduce_retracing=True)


def _sum(losses: Any, weight: Any) -> Any:
    """float32 []; a kind with `loss_parts` gives them on one more axis."""
    return tf.reduce_sum(losses * (weight if losses.shape.rank == weight.shape.rank else weight[..., None]))


class Outputs:
    """Runs a model over features, examples of like length together.

    Args:
        model: Keras model, called with a batch and `training=False`, whose output is one tensor.
        features: what to run it on.
        batch_examples: examples in a batch.
        per_token: whether the output is one a token, [B, T, ...], rather than one an example, [B, ...].
        forward: what `compiled` made of the model, where several sets share it; None: made here, without a loss.

    Attributes:
        loss: the mean loss of what was run last; 0 where `forward` has no loss.
    """

    def __init__(
        self,
        model: Any,
        features: Features,
        *,
        batch_examples: int,
        per_token: bool = False,
        forward: Forward | None = None,
    ) -> None:
        self.features = features
        self.per_token = per_token
        layout = choose_layout(features.lengths, batch_examples, batching="bucketed")
        self.plan = plan_epoch(features.lengths, layout, seed=0, epoch=0, shuffle=False)
        self.with_loss = forward is not None
        self.forward = forward or compiled(model)
        self.loss = 0.0

    def __call__(self) -> list[np.ndarray]:
        """float32, in the order of the features: E arrays [...], or [T_e, ...] per token."""
        found: list[np.ndarray] = [np.empty(0)] * len(self.features)
        lengths = self.features.lengths
        total = divisor = 0.0

        def work(batch: Mapping[str, Any]) -> tuple[np.ndarray, Any]:
            needed = batch if self.with_loss else inputs_of(batch)
            outputs, loss = self.forward({name: tf.constant(value) for name, value in needed.items()})
            return outputs.numpy().astype(np.float32), loss

        workers = min(runs_at_a_time(), self.plan.number_of_batches)
        batches = replica_batches(self.features, self.plan)
        for batch, (outputs, loss) in several_at_a_time(work, batches, workers=workers):
            total, divisor = total + float(loss), divisor + float(batch["loss_divisor"])
            for row, index in enumerate(batch["example_index"]):
                if index >= 0:
                    found[index] = outputs[row, : lengths[index]] if self.per_token else outputs[row]
        self.loss = total / divisor
        return found


class MeanLoss:
    """The mean loss of a set's examples, or of so many of them, evenly spread over its lengths.

    Args:
        model: Keras model.
        features: a set with all that the loss needs.
        loss: of its outputs.
        batch_examples: examples in a batch; a loss that compares the examples of a batch depends on it.
        most_examples: of how many it is.
    """

    def __init__(
        self, model: Any, features: Features, loss: Loss, *, batch_examples: int, most_examples: int = 256
    ) -> None:
        layout = choose_layout(features.lengths, batch_examples, batching="bucketed")
        plan = plan_epoch(features.lengths, layout, seed=0, epoch=0, shuffle=False)
        count = min(plan.number_of_batches, -(-most_examples // batch_examples))
        chosen = np.unique(np.linspace(0, plan.number_of_batches - 1, num=count).round().astype(int))
        self.batches = [
            batch for k in chosen for batch in replica_batches(features, plan, start=int(k), stop=int(k) + 1)
        ]
        self.forward = compiled(model, loss)

    def __call__(self) -> float:
        sums = [
            float(self.forward({name: tf.constant(value) for name, value in batch.items()})[1])
            for batch in self.batches
        ]
        return sum(sums) / sum(float(batch["loss_divisor"]) for batch in self.batches)
