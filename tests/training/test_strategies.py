"""Every strategy ends with the weights of one device: packed, clipped, accumulated, with a partial last batch."""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.training.conftest import EXACT, assert_same_weights, finish, result, start, start_several, weights
from tests.training.tiny_run import make_backbone

TOLERANCE = 1e-5


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


# Buckets are made before rows are given to replicas, as packed rows are: they are tried more rarely.
@pytest.mark.parametrize("batching", ["packed", pytest.param("bucketed", marks=pytest.mark.slow)])
def test_mirrored_equals_one_device(tiny: Path, one_device, batching):
    # Two replicas of two micro-batches cut a global batch into four; one device with four micro-batches has the same.
    settings: dict[str, object] = {**EXACT, "data.batching": batching}
    if batching == "bucketed":
        del settings["data.pack_length"]
    name = f"mirrored_{batching}"
    asked = {**settings, "training.strategy": "mirrored", "training.accumulation_steps": 2}
    finish(start(tiny, name, asked, devices=2))
    assert result(tiny, name)["replicas"] == 2
    wanted = one_device({**settings, "training.accumulation_steps": 4})
    assert_same_weights(weights(tiny, name), wanted, tolerance=TOLERANCE)


def test_two_workers_equal_one_device(tiny: Path, one_device):
    ports = free_ports(2)
    workers = [f"127.0.0.1:{port}" for port in ports]
    settings = {
        **EXACT,
        "data.batching": "packed",
        "training.strategy": "multi_worker",
        "training.accumulation_steps": 2,
    }
    processes = [
        start(
            tiny,
            "multi_worker",
            settings,
            cluster={"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}},
        )
        for index in range(2)
    ]
    for process in processes:
        finish(process)
    assert result(tiny, "multi_worker")["replicas"] == 2
    assert result(tiny, "multi_worker")["gradient_sum"] == "shared_memory"
    assert_same_weights(
        weights(tiny, "multi_worker"),
        one_device({**EXACT, "data.batching": "packed", "training.accumulation_steps": 4}),
        tolerance=TOLERANCE,
    )


@pytest.mark.slow
def test_two_workers_sum_up_rows_of_a_large_table_in_every_way(tiny: Path, one_device):
    """A table of 4,209 rows, whole since LAMB looks at all of it, and so summed up as rows."""
    make_backbone(tiny / "many_tokens", unused=4190)
    settings: dict[str, object] = {
        **EXACT,
        "backbone": str(tiny / "many_tokens"),
        "data.batching": "packed",
        "training.optimizer": "lamb",
        "training.strategy": "multi_worker",
    }
    runs = {
        "shared": settings,
        "sent": {**settings, "training.gradient_sum": "float32"},
        "rounded": {**settings, "training.gradient_sum": "bfloat16"},
    }
    workers = [f"127.0.0.1:{port}" for port in free_ports(2)]
    processes = [
        start_several(tiny, runs, cluster={"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}})
        for index in range(2)
    ]
    for process in processes:
        finish(process)
    exact = one_device({**settings, "training.strategy": "one_device", "training.accumulation_steps": 2})
    for name, summed in (("shared", "shared_memory"), ("sent", "float32")):
        assert result(tiny, name)["gradient_sum"] == summed
        assert_same_weights(weights(tiny, name), exact, tolerance=TOLERANCE)
    assert result(tiny, "rounded")["gradient_sum"] == "bfloat16"
    rounded = weights(tiny, "rounded")
    before = load_file(tiny / "many_tokens" / "model.safetensors")
    names = [name for name in exact if name in before and not name.endswith("attention.self.key.bias")]
    moved = np.sqrt(sum(np.square(exact[name] - before[name]).sum() for name in names))
    apart = np.sqrt(sum(np.square(exact[name] - rounded[name]).sum() for name in names))
    assert 0 < apart < 0.02 * moved


@pytest.mark.slow
def test_a_parameter_server_trains(tiny: Path):
    jobs = {"chief": 1, "worker": 1, "ps": 1}
    ports = iter(free_ports(3))
    cluster = {job: [f"127.0.0.1:{next(ports)}" for _ in range(count)] for job, count in jobs.items()}
    settings = {**EXACT, "training.strategy": "parameter_server"}
    members = {
        job: start(tiny, "served", settings, cluster={"cluster": cluster, "task": {"type": job, "index": 0}})
        for job in ("ps", "worker", "chief")
    }
    try:
        finish(members["chief"])
    finally:
        for job in ("ps", "worker"):
            members[job].kill()
            members[job].communicate()
    assert result(tiny, "served")["strategy"] == "parameter_server"
    before = weights(tiny, "served")
    assert all(np.isfinite(array).all() for array in before.values())


def test_accumulation_equals_one_pass(tiny: Path, one_device):
    # The same global batches: a layout's rows depend on the divisor, so both are given rows that four divides.
    settings = {**EXACT, "data.batching": "padded", "data.pack_length": 16}
    once = one_device({**settings, "training.accumulation_steps": 1})
    assert_same_weights(one_device({**settings, "training.accumulation_steps": 4}), once, tolerance=TOLERANCE)
