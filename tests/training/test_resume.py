"""A run that is killed and started again ends where it would have ended."""

from __future__ import annotations

import json
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from tests.training.conftest import assert_same_weights, finish, result, start, start_several, weights

SETTINGS = {
    "training.epochs": 8,
    "training.batch_examples": 8,
    "training.learning_rate": 0.01,
    "training.accumulation_steps": 2,
    "training.deterministic": True,
    "training.checkpoint_every_steps": 4,
    "training.keep": "last",
    "data.pack_length": 24,
}


@pytest.fixture(scope="module")
def uninterrupted(tiny: Path) -> str:
    finish(start_several(tiny, {"uninterrupted": SETTINGS, "other_seed": {**SETTINGS, "seed": 2}}))
    return "uninterrupted"


@pytest.fixture(scope="module")
def resumed(tiny: Path, uninterrupted: str) -> str:
    """What is printed where two runs are started again, in one process: one that was killed in the middle of an epoch,
    and one whose newest checkpoint is damaged."""
    process = start(tiny, "killed", SETTINGS)
    checkpoint = tiny / "killed" / "checkpoints" / "ckpt-8.index"
    deadline = time.monotonic() + 200
    while not checkpoint.exists():
        assert process.poll() is None, process.communicate()[0][-3000:]
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (tiny / "killed" / "result.json").exists()

    shutil.copytree(tiny / uninterrupted, tiny / "damaged")
    (tiny / "damaged" / "result.json").unlink()
    newest = max((tiny / "damaged" / "checkpoints").glob("*.data-*"), key=lambda path: path.stat().st_mtime)
    newest.write_bytes(newest.read_bytes()[:200])
    return finish(start_several(tiny, {"killed": SETTINGS, "damaged": SETTINGS}))


def test_killed_in_the_middle_of_an_epoch(tiny: Path, uninterrupted: str, resumed: str):
    assert resumed.count("resuming from step") == 2
    assert_same_weights(weights(tiny, "killed"), weights(tiny, uninterrupted))
    assert result(tiny, "killed")["metrics"] == result(tiny, uninterrupted)["metrics"]
    steps = [json.loads(line)["step"] for line in (tiny / "killed" / "metrics.jsonl").read_text().splitlines()]
    evaluated = [json.loads(line)["step"] for line in (tiny / uninterrupted / "metrics.jsonl").read_text().splitlines()]
    assert steps == evaluated  # no step stands there twice


def test_a_damaged_checkpoint_is_passed_over(tiny: Path, uninterrupted: str, resumed: str):
    assert "resuming from step" in resumed
    assert_same_weights(weights(tiny, "damaged"), weights(tiny, uninterrupted))


def test_other_seeds_give_other_weights(tiny: Path, uninterrupted: str):
    found, wanted = weights(tiny, "other_seed"), weights(tiny, uninterrupted)
    assert any(np.abs(found[key] - wanted[key]).max() > 1e-3 for key in wanted)
