"""Files that are whole or not there, what is noted of them, and what is said of a disk that takes no more."""

from __future__ import annotations

import errno
import os
import resource
import signal
import stat
import subprocess
import sys

import pytest

from bert_tf.disk.whole import checksums, damage, reason, sync_tree, write_whole, writing
from bert_tf.errors import UserError
from tests.conftest import REPOSITORY


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    """A machine that loses its power keeps the old content or the new: names are written after content."""
    done = []
    fsync, replace = os.fsync, type(tmp_path).replace

    def noted(number):
        done.append("folder" if stat.S_ISDIR(os.fstat(number).st_mode) else "file")
        fsync(number)

    monkeypatch.setattr(os, "fsync", noted)
    monkeypatch.setattr(type(tmp_path), "replace", lambda path, to: (done.append("name"), replace(path, to)))
    write_whole(tmp_path / "a.json", "new é")
    assert done == ["file", "name", "folder"]
    assert (tmp_path / "a.json").read_bytes() == "new é".encode()


@pytest.mark.parametrize("fails", ["fsync", "write"])
def test_what_cannot_be_written_leaves_the_old_content(tmp_path, monkeypatch, fails):
    (tmp_path / "a.json").write_text("old")

    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if fails == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(type(tmp_path), "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(tmp_path / "a.json", "new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.json", "old")]


def test_damage_of_every_kind_is_seen(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "a.bin").write_bytes(bytes(range(256)))
    (tmp_path / "in" / "b.txt").write_text("b")
    (tmp_path / ".hidden").write_text("")
    noted = checksums(tmp_path)
    assert sorted(noted) == ["a.bin", "in/b.txt"]
    assert damage(tmp_path, noted) is None
    (tmp_path / "README.md").write_text("of a user")  # is no damage
    assert damage(tmp_path, noted) is None
    for said, content in (
        ("has 200 bytes, and had 256", bytes(range(200))),
        ("has 0 bytes, and had 256", b""),
        ("has another content", bytes(256)),
        ("has another content", bytes([1, *range(1, 256)])),
    ):
        (tmp_path / "a.bin").write_bytes(content)
        assert said in str(damage(tmp_path, noted))
    (tmp_path / "a.bin").unlink()
    assert damage(tmp_path, noted) == "a.bin is missing"
    (tmp_path / "a.bin").mkdir()
    assert str(damage(tmp_path, noted)).startswith("a.bin ")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "the disk quota is used up"),
        (PermissionError(errno.EACCES, "Permission denied"), "there is no permission"),
        (RuntimeError("I/O error: No space left on device (os error 28)"), "the disk is full"),
        (RuntimeError("ckpt.data: File too large"), "the file would be larger than is allowed here (ulimit -f)"),
    ],
)
def test_what_is_said_of_the_disk(error, said):
    assert reason(error) == said
    with pytest.raises(UserError, match=rf"^runs/a cannot be written: {said.split(' (')[0]}.*\. Free some room$"):
        raised(error)


def raised(error: Exception) -> None:
    with writing("runs/a", "Free some room"):
        raise error


@pytest.mark.parametrize("error", [KeyError("a"), FileNotFoundError(errno.ENOENT, "No such file"), UserError("x")])
def test_other_errors_are_let_through(error):
    with pytest.raises(type(error)) as found:
        raised(error)
    assert found.value is error


def test_a_limit_of_the_system_is_named(tmp_path):
    """As `ulimit -f` sets it, in a process of its own."""
    code = (
        "import sys; from pathlib import Path; from bert_tf.disk.whole import write_whole, writing\n"
        "with writing('a.bin'): write_whole(Path(sys.argv[1], 'a.bin'), b'x' * 5000)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, signal.SIGXFSZ * 1000)),
    )  # fmt: skip
    assert "UserError: a.bin cannot be written: the file would be larger than is allowed here" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_tree_is_put_on_the_disk_names_after_content(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "b.txt").write_text("b")
    done = []
    monkeypatch.setattr(os, "fsync", lambda number: done.append(os.path.realpath(f"/proc/self/fd/{number}")))
    sync_tree(tmp_path)
    assert set(done) == {str(tmp_path), str(tmp_path / "in"), str(tmp_path / "in" / "b.txt")}
    assert done[-1] == str(tmp_path)
