"""From a name to a tf.distribute strategy."""

from __future__ import annotations

import contextlib
import importlib
import itertools
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from bert_tf.errors import UserError
from bert_tf.training.workers.cluster import EXAMPLE, Cluster, read_cluster
from bert_tf.training.workers.joining import join, joined
from bert_tf.training.workers.peers import Peers
from bert_tf.training.workers.reduction import Reduction, SharedReduction
from bert_tf.training.workers.shares import share_of_machine, take_share

STRATEGIES = ("auto", "one_device", "mirrored", "multi_worker", "tpu", "parameter_server")
LOG = logging.getLogger(__name__)
_first_keys = itertools.count(step=1000)


@dataclass(frozen=True, kw_only=True)
class Placement:
    """A strategy, and which part of each global batch this process feeds.

    `replicas` counts those of all workers; this process feeds the parts `first` to `first + local - 1`. `peers`: the
    workers, where there are several.
    """

    strategy: Any
    name: str
    replicas: int = 1
    first: int = 0
    local: int = 1
    is_chief: bool = True
    peers: Peers | None = None

    @property
    def takes_any_shape(self) -> bool:
        """Whether batches of a new shape cost little, as they do on CPUs."""
        return not any(tf.config.list_logical_devices(kind) for kind in ("GPU", "TPU"))

    def meet(self) -> None:
        """Returns when every worker has called it. Raises: RunAgain if one is gone."""
        if self.peers is not None:
            self.peers.meet()

    def reduction(self, asked: str = "auto") -> Reduction:
        """How gradients are summed up over the replicas. `asked`: as training.gradient_sum."""
        keeps_rows = self.name == "multi_worker" and self.takes_any_shape
        if asked != "auto":
            return Reduction(asked, keeps_rows=keeps_rows)
        if self.peers is None or self.local > 1 or not self.takes_any_shape:
            return Reduction(keeps_rows=keeps_rows)
        return SharedReduction(self.peers, keeps_rows=keeps_rows)


def join_workers(strategy: str, *, seconds: float) -> tuple[Cluster | None, Peers | None]:
    """What TF_CONFIG says, and the workers that it names, once all are there; this one on its share of the machine.

    To be called before TensorFlow makes its threads.

    Args:
        strategy: as training.strategy.
        seconds: how long to wait for another worker.
    Raises: UserError for a strategy that is none, and for a TF_CONFIG that does not do for it; RunAgain naming a worker
        that did not come.
    """
    if strategy not in STRATEGIES:
        raise UserError(f"training.strategy must be one of {', '.join(STRATEGIES)}. Received: {strategy}")
    text = os.environ.get("TF_CONFIG", "")
    cluster = read_cluster(text) if strategy in ("auto", "multi_worker", "parameter_server") else None
    if strategy == "multi_worker" and cluster is None:
        raise UserError(
            "training.strategy=multi_worker needs TF_CONFIG with the cluster's workers and this process's task, as "
            f"{EXAMPLE}. Received: no TF_CONFIG"
        )
    if strategy == "parameter_server" and (cluster is None or not cluster.has_servers):
        raise UserError(
            "training.strategy=parameter_server needs TF_CONFIG with the jobs chief, worker and ps. "
            f"Received: {text or 'no TF_CONFIG'}"
        )
    is_alone = strategy != "multi_worker" and cluster is not None and (cluster.has_servers or len(cluster.workers) < 2)
    if cluster is None or is_alone or strategy == "parameter_server":
        return cluster, None
    share = take_share(*share_of_machine(cluster))
    if share:
        LOG.info("workers share this machine: this one is bound to the cores %d to %d", share[0], share[-1])
    return cluster, join(cluster.workers, cluster.rank, seconds=seconds, tell=LOG.warning)


@contextlib.contextmanager
def lost_worker_named() -> Iterator[None]:
    """Raises: RunAgain in place of what else is raised because another worker is gone: by TensorFlow, which finds that
    out in its own way, or by the tracing of a step, which has errors of its own kind."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        peers = joined()
        lost = peers and (peers.is_lost() if isinstance(error, tf.errors.OpError) else peers.failure)
        if lost is None:
            raise
        raise lost from None


def make_placement(name: str, cluster: Cluster | None = None, peers: Peers | None = None) -> Placement:
    """`auto`: several workers where TF_CONFIG names them, mirrored where there are several GPUs, else one device.

    Args:
        name: of a strategy.
        cluster, peers: of `join_workers`.
    Raises: UserError if what the strategy needs is not there.
    """
    name = _choose(name, cluster)
    if name == "multi_worker" and cluster is not None:
        return _multi_worker(cluster, peers)
    if name == "parameter_server" and cluster is not None:
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


def _choose(name: str, cluster: Cluster | None) -> str:
    if name != "auto":
        return name
    if cluster is not None and (cluster.has_servers or len(cluster.workers) > 1):
        return "parameter_server" if cluster.has_servers else "multi_worker"
    if tf.config.list_logical_devices("TPU"):
        return "tpu"
    return "mirrored" if len(tf.config.list_logical_devices("GPU")) > 1 else "one_device"


def _mirrored() -> Any:
    gpus = tf.config.list_logical_devices("GPU")
    devices = [device.name for device in gpus or tf.config.list_logical_devices("CPU")]
    # TensorFlow numbers the sums between devices from the start in each strategy, and takes one for that of an earlier
    # strategy of the process, of other shapes. It has no public name for where they start; unknown, this does nothing.
    tf.distribute.MirroredStrategy._collective_key_base = next(_first_keys)
    return tf.distribute.MirroredStrategy(devices)


def _multi_worker(cluster: Cluster, peers: Peers | None) -> Placement:
    if peers is not None:
        _lengthen_heartbeat(cluster, peers.seconds)
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    replicas = strategy.num_replicas_in_sync
    local = replicas // len(cluster.workers)
    return Placement(
        strategy=strategy,
        name="multi_worker",
        replicas=replicas,
        first=cluster.rank * local,
        local=local,
        is_chief=cluster.rank == 0,
        peers=peers,
    )


def _lengthen_heartbeat(cluster: Cluster, seconds: float) -> None:
    """Has TensorFlow wait as long as we do for a worker that is suspended, or has no processor for a while; that one
    has ended is known at once, by its connection.

    It gives up after ten seconds by itself, and has no public name for it; without what is used here, that stays so.
    """
    with contextlib.suppress(ImportError, AttributeError, TypeError):
        theirs = importlib.import_module("tensorflow.python.distribute.collective_all_reduce_strategy")
        context: Any = importlib.import_module("tensorflow.python.eager.context").context()
        job: Any = theirs.coordination_config_pb2.CoordinatedJob
        leader = "chief" if cluster.jobs.get("chief") else "worker"
        context.configure_coordination_service(
            service_type="standalone",
            service_leader=f"/job:{leader}/replica:0/task:0",
            coordinated_jobs=[
                job(name=name, num_tasks=len(addresses)) for name, addresses in cluster.jobs.items() if name != "ps"
            ],
            heartbeat_timeout_in_ms=int(1000 * seconds),
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


def _parameter_server(cluster: Cluster) -> Placement:
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    # A call to another process holds a thread until it is answered; with fewer of them, as on one core, all would wait.
    threads = max(os.cpu_count() or 1, len(cluster.jobs.get("worker", ())) + 1)
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
