"""A training by two workers, started, killed and started again by `bert_tf.launch`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.training.conftest import assert_same_weights, weights
from tests.training.tiny_run import make_backbone, make_data

SETTINGS = (
    "training.batch_examples=8",
    "training.epochs=20",
    "training.checkpoint_every_steps=5",
    "training.evaluate_every_steps=60",
    "training.keep=last",
    "data.batching=packed",
    "data.pack_length=24",
    "evaluation.report=false",
)


def command(folder: Path, name: str, *settings: str) -> list[str]:
    return [sys.executable, "-m", "bert_tf.train", "--task=sst2", f"--data={folder / 'data'}",
            f"--backbone={folder / 'backbone'}", f"--run={folder / name}", "--set", *SETTINGS, *settings]  # fmt: skip


def launched(folder: Path, name: str, *flags: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.Popen(
        [sys.executable, "-m", "bert_tf.launch", "--workers=2", *flags, "--", *command(folder, name)],
        cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("launched")
    make_data(folder / "data")
    make_backbone(folder / "backbone")
    return folder


def kill_second_worker(run: Path, *, seconds: float = 300.0) -> None:
    """Once a new checkpoint is there."""
    began = time.time()
    while not any(path.stat().st_mtime > began for path in run.glob("checkpoints/*")):
        assert time.time() < began + seconds
        time.sleep(0.05)
    for process in Path("/proc").glob("[0-9]*"):
        try:
            variables = (process / "environ").read_bytes().split(b"\0")
            line = (process / "cmdline").read_bytes()
        except OSError:
            continue
        config = next((each for each in variables if each.startswith(b"TF_CONFIG=")), b"")
        if f"--run={run}".encode() in line and b'"index": 1' in config:
            os.kill(int(process.name), signal.SIGKILL)
            return
    raise AssertionError("no second worker")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/environ").is_file(), reason="finds the worker's process as Linux has it")
def test_a_run_whose_worker_is_killed_ends_with_the_weights_of_one_that_was_let_be(folder: Path):
    through = launched(folder, "through")
    output, errors = through.communicate(timeout=600)
    assert through.returncode == 0, errors[-3000:]
    result = json.loads(output.splitlines()[-1])
    assert (result["strategy"], result["replicas"], result["gradient_sum"]) == ("multi_worker", 2, "shared_memory")

    killed = launched(folder, "killed")
    kill_second_worker(folder / "killed")
    _, errors = killed.communicate(timeout=600)
    assert killed.returncode == 128 + signal.SIGKILL
    assert "worker 1 was ended by SIGKILL" in errors
    (said,) = [line for line in errors.splitlines() if line.startswith("[0] python -m bert_tf.train: error: ")]
    assert "worker 1 (127.0.0.1:" in said
    assert "has ended. Start all workers again: the run resumes from its checkpoint" in said
    assert "Traceback" not in errors

    again = launched(folder, "killed", "--restarts=1")
    kill_second_worker(folder / "killed")
    _, errors = again.communicate(timeout=600)
    assert again.returncode == 0, errors[-3000:]
    assert "starting all 2 workers again" in errors
    assert_same_weights(weights(folder, "killed"), weights(folder, "through"))


@pytest.mark.slow
def test_one_that_was_started_differently_stops_all(folder: Path):
    ours = command(folder, "differing", "training.strategy=multi_worker")
    code = f"""
import json, os, sys
own = ["training.learning_rate=0.5"] if json.loads(os.environ["TF_CONFIG"])["task"]["index"] else []
os.execv(sys.executable, {ours!r} + own)"""
    done = subprocess.run(
        [sys.executable, "-m", "bert_tf.launch", "--workers=2", "--restarts=3", "--", sys.executable, "-c", code],
        cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 2
    said = [line for line in done.stderr.splitlines() if "error: workers differ in training.learning_rate: " in line]
    assert {line[:4] for line in said} >= {"[0] ", "[1] "}
    assert all("0.5 on worker 1 (127.0.0.1:" in line for line in said)
    assert not (folder / "differing" / "checkpoints").exists()


@pytest.mark.slow
def test_no_worker_ends_well_before_the_result_is_there(folder: Path):
    """A first worker that were started again alone would wait for one that has ended, for ever."""
    ours = command(folder, "late")[3:]
    code = f"""
import os, signal, sys
from bert_tf import train
from bert_tf.command_line import run_command
from bert_tf.training import loop
loop.write_result = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # which only the first one calls
sys.argv = ["train", *{ours!r}]
run_command("train", train.main)"""
    done = subprocess.run(
        [sys.executable, "-m", "bert_tf.launch", "--workers=2", "--", sys.executable, "-c", code],
        cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 128 + signal.SIGKILL, done.stderr[-3000:]
    assert any(line.startswith("[1] train: error: worker 0 (127.0.0.1:") for line in done.stderr.splitlines())
    assert not (folder / "late" / "result.json").exists()
    again = launched(folder, "late")
    output, errors = again.communicate(timeout=600)
    assert again.returncode == 0, errors[-3000:]
    assert json.loads(output.splitlines()[-1])["replicas"] == 2
