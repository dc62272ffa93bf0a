"""Runs training steps under a tf.distribute strategy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from bert_tf.data import BatchPlans, Features, Stream, replica_batches
from bert_tf.training.step import TrainStep
from bert_tf.training.strategy import Placement

Reports = dict[str, np.ndarray]
ReplicaBatch = dict[str, np.ndarray]


def make_engine(
    placement: Placement, step: TrainStep, features: Features | Stream, epochs: BatchPlans, *, start: int
) -> Callable[[int], Reports]:
    """A function that takes a number of updates and gives what they report, each value as an array [updates].

    Batches are made in NumPy between the calls, which takes 0.1 ms for 32 short examples. A `tf.data` iterator over a
    Python generator would make them beside the step, but TensorFlow can hang when it drops one at the end of a process.

    Args:
        start: number of the global batch to begin with.
    """
    local = (placement.first, placement.first + placement.local)
    source = replica_batches(features, epochs, start=start, replicas=placement.replicas, replica_range=local)
    if placement.name == "parameter_server":
        return _asynchronous(placement, step, source)
    return _synchronous(placement, step, source)


def _synchronous(placement: Placement, step: TrainStep, source: Iterator[ReplicaBatch]) -> Callable[[int], Reports]:
    strategy, reported = placement.strategy, step.reported

    @tf.function(reduce_retracing=True)
    def run(batches: Any, count: tf.Tensor) -> tf.Tensor:
        """`batches` holds [count, ...] for each replica."""
        rows = tf.TensorArray(tf.float32, size=count, element_shape=[len(reported)])
        for i in tf.range(count):
            results = strategy.run(step, args=(strategy.run(_take, args=(batches, i)),))
            # The values are sums over all replicas, so each replica has the same.
            values = [strategy.experimental_local_results(results[name])[0] for name in reported]
            rows = rows.write(i, tf.stack(values))
        return rows.stack()  # [count, reported]

    def several(count: int) -> Reports:
        # By replica, then by update.
        parts: list[list[ReplicaBatch]] = [[] for _ in range(placement.local)]
        for _ in range(count):
            for part in parts:
                part.append(next(source))
        groups = [(0, count)] if _same_shapes(parts[0]) else [(i, i + 1) for i in range(count)]
        found = []
        for first, last in groups:
            stacked = [
                {name: np.stack([batch[name] for batch in part[first:last]]) for name in part[0]} for part in parts
            ]
            batches = _distributed(strategy, stacked)
            found.append(run(batches, tf.constant(last - first)).numpy())
        return dict(zip(reported, np.concatenate(found).T, strict=True))

    return several


def _distributed(strategy: Any, batches_of_replicas: list[ReplicaBatch]) -> Any:
    """One batch a replica of this process -> what `strategy.run` gives each replica."""
    tensors = [{name: tf.convert_to_tensor(value) for name, value in batch.items()} for batch in batches_of_replicas]
    if len(tensors) == 1 and strategy.num_replicas_in_sync == 1:
        return tensors[0]
    ids = iter(range(len(tensors)))
    return strategy.experimental_distribute_values_from_function(lambda _: tensors[next(ids)])


def _take(batches: dict[str, tf.Tensor], i: tf.Tensor) -> dict[str, tf.Tensor]:
    return {name: value[i] for name, value in batches.items()}


def _same_shapes(part: list[ReplicaBatch]) -> bool:
    return all(batch["token_ids"].shape == part[0]["token_ids"].shape for batch in part)


def _asynchronous(placement: Placement, step: TrainStep, source: Iterator[ReplicaBatch]) -> Callable[[int], Reports]:
    """Each update is made by one worker, from the weights it finds; the coordinator hands out the batches."""
    strategy = placement.strategy
    coordinator = tf.distribute.coordinator.ClusterCoordinator(strategy)

    @tf.function(reduce_retracing=True)
    def run(batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return strategy.run(step, args=(batch,))

    def several(count: int) -> Reports:
        waiting = []
        for _ in range(count):
            batch = {name: tf.convert_to_tensor(value) for name, value in next(source).items()}
            waiting.append(coordinator.schedule(run, args=(batch,)))
        coordinator.join()
        results = [value.fetch() for value in waiting]
        return {name: np.array([result[name] for result in results]) for name in step.reported}

    return several
