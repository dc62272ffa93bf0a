"""The cores that workers of one machine share."""

from __future__ import annotations

import os

import pytest

from bert_tf.training.workers.cluster import Cluster
from bert_tf.training.workers.shares import share_of_machine, take_share


@pytest.mark.parametrize(("index", "wanted"), [(0, (0, 2)), (1, (0, 1)), (2, (1, 2))], ids=["first", "alone", "second"])
def test_workers_at_one_host_share_its_machine(index, wanted):
    cluster = Cluster(jobs={"worker": ("a:1", "b:1", "a:2")}, job="worker", index=index)
    assert share_of_machine(cluster) == wanted


def test_a_chief_is_a_worker():
    assert share_of_machine(Cluster(jobs={"worker": ("a:2", "a:3"), "chief": ("a:1",)}, job="worker", index=0)) == (
        1,
        3,
    )


@pytest.mark.parametrize(
    ("cores", "usable", "number", "workers", "wanted"),
    [
        (8, 8, 0, 2, [0, 1, 2, 3]),
        (8, 8, 1, 3, [2, 3, 4]),
        (2, 2, 1, 2, [1]),
        (8, 8, 0, 1, []),
        (2, 2, 0, 3, []),  # no core for each
        (8, 4, 0, 2, []),  # bound already
    ],
)
def test_a_worker_takes_its_cores(cores, usable, number, workers, wanted, monkeypatch):
    taken: list[list[int]] = []
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(usable)), raising=False)
    monkeypatch.setattr(os, "sched_setaffinity", lambda process, share: taken.append(share), raising=False)
    assert take_share(number, workers) == wanted
    assert taken == ([wanted] if wanted else [])
