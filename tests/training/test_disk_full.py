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

    setup = SimpleNamespace(
        placement=SimpleNamespace(peers=None),
        state=SimpleNamespace(next_batch=0),
        optimizer=SimpleNamespace(variables_to_train=[]),
    )
    monkeypatch.setattr(loop, "set_up", lambda *_, **__: setup)
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
def test_so_it_is_of_a_run_which_resumes_with_more_room(tiny: Path, tmp_path: Path):
    """With a limit on the size of files, as `ulimit -f` sets it, that a checkpoint exceeds."""
    flags = ["--task=sst2", f"--data={tiny / 'data'}", f"--backbone={tiny / 'backbone'}", f"--run={tmp_path / 'run'}"]
    folder = CheckpointFolder(tmp_path / "run" / "checkpoints")

    def ran(steps: int, *, kilobytes: int | None = None) -> tuple[int, str]:
        most = resource.RLIM_INFINITY if kilobytes is None else kilobytes * 1024
        done = subprocess.run(
            [sys.executable, "-m", "bert_tf", "train", *flags, "--set", f"training.max_steps={steps}"],
            cwd=REPOSITORY, capture_output=True, text=True, check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY)),
        )  # fmt: skip
        return done.returncode, done.stderr

    assert ran(4)[0] == 0
    there = folder.steps()
    assert there[-1] == 4
    status, said = ran(8, kilobytes=16)
    assert status == 2, said[-3000:]
    why = "the file would be larger than is allowed here (ulimit -f)"
    last = said.splitlines()[-1]
    assert last == f"python -m bert_tf train: error: {tmp_path / 'run'} cannot be written: {why}. {loop.SPARED}"
    assert "Traceback" not in said
    assert folder.steps() == there
    folder.whole(4)
    assert not [path for path in tmp_path.rglob("*") if "writing" in path.name or path.name == ".lock"]
    status, said = ran(8)
    assert status == 0, said[-3000:]
    assert "resuming from step 4 of 8" in said
    assert folder.steps()[-1] == 8
