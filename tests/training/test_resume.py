"""A run that is killed and started again ends where it would have ended."""

from __future__ import annotations

import json
import re
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
    "parts_at_once": 2,
    "training.deterministic": True,
    "training.checkpoint_every_steps": 4,
    "training.keep": "last",
    "data.pack_length": 16,  # four rows, so that a micro-batch has two
}


@pytest.fixture(scope="module")
def printed(tiny: Path) -> str:
    """What a process printed that took four runs to their end, one after another: "uninterrupted"; "other_seed";
    "killed", which was killed in the middle of an epoch; and "damaged", a copy of that whose newest checkpoint is.
    """
    process = start(tiny, "killed", SETTINGS)
    known = tiny / "killed" / "checkpoints" / "checkpoint"  # TensorFlow's list of them
    deadline = time.monotonic() + 200
    while not (known.exists() and "ckpt-8" in known.read_text()):
        assert process.poll() is None, process.communicate()[0][-3000:]
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (tiny / "killed" / "result.json").exists()

    shutil.copytree(tiny / "killed", tiny / "damaged")
    newest = re.search(r'model_checkpoint_path: "(.*)"', known.read_text())
    assert newest is not None
    (file,) = (tiny / "damaged" / "checkpoints").glob(f"{Path(newest[1]).name}.data-*")
    file.write_bytes(file.read_bytes()[:200])
    other_seed = {**SETTINGS, "seed": 2}
    runs = {"uninterrupted": SETTINGS, "other_seed": other_seed, "killed": SETTINGS, "damaged": SETTINGS}
    return finish(start_several(tiny, runs))


def test_killed_in_the_middle_of_an_epoch(tiny: Path, printed: str):
    assert printed.count("resuming from step") == 2
    assert_same_weights(weights(tiny, "killed"), weights(tiny, "uninterrupted"))
    assert result(tiny, "killed")["metrics"] == result(tiny, "uninterrupted")["metrics"]
    steps = [json.loads(line)["step"] for line in (tiny / "killed" / "metrics.jsonl").read_text().splitlines()]
    evaluated = [
        json.loads(line)["step"] for line in (tiny / "uninterrupted" / "metrics.jsonl").read_text().splitlines()
    ]
    assert steps == evaluated  # no step stands there twice


def test_a_damaged_checkpoint_is_passed_over(tiny: Path, printed: str):
    first, second = (int(step) for step in re.findall(r"resuming from step (\d+)", printed))
    assert second < first  # that of the damaged one, which goes further back
    assert_same_weights(weights(tiny, "damaged"), weights(tiny, "uninterrupted"))


def test_other_seeds_give_other_weights(tiny: Path, printed: str):
    found, wanted = weights(tiny, "other_seed"), weights(tiny, "uninterrupted")
    assert any(np.abs(found[key] - wanted[key]).max() > 1e-3 for key in wanted)
