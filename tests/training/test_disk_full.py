"""A disk that takes no more: one line, and the checkpoints that are there stay whole."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bert_tf.command_line import run_command
from bert_tf.errors import UserError
from bert_tf.training import loop
from bert_tf.training.checkpoints.folder import CheckpointFolder
from tests.conftest import REPOSITORY


@pytest.mark.parametrize("fails", ["restore", "_run"])
def test_it_is_said_in_one_line(tmp_path, monkeypatch, fails):
    def full(*arguments: Any, **more: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(loop, "set_up", lambda *_, **__: SimpleNamespace())
    monkeypatch.setattr(loop, "restore", lambda *_: False)
    monkeypatch.setattr(loop, fails, full)
    config: Any = None
    with pytest.raises(UserError) as error:
        loop.train(config, config, tmp_path / "run", data="")
    assert str(error.value) == f"{tmp_path / 'run'} cannot be written: the disk is full. {loop.SPARED}"


def test_a_full_standard_output_is_one_line(monkeypatch, capsys):
    def command(argv):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("bert_tf.command_line.process.write_no_more", lambda: None)
    with pytest.raises(SystemExit) as ended:
        run_command("bert_tf train", command)
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "bert_tf train: error: standard output or a file cannot be written or read: the disk is full\n"
    )


PRINTS = """
import sys
from bert_tf.command_line import run_command
run_command("bert_tf", lambda argv: print("x" * 100_000))
"""


def test_standard_streams_may_be_full_or_closed():
    def ran(redirected: str) -> tuple[int, str]:
        command = f"'{sys.executable}' -c '{PRINTS}' {redirected}"
        done = subprocess.run(["sh", "-c", command], cwd=REPOSITORY, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    said = "bert_tf: error: standard output or a file cannot be written or read: the disk is full\n"
    assert ran(">/dev/full") == (2, said)
    assert ran(">&-") == (0, "")
    assert ran("2>&- >&- <&-") == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("kilobytes", [4, 16, 40])
def test_so_it_is_of_a_run_and_it_resumes_with_more_room(tiny: Path, tmp_path: Path, kilobytes: int):
    """A limit on the size of files, as `ulimit -f` sets it: of the first ones, of a checkpoint's, of events'."""
    flags = ["--task=sst2", f"--data={tiny / 'data'}", f"--backbone={tiny / 'backbone'}", f"--run={tmp_path / 'run'}"]
    command = [sys.executable, "-m", "bert_tf", "train", *flags, "--set", "training.max_steps=400",
               "training.checkpoint_every_steps=2"]  # fmt: skip

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, resource.RLIM_INFINITY))

    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, preexec_fn=limit)
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 2, done.stderr[-3000:]
    assert "Traceback" not in done.stderr
    assert last.startswith("python -m bert_tf train: error: ")
    assert "cannot be written" in last
    folder = CheckpointFolder(tmp_path / "run" / "checkpoints")
    for step in folder.steps():
        folder.whole(step)
    assert not [path for path in tmp_path.rglob("*") if "writing" in path.name]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert (f"resuming from step {max(folder.steps(), default=0)} " in done.stderr) or not folder.steps()
