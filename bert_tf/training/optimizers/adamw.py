"""AdamW with decoupled decay, right for repeated tokens and under every tf.distribute strategy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf

from bert_tf.training.optimizers.schedule import Schedule

NOT_DECAYED = re.compile(r"(^|/)(bias|beta|gamma)$")


class AdamW(tf.Module):
    """Adam with bias correction and decoupled weight decay (Loshchilov and Hutter, 2019).

    The gradients that come in are dense: the slices of an embedding are added up by row before their squares are
    taken, which Keras 3's own optimizers leave out. `epsilon` stands beside the corrected root, as in the paper and in
    PyTorch. Biases and norms are not decayed. Create it in the strategy's scope.

    Args:
        variables: path -> variable, the weights to train.
        schedule: learning rate by the number of the update.
        weight_decay: share of a weight that an update takes away, times the learning rate.
        beta_1, beta_2: decay of the first and the second moment, in [0, 1).
        epsilon: added to the root of the second moment.
        multipliers: path -> factor on the learning rate of that weight; 1 where a path is absent.

    Reference: https://arxiv.org/abs/1711.05101
    """

    def __init__(
        self,
        variables: Mapping[str, tf.Variable],
        schedule: Schedule,
        *,
        weight_decay: float = 0.01,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        multipliers: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(name="adamw")
        self.schedule = schedule
        self.schedules: tuple[tuple[int, Schedule], ...] = ((0, schedule),)
        """Those that the run has had, each with the number of its first update; the last one is `schedule`."""
        self.weight_decay = weight_decay
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.paths = tuple(variables)
        self.variables_to_train = [variables[path] for path in self.paths]
        self.factors = [(multipliers or {}).get(path, 1.0) for path in self.paths]
        self.decays = [0.0 if NOT_DECAYED.search(path) else weight_decay for path in self.paths]
        self.step = tf.Variable(
            0, dtype=tf.int64, trainable=False, name="step", aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA
        )
        self.first = [self._slot(variable, "first") for variable in self.variables_to_train]
        self.second = [self._slot(variable, "second") for variable in self.variables_to_train]

    def _slot(self, variable: tf.Variable, name: str) -> tf.Variable:
        return tf.Variable(tf.zeros(variable.shape, tf.float32), trainable=False, name=name)

    def learning_rate(self) -> tf.Tensor:
        """The rate of the coming update, float32."""
        return self.schedule(self.step)

    def apply(self, gradients: list[tf.Tensor], *, scale: tf.Tensor, finite: tf.Tensor) -> None:
        """One update, called in replica context.

        Args:
            gradients: float32 and dense, in the order of `variables`, equal on every replica.
            scale: float32 [], a factor on all of them (of clipping).
            finite: bool []; where false, weights, moments and step stay as they are.
        """
        step = tf.cast(self.step + 1, tf.float32)
        kept = tf.cast(finite, tf.float32)
        correction = tf.sqrt(1.0 - self.beta_2**step)
        numbers = {
            "rate": self.learning_rate() * kept,
            "correction_1": 1.0 - self.beta_1**step,
            "correction_2": correction,
            "beta_1": tf.where(finite, self.beta_1, 1.0),
            "beta_2": tf.where(finite, self.beta_2, 1.0),
            "scale": scale * kept,
        }
        context = tf.distribute.get_replica_context()
        context.merge_call(self._update_all, args=(gradients, numbers, tf.cast(finite, tf.int64)))

    def _update_all(self, strategy: Any, gradients: list[Any], numbers: dict[str, Any], count: Any) -> None:
        for i, variable in enumerate(self.variables_to_train):
            strategy.extended.update(
                variable,
                _update_one,
                args=(self.first[i], self.second[i], gradients[i], numbers),
                kwargs={"factor": self.factors[i], "decay": self.decays[i], "epsilon": self.epsilon},
                group=False,
            )
        strategy.extended.update(self.step, lambda step, count: step.assign_add(count), args=(count,), group=False)

    def decay_of_untouched(self, path: str, steps: int) -> float:
        """The factor that `steps` updates put on a weight that never got a gradient."""
        i = self.paths.index(path)
        ends = [first for first, _ in self.schedules[1:]] + [steps]
        spans = [schedule(tf.range(first, end)) for (first, schedule), end in zip(self.schedules, ends, strict=True)]
        rates = tf.cast(tf.concat(spans, axis=0), tf.float64)
        return float(tf.reduce_prod(1.0 - rates * self.factors[i] * self.decays[i]))


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
) -> None:
    rate = numbers["rate"] * factor
    if decay:
        variable.assign(variable * (1.0 - rate * decay), read_value=False)
    # The kernel adds its epsilon to the root before the bias correction: give it one that is corrected likewise.
    tf.raw_ops.ResourceApplyAdam(
        var=variable.handle,
        m=first.handle,
        v=second.handle,
        beta1_power=1.0 - numbers["correction_1"],
        beta2_power=1.0 - tf.square(numbers["correction_2"]),
        lr=rate,
        beta1=numbers["beta_1"],
        beta2=numbers["beta_2"],
        epsilon=epsilon * numbers["correction_2"],
        # A factor of 0 gives 0 also where the gradient is infinite or not a number.
        grad=tf.math.multiply_no_nan(gradient, numbers["scale"]),
    )


def layer_multipliers(paths: Iterable[str], layer_decay: float, num_blocks: int) -> dict[str, float]:
    """Layer-wise learning-rate decay (ULMFiT's discriminative fine-tuning; Clark et al., 2020, ELECTRA).

    The heads and the pooler have the factor 1, the last block `layer_decay`, each block further down once more, and
    the embeddings `layer_decay ** (num_blocks + 1)`, as what all blocks have for distances. Counted are blocks with
    weights of their own: one that several layers share is one.
    """
    factors = {}
    for path in paths:
        block = re.match(r"block_(\d+)/", path)
        if block:
            factors[path] = layer_decay ** (num_blocks - int(block.group(1)))
        elif path.startswith(("embeddings/", "relative_bias/", "relative_vectors/")):
            factors[path] = layer_decay ** (num_blocks + 1)
    return factors
