"""From a name to a tf.distribute strategy."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from bert_tf.errors import UserError

STRATEGIES = ("auto", "one_device", "mirrored", "multi_worker", "tpu", "parameter_server")


@dataclass(frozen=True, kw_only=True)
class Placement:
    """A strategy, and which part of each global batch this process feeds.

    `replicas` counts those of all workers; this process feeds the parts `first` to `first + local - 1`.
    """

    strategy: Any
    name: str
    replicas: int = 1
    first: int = 0
    local: int = 1
    is_chief: bool = True

    @property
    def takes_any_shape(self) -> bool:
        """Whether batches of a new shape cost little, as they do on CPUs."""
        return not any(tf.config.list_logical_devices(kind) for kind in ("GPU", "TPU"))


def make_placement(name: str = "auto") -> Placement:
    """`auto`: several workers where TF_CONFIG names them, mirrored where there are several GPUs, else one device.

    Raises: UserError if what the strategy needs is not there.
    """
    if name not in STRATEGIES:
        raise UserError(f"training.strategy must be one of {', '.join(STRATEGIES)}. Received: {name}")
    cluster = _cluster()
    if name == "auto":
        name = _choose(cluster)
    if name == "multi_worker":
        return _multi_worker(cluster)
    if name == "parameter_server":
        return _parameter_server(cluster)
    if name == "tpu":
        return _placed(_tpu(), name)
    if name == "mirrored":
        return _placed(_mirrored(), name)
    device = "/gpu:0" if tf.config.list_logical_devices("GPU") else "/cpu:0"
    return _placed(tf.distribute.OneDeviceStrategy(device), name)


def _placed(strategy: Any, name: str) -> Placement:
    count = strategy.num_replicas_in_sync
    return Placement(strategy=strategy, name=name, replicas=count, local=count)


def _cluster() -> dict[str, Any]:
    text = os.environ.get("TF_CONFIG", "")
    if not text:
        return {}
    try:
        return dict(json.loads(text))
    except ValueError as error:
        raise UserError(f"TF_CONFIG must be a JSON object with `cluster` and `task`. Received: {text!r}") from error


def _choose(cluster: dict[str, Any]) -> str:
    jobs = cluster.get("cluster", {})
    if "ps" in jobs:
        return "parameter_server"
    if sum(len(jobs.get(job, ())) for job in ("chief", "worker")) > 1:
        return "multi_worker"
    if tf.config.list_logical_devices("TPU"):
        return "tpu"
    return "mirrored" if len(tf.config.list_logical_devices("GPU")) > 1 else "one_device"


def _mirrored() -> Any:
    gpus = tf.config.list_logical_devices("GPU")
    devices = [device.name for device in gpus or tf.config.list_logical_devices("CPU")]
    return tf.distribute.MirroredStrategy(devices)


def _multi_worker(cluster: dict[str, Any]) -> Placement:
    if "task" not in cluster or "worker" not in cluster.get("cluster", {}):
        raise UserError(
            "training.strategy=multi_worker needs TF_CONFIG with the cluster's workers and this process's task, as "
            '{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}. '
            f"Received: {os.environ.get('TF_CONFIG', 'no TF_CONFIG')}"
        )
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    replicas = strategy.num_replicas_in_sync
    workers = sum(len(cluster["cluster"].get(job, ())) for job in ("chief", "worker"))
    local = replicas // workers
    task = cluster["task"]
    rank = int(task["index"])
    if task["type"] == "worker" and "chief" in cluster["cluster"]:
        rank += len(cluster["cluster"]["chief"])
    return Placement(
        strategy=strategy, name="multi_worker", replicas=replicas, first=rank * local, local=local, is_chief=rank == 0
    )


def _tpu() -> Any:
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu=os.environ.get("TPU_NAME", "local"))
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, RuntimeError, tf.errors.OpError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"training.strategy=tpu: no TPU could be reached ({reason})") from error
    return tf.distribute.TPUStrategy(resolver)


def _parameter_server(cluster: dict[str, Any]) -> Placement:
    if "ps" not in cluster.get("cluster", {}):
        raise UserError(
            "training.strategy=parameter_server needs TF_CONFIG with the jobs chief, worker and ps. "
            f"Received: {os.environ.get('TF_CONFIG', 'no TF_CONFIG')}"
        )
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    # A call to another process holds a thread until it is answered; with fewer of them, as on one core, all would wait.
    threads = max(os.cpu_count() or 1, len(cluster["cluster"].get("worker", ())) + 1)
    if resolver.task_type in ("worker", "ps"):
        # These only serve the coordinator, which is the chief.
        server = tf.distribute.Server(
            resolver.cluster_spec(),
            job_name=resolver.task_type,
            task_index=resolver.task_id,
            protocol="grpc",
            config=tf.compat.v1.ConfigProto(inter_op_parallelism_threads=threads),
        )
        server.join()
    with contextlib.suppress(RuntimeError):  # TensorFlow has started in this process
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    return Placement(strategy=tf.distribute.ParameterServerStrategy(resolver), name="parameter_server")
