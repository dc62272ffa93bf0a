"""A run that is killed at random moments, while it writes too, leaves what an undisturbed one leaves, byte for byte."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY


@pytest.mark.slow
def test_one_that_is_killed_three_times(tmp_path: Path):
    command = [sys.executable, "-m", "benchmarks.kill_runs", str(tmp_path), "--runs=1", "--kills=3", "--seed=2"]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (row,) = [json.loads(line) for line in (tmp_path / "kills.jsonl").read_text().splitlines()]
    assert row["kills"]  # or the test shows nothing
    assert (row["status"], row["differs"], row["stray"]) == (0, [], [])
