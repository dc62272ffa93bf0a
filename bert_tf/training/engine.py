"""Runs training steps under a tf.distribute strategy."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from bert_tf.data import Epochs, Features, blocks, dataset
from bert_tf.training.step import TrainStep
from bert_tf.training.strategy import Placement

REPORTED = ("loss", "gradient_norm", "learning_rate")

Reports = dict[str, np.ndarray]


@dataclass(frozen=True)
class Engine:
    """Takes updates, and lets go of its data pipeline.

    Args:
        run: takes a number of updates and gives what they report, each value as an array [updates].
        close: ends the pipeline's thread. Call it when training ends, however it ends: TensorFlow hangs where an
            iterator is dropped whose thread waits for Python.
    """

    run: Callable[[int], Reports]
    close: Callable[[], None]


def make_engine(
    placement: Placement, step: TrainStep, features: Features, epochs: Epochs, *, start: int, stop: int | None = None
) -> Engine:
    """An engine for the global batches from number `start` up to `stop`."""
    if placement.name == "parameter_server":
        return _asynchronous(placement, step, features, epochs, start)
    return _synchronous(placement, step, features, epochs, start, stop)


def _synchronous(
    placement: Placement, step: TrainStep, features: Features, epochs: Epochs, start: int, stop: int | None
) -> Engine:
    strategy = placement.strategy
    local = (placement.first, placement.first + placement.local)
    closed = threading.Event()

    def feed(_: Any) -> tf.data.Dataset:
        return dataset(
            features,
            epochs,
            start=start,
            stop=stop,
            replicas=placement.replicas,
            replica_range=local,
            closed=closed,
        )

    batches = iter(strategy.distribute_datasets_from_function(feed))

    @tf.function
    def run(count: tf.Tensor) -> tf.Tensor:
        rows = tf.TensorArray(tf.float32, size=count, element_shape=[len(REPORTED)])
        for i in tf.range(count):
            results = strategy.run(step, args=(next(batches),))
            # The values are sums over all replicas, so each replica has the same.
            values = [strategy.experimental_local_results(results[name])[0] for name in REPORTED]
            rows = rows.write(i, tf.stack(values))
        return rows.stack()  # [count, reported]

    def close() -> None:
        closed.set()
        if placement.name == "multi_worker":
            # Reading on would ask the other workers too; what is under way ends within a batch.
            time.sleep(1.0)
            return
        for _ in batches:
            pass

    return Engine(lambda count: dict(zip(REPORTED, run(tf.constant(count)).numpy().T, strict=True)), close)


def _asynchronous(placement: Placement, step: TrainStep, features: Features, epochs: Epochs, start: int) -> Engine:
    """Each update is made by one worker, from the weights it finds; the coordinator hands out the batches."""
    strategy = placement.strategy
    coordinator = tf.distribute.coordinator.ClusterCoordinator(strategy)
    batches: Iterator[dict[str, np.ndarray]] = blocks(features, epochs, start=start)

    @tf.function(reduce_retracing=True)
    def run(batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return strategy.run(step, args=(batch,))

    def several(count: int) -> Reports:
        waiting = []
        for _ in range(count):
            batch = {name: tf.convert_to_tensor(value) for name, value in next(batches).items()}
            waiting.append(coordinator.schedule(run, args=(batch,)))
        coordinator.join()
        results = [value.fetch() for value in waiting]
        return {name: np.array([result[name] for result in results]) for name in results[0]}

    return Engine(several, lambda: None)
