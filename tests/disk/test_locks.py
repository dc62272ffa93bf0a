"""Who may write a folder: one living process, named to others, and nobody when it is dead."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bert_tf.disk import locks
from bert_tf.disk.locks import is_locked, lock
from bert_tf.disk.work_folders import remove_leftovers, work_folder
from bert_tf.errors import UserError
from tests.conftest import REPOSITORY

HOLDS = """
import sys, time
from pathlib import Path
from bert_tf.disk.locks import lock
from bert_tf.disk.work_folders import work_folder
with lock(Path(sys.argv[1], "run", ".lock"), "--run=run"), work_folder(Path(sys.argv[1], "model")) as work:
    (work / "weights").write_text("half")
    print("held", flush=True)
    time.sleep(600)
"""


@contextmanager
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(folder)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def names(folder: Path) -> list[str]:
    return sorted(re.sub(r"-[0-9a-f]{8}", "-x", path.name) for path in folder.iterdir())


def test_another_process_is_refused_until_the_first_is_dead(tmp_path):
    with holder(tmp_path) as process:
        assert is_locked(tmp_path / "run" / ".lock")
        said = rf"^--run=run is being written by process {process.pid} on \S+ since 20\d\d-.*\. Wait for it, or end it$"
        with pytest.raises(UserError, match=said):
            held(tmp_path / "run" / ".lock")
        assert remove_leftovers(tmp_path, "model") == []  # of a living process
        assert names(tmp_path) == [".model.writing-x", ".model.writing-x.lock", "run"]
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert (tmp_path / "run" / ".lock").exists()  # its file is there, and says nothing
        assert not is_locked(tmp_path / "run" / ".lock")
        held(tmp_path / "run" / ".lock")
        assert list((tmp_path / "run").iterdir()) == []
        (tmp_path / ".other.writing-x").mkdir()
        (tmp_path / ".model.writing-old").mkdir()  # as earlier versions left them
        assert len(remove_leftovers(tmp_path, "model")) == 2
        assert names(tmp_path) == [".other.writing-x", "run"]
        (tmp_path / "a.writing-b").mkdir()  # is none
        assert remove_leftovers(tmp_path) == [tmp_path / ".other.writing-x"]
        assert names(tmp_path) == ["a.writing-b", "run"]


def held(path: Path) -> None:
    with lock(path, "--run=run"):
        pass


def test_within_a_process_too_and_after_an_error(tmp_path):
    path = tmp_path / "a" / "run" / ".lock"
    with pytest.raises(ZeroDivisionError):
        fails_holding(path)
    assert list(tmp_path.iterdir()) == []  # folders that were made for it are gone
    with lock(path, "--run=run"):
        assert is_locked(path)  # which does not let go of it
        with pytest.raises(UserError, match=r"^--run=run is being written by this process already$"):
            held(path)
        with holder(tmp_path):  # of other folders: no one minds
            pass
        (path.parent / "config.toml").touch()
    assert [file.name for file in path.parent.iterdir()] == ["config.toml"]


def fails_holding(path: Path) -> None:
    with lock(path, "--run=run"):
        raise ZeroDivisionError


def test_a_lock_that_its_holder_takes_away_is_not_taken_for_one(tmp_path, monkeypatch):
    """Between opening a lock's file and locking it, its holder may have ended and deleted it."""
    path, opened = tmp_path / ".lock", []
    really = os.open

    def open_late(name, *arguments):
        number = really(name, *arguments)
        if str(name) == str(path) and not opened:
            path.unlink()
        opened.append(number)
        return number

    monkeypatch.setattr(os, "open", open_late)
    with lock(path, "a"):
        assert path.exists()
        assert len(opened) == 2


def test_a_work_folder_is_gone_unless_it_is_renamed(tmp_path):
    with work_folder(tmp_path / "model") as work:
        (work / "a").touch()
        assert names(tmp_path) == [".model.writing-x", ".model.writing-x.lock"]
        with work_folder(tmp_path / "model") as second:  # the first is not taken for one that was left
            assert work.exists()
            second.rename(tmp_path / "model")
    assert names(tmp_path) == ["model"]


def test_where_the_system_has_no_locks_files_are_written_as_well(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "fcntl", None)
    with lock(tmp_path / ".lock", "a"):
        assert is_locked(tmp_path / ".lock")
    assert not is_locked(tmp_path / ".lock")
    (tmp_path / ".model.writing-x").mkdir()
    (tmp_path / ".model.writing-x.lock").touch()  # perhaps of a living process
    assert remove_leftovers(tmp_path, "model") == []
