"""Sums of gradients: of a large table's rows between workers, and of micro-batches. For everything else that a run may
ask for, on every strategy: tests/training/equality."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from bert_tf.launch.workers import free_ports
from tests.training.conftest import EXACT, assert_same_weights, finish, result, start_several, weights
from tests.training.tiny_run import make_backbone

TOLERANCE = 1e-5


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


def test_accumulation_equals_one_pass(tiny: Path, one_device):
    # The same global batches: a layout's rows depend on the divisor, so both are given rows that four divides.
    settings = {**EXACT, "data.batching": "padded", "data.pack_length": 16}
    once = one_device({**settings, "training.accumulation_steps": 1})
    assert_same_weights(one_device({**settings, "training.accumulation_steps": 4}), once, tolerance=TOLERANCE)
