"""The cores of a machine, shared between the workers that run on it. Needs no TensorFlow."""

from __future__ import annotations

import os

from bert_tf.machine.cores import share_of
from bert_tf.training.workers.cluster import Cluster


def share_of_machine(cluster: Cluster) -> tuple[int, int]:
    """This worker's number among those that have its host in their address, and how many they are."""
    here = [address for address in cluster.workers if _host(address) == _host(cluster.address)]
    return here.index(cluster.address), len(here)


def take_share(number: int, workers: int) -> list[int]:
    """Binds this process to its share of the machine's cores, where several workers have one machine.

    Left alone where the cores are fewer than the workers, where this process is bound already, as by `taskset`, a
    container or `bert_tf.launch`, and where the system cannot bind. To be called before TensorFlow makes its threads.

    Args:
        number: this worker's, among those on this machine, from 0.
        workers: how many there are.
    Returns: the cores it is bound to now; none where it was left alone.
    """
    cores = os.cpu_count() or 1
    if workers < 2 or cores < workers or not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < cores:
        return []
    share = share_of(range(cores), number, workers)
    os.sched_setaffinity(0, share)
    return share


def _host(address: str) -> str:
    return address.rpartition(":")[0]
