"""A run that is killed and started again ends where it would have ended."""

from __future__ import annotations

import json
import re
import shutil
import signal
import time
from pathlib import Path
from typing import Any

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

MEASURED = ("seconds", "examples_per_second", "tokens_per_second", "padding_share", "model_flops_utilization",
            "peak_memory_bytes")  # fmt: skip


@pytest.fixture(scope="module")
def printed(tiny: Path) -> str:
    """What a process printed that took four runs to their end, one after another: "uninterrupted"; "other_seed";
    "killed", which was killed in the middle of an epoch; and "damaged", a copy of that whose newest checkpoint is.
    """
    process = start(tiny, "killed", SETTINGS)
    known = tiny / "killed" / "checkpoints"
    deadline = time.monotonic() + 200
    while not (known / "ckpt-8").exists():
        assert process.poll() is None, process.communicate()[0][-3000:]
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (tiny / "killed" / "result.json").exists()

    shutil.copytree(tiny / "killed", tiny / "damaged")
    newest = max((tiny / "damaged" / "checkpoints").glob("ckpt-*"), key=lambda folder: int(folder.name.split("-")[1]))
    (file,) = newest.glob("weights.data-*")
    file.write_bytes(file.read_bytes()[:200])
    other_seed = {**SETTINGS, "seed": 2}
    runs = {"uninterrupted": SETTINGS, "other_seed": other_seed, "killed": SETTINGS, "damaged": SETTINGS}
    return finish(start_several(tiny, runs))


def test_killed_in_the_middle_of_an_epoch(tiny: Path, printed: str):
    assert printed.count("resuming from step") == 2
    assert_same_weights(weights(tiny, "killed"), weights(tiny, "uninterrupted"))
    assert result(tiny, "killed")["metrics"] == result(tiny, "uninterrupted")["metrics"]
    assert noted(tiny, "killed") == noted(tiny, "uninterrupted")  # no step stands there twice
    assert not list((tiny / "killed" / "checkpoints").glob(".*"))  # nothing that the killed process was writing


def noted(tiny: Path, name: str) -> list[dict[str, Any]]:
    """What metrics.jsonl says but for rates and memory; losses are means over all updates since the last report."""
    lines = (tiny / name / "metrics.jsonl").read_text().splitlines()
    events = [{key: value for key, value in json.loads(line).items() if key not in MEASURED} for line in lines]
    return sorted(events, key=lambda event: (event["step"], event["event"]))


def test_a_damaged_checkpoint_is_passed_over_and_that_is_said(tiny: Path, printed: str):
    first, second = (int(step) for step in re.findall(r"resuming from step (\d+)", printed))
    assert second < first  # that of the damaged one, which goes further back
    assert_same_weights(weights(tiny, "damaged"), weights(tiny, "uninterrupted"))
    assert noted(tiny, "damaged") == noted(tiny, "uninterrupted")
    said: Any = result(tiny, "damaged")["warnings"]
    (warning,) = [line for line in said if "checkpoint" in line]
    assert re.match(
        rf"a checkpoint is damaged \(\S*ckpt-{first}: weights.data-\S* has 200 bytes, and had \d+\)", warning
    )
    assert warning.endswith(f": the run resumes from that of step {second}")
    assert warning in printed


def test_other_seeds_give_other_weights(tiny: Path, printed: str):
    found, wanted = weights(tiny, "other_seed"), weights(tiny, "uninterrupted")
    assert any(np.abs(found[key] - wanted[key]).max() > 1e-3 for key in wanted)
