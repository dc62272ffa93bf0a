"""LAMB: Adam whose step is in proportion to the length of each weight."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from bert_tf.training.optimizers.adamw import NOT_DECAYED, AdamW


class Lamb(AdamW):
    """Layer-wise adaptive moments for large batches (You et al., 2020, algorithm 2).

    A weight's update r is Adam's, with bias correction, and `weight_decay` times the weight; the weight moves by
    rate * norm(weight) / norm(r) * r. Where one of the norms is 0 their ratio counts as 1. Biases and norms are not
    decayed, and their ratio is always 1, as in the authors' code. Arguments are those of `AdamW`.

    Reference: https://arxiv.org/abs/1904.00962
    """

    def _update_all(self, strategy: Any, gradients: list[Any], numbers: dict[str, Any], count: Any) -> None:
        for i, variable in enumerate(self.variables_to_train):
            strategy.extended.update(
                variable,
                _update_one,
                args=(self.first[i], self.second[i], gradients[i], numbers),
                kwargs={
                    "factor": self.factors[i],
                    "decay": self.decays[i],
                    "epsilon": self.epsilon,
                    "adapts": not NOT_DECAYED.search(self.paths[i]),
                },
                group=False,
            )
        strategy.extended.update(self.step, lambda step, count: step.assign_add(count), args=(count,), group=False)

    def decay_of_untouched(self, path: str, steps: int) -> float:
        """Raises: NotImplementedError: what a weight loses depends on all of its table."""
        if steps == 0:
            return 1.0
        raise NotImplementedError("LAMB needs whole tables")


def _update_one(
    variable: Any,
    first: Any,
    second: Any,
    gradient: tf.Tensor,
    numbers: dict[str, tf.Tensor],
    *,
    factor: float,
    decay: float,
    epsilon: float,
    adapts: bool,
) -> None:
    # A scale of 0 gives 0 also where the gradient is infinite or not a number.
    gradient = tf.math.multiply_no_nan(gradient, numbers["scale"])
    beta_1, beta_2 = numbers["beta_1"], numbers["beta_2"]
    first_moment = first.assign(beta_1 * first + (1.0 - beta_1) * gradient)
    second_moment = second.assign(beta_2 * second + (1.0 - beta_2) * tf.square(gradient))
    root = tf.sqrt(second_moment) / numbers["correction_2"]
    update = first_moment / numbers["correction_1"] / (root + epsilon)
    if decay:
        update += decay * variable
    ratio = tf.constant(1.0)
    if adapts:
        of_weight, of_update = tf.norm(variable), tf.norm(update)
        ratio = tf.where((of_weight > 0.0) & (of_update > 0.0), of_weight / of_update, 1.0)
    variable.assign_sub(numbers["rate"] * factor * ratio * update, read_value=False)
