"""Many runs of one task on the same examples, with the model's graph built once: other rates and lengths, same results.

`bert_tf.train` spends some 15 seconds of a run on building graphs, more than a short run's updates take. Here a run's
start is put back instead: weights, moments, order of the examples. `benchmarks.small_data --check` trains one setting
both ways and compares the scores.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import tensorflow as tf

from bert_tf.config import RunConfig
from bert_tf.data import replica_batches
from bert_tf.kinds.base import Kind
from bert_tf.training.optimizers.adamw import layer_multipliers
from bert_tf.training.setup import _plan, set_up


class SharedRuns:
    """Runs that differ in learning rate, warm-up, number of updates, batch size and layer decay alone.

    Args:
        config: of the first run; the task, the backbone, the seed and all else are everyone's.
        kind: the task.
        folder: holds no run.
    """

    def __init__(self, config: RunConfig, kind: Kind, folder: Path) -> None:
        self.config = config
        self.setup = setup = set_up(config, kind, folder, data=str(config.data.source))
        optimizer = setup.optimizer
        self.rate = Rate()
        optimizer.schedule = self.rate  # pyright: ignore[reportAttributeAccessIssue]
        self.factors = {path: tf.Variable(1.0, trainable=False) for path in optimizer.paths}
        optimizer.factors = [self.factors[path] for path in optimizer.paths]  # pyright: ignore[reportAttributeAccessIssue]
        self.begin = [variable.numpy() for variable in optimizer.variables_to_train]
        strategy, step = setup.placement.strategy, setup.step
        self.update = tf.function(lambda batch: strategy.run(step, args=(batch,)), reduce_retracing=True)

    def scores(self, *, learning_rate: float, updates: int, batch_examples: int, warmup_share: float = 0.1,
               layer_decay: float = 1.0) -> dict[str, float]:  # fmt: skip
        """The metrics after so many updates from the beginning."""
        setup, optimizer = self.setup, self.setup.optimizer
        for variable, value in zip(optimizer.variables_to_train, self.begin, strict=True):
            variable.assign(value)
        for slot in (*optimizer.first, *optimizer.second):
            slot.assign(tf.zeros_like(slot))
        optimizer.step.assign(0)
        multipliers = layer_multipliers(optimizer.paths, layer_decay, setup.trained.config.num_blocks)
        for path, factor in self.factors.items():
            factor.assign(multipliers.get(path, 1.0))
        self.rate.set(learning_rate, updates, math.ceil(warmup_share * updates))
        options = self.config.training.model_copy(update={"batch_examples": batch_examples})
        features = setup.trained.features["train"]
        epochs = _plan(
            setup.splits["train"], self.config.data, options, setup.placement, steps=updates, seed=self.config.seed
        )
        source = replica_batches(features, epochs, start=0, replicas=1, replica_range=(0, 1))
        for _ in range(updates):
            (batch,) = (next(source),)
            self.update({name: tf.convert_to_tensor(value) for name, value in batch.items()})
        setup.trained.update_precise()
        return dict(setup.watch().scores)


class Rate:
    """A linear schedule whose numbers are variables, so that a graph need not be built again."""

    def __init__(self) -> None:
        self.peak, self.total, self.warmup = (tf.Variable(1.0, trainable=False) for _ in range(3))

    def set(self, peak: float, total: int, warmup: int) -> None:
        self.peak.assign(peak)
        self.total.assign(float(total))
        self.warmup.assign(float(warmup))

    def __call__(self, step: Any) -> tf.Tensor:
        step = tf.cast(step, tf.float32)
        falling = (self.total - step) / tf.maximum(self.total - self.warmup, 1.0)
        return self.peak * tf.where(step < self.warmup, step / tf.maximum(self.warmup, 1.0), falling)
