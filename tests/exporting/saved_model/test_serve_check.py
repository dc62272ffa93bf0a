"""The scripts that show a SavedModel being served."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import serve_check

REPOSITORY = Path(__file__).resolve().parents[3]


def test_answers_that_differ_are_told_from_those_that_do_not():
    mine = [{"label": "a", "score": 0.5, "probabilities": {"a": 0.5, "b": 0.5}}]
    same = [{"label": "a", "score": 0.500001, "probabilities": [0.5, 0.5], "is_rejected": False}]
    assert serve_check.compare(mine, same) == pytest.approx(1e-6, rel=1e-3)
    assert serve_check.compare(mine, [{**same[0], "label": "b"}]) is None
    assert serve_check.compare(mine, [{**same[0], "probabilities": [0.5, 0.4]}]) is None
    assert serve_check.compare(mine, [{"other": 1.0}]) is None
    assert serve_check.compare([{"vector": [0.5, 1.0]}], [[0.5, 1.0]]) == 0.0


def test_what_is_not_there_is_said(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert serve_check.check("tensorflow_model_server", serve_check.model_server, tmp_path, [])
    assert serve_check.check("docker compose", serve_check.docker, tmp_path, [])
    assert capsys.readouterr().out.splitlines() == [
        "tensorflow_model_server: SKIPPED, tensorflow_model_server is not on PATH",
        "docker compose: SKIPPED, docker is not on PATH",
    ]


@pytest.mark.slow
def test_serve_check():
    command = [sys.executable, "-m", "benchmarks.serve_check"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    lines = done.stdout.splitlines()
    assert len(lines) >= 4
    assert "stand-in on TensorFlow's C API, REST: 4 answers as predict gives them" in done.stdout
    assert "stand-in on TensorFlow's C API, gRPC: " in done.stdout


@pytest.mark.slow
def test_hostile_requests(served):
    command = [sys.executable, "-m", "benchmarks.hostile", str(served)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert found["hostile"]["answers"] + found["hostile"]["errors"] == found["hostile"]["requests"] == 2000
    assert all(message.split(":")[0] in {"a scalar", "rank 2", "rank 3", "no texts", "numbers", "nothing"}
               for message in found["hostile"]["error_messages"])  # fmt: skip
    assert found["memory"]["requests"] == 20_000
