"""A file that somebody names for what is written: what is replaced, what is written to, and what is refused."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading

import pytest

from bert_tf.disk.named_files import is_replaced, named_file, place_of
from bert_tf.errors import UserError


def write(name, text="new\n"):
    with named_file(name, "--output") as file:
        file.write(text)


def test_a_regular_file_is_replaced_when_all_is_written(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("old")
    path.chmod(0o640)
    with named_file(path, "--output") as file:
        file.write("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    with pytest.raises(ZeroDivisionError), named_file(path, "--output") as file:
        file.write(f"half{1 / 0}")
    assert path.read_text() == "new"
    assert [found.name for found in tmp_path.iterdir()] == ["a.csv"]


def test_folders_are_made_and_taken_away_after_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError), named_file(tmp_path / "x" / "y" / "a", "--output") as file:
        file.write(f"half{1 / 0}")
    assert not (tmp_path / "x").exists()
    write(tmp_path / "x" / "y" / "a")
    assert (tmp_path / "x" / "y" / "a").read_text() == "new\n"


def test_what_a_link_leads_to_is_replaced_and_the_link_stays(tmp_path):
    (tmp_path / "there").mkdir()
    target = tmp_path / "there" / "a.csv"
    target.write_text("old")
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to(target)
    write(tmp_path / "one")
    assert (tmp_path / "one").is_symlink()
    assert target.read_text() == "new\n"
    (tmp_path / "new").symlink_to(tmp_path / "there" / "b.csv")  # of a file that is not there yet
    write(tmp_path / "new")
    assert (tmp_path / "there" / "b.csv").read_text() == "new\n"
    (tmp_path / "round").symlink_to("round")
    with pytest.raises(UserError, match=r"--output=.*round: expected a file that can be written\. Received: "):
        write(tmp_path / "round")


def test_a_pipe_is_written_to(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found: list[str] = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_text()))
    reader.start()
    write(pipe)
    reader.join()
    assert found == ["new\n"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("name", ["/dev/null", "link"])
def test_a_device_is_written_to(tmp_path, name):
    (tmp_path / "link").symlink_to("/dev/null")
    place = tmp_path / name
    write(place)
    assert stat.S_ISCHR(place.stat().st_mode)
    assert not is_replaced(place_of(place, "--output"))


def test_a_descriptor_is_written_to(tmp_path):
    """Even where it is open on a regular file, which a shell has opened: its content stays, and its place."""
    code = "from bert_tf.disk.named_files import *\nwith named_file('/dev/stdout', '--output') as f: f.write('new')"
    path = tmp_path / "out"
    path.write_text("old ")
    with path.open("a") as out:
        subprocess.run([sys.executable, "-c", code], stdout=out, check=True)
    assert path.read_text() == "old new"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout == b"new"


def test_a_folder_is_refused(tmp_path):
    for name in (tmp_path, f"{tmp_path}/"):
        with pytest.raises(UserError, match=r"--output=.*: expected a file\. Received: a folder"):
            place_of(name, "--output")


def test_a_full_disk_is_one_line():
    with pytest.raises(UserError, match="--output=/dev/full cannot be written: the disk is full"):
        write("/dev/full")
