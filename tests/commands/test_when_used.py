"""What a command's process reads when it is used, and what it does not look through for garbage."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bert_tf.command_line.when_used import load_within, read_when_used
from tests.conftest import REPOSITORY

PACKAGE = """
import time
time.sleep(0.05)  # long enough for others to come meanwhile
READ = __name__ in __import__("sys").modules
from slow_package import fast
from slow_package.fast import NUMBER
LOADER = __spec__.loader
"""
# What a command's process has of TensorFlow after its start, as JSON.
START = """
import gc, json, sys
from bert_tf.command_line import process

def command(flags):
    process.start_tensorflow()
    import tensorflow as tf
    import bert_tf.text.wordpiece.lookup
    found = {name: name in sys.modules for name in json.loads(sys.argv[1])}
    found["collects"], found["frozen"] = gc.isenabled(), gc.get_freeze_count() > 100_000
    found["lite"], found["v1"] = hasattr(tf.lite, "TFLiteConverter"), hasattr(tf.compat.v1, "Session")
    found["lite, after v1"] = hasattr(tf.lite, "TFLiteConverter")
    import tensorflow_text
    found["text"] = hasattr(tensorflow_text, "BertTokenizer")
    print(json.dumps(found))

process.run_command("start", command)
"""


@pytest.fixture
def package(tmp_path, monkeypatch) -> Iterator[Path]:
    """A package that takes long to read, with a module that does not; on the path."""
    folder = tmp_path / "slow_package"
    folder.mkdir()
    (folder / "__init__.py").write_text(PACKAGE)
    (folder / "fast.py").write_text("NUMBER = 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in ("slow_package", "slow_package.fast"):
        sys.modules.pop(name, None)


def test_a_package_is_read_at_its_first_attribute_and_not_by_its_modules(package):
    with read_when_used({"slow_package", "no_such_package"}):
        import slow_package.fast  # pyright: ignore[reportMissingImports]
    assert "READ" not in vars(slow_package)
    assert slow_package.fast.NUMBER == 3
    assert "READ" not in vars(slow_package)
    assert (slow_package.NUMBER, slow_package.READ) == (3, True)
    assert slow_package.LOADER is slow_package.__loader__
    assert slow_package.LOADER.path == str(package / "__init__.py")
    with pytest.raises(AttributeError, match="'slow_package' has no attribute 'other'"):
        _ = slow_package.other


def test_modules_of_a_name_are_loaded_within_a_context(package, monkeypatch):
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    order: list[str] = []

    @contextlib.contextmanager
    def noted():
        order.append("begins")
        yield
        order.append("ends")

    load_within(("slow_package.",), noted)
    import slow_package.fast  # pyright: ignore[reportMissingImports]

    assert order == ["begins", "ends"] * 2  # it is made, and read; its package is of another name
    assert slow_package.fast.NUMBER == 3
    assert slow_package.fast.__loader__ is slow_package.fast.__spec__.loader
    assert slow_package.fast.__loader__.path == str(package / "fast.py")


def test_a_module_that_cannot_be_read_says_why_each_time(package):
    (package / "__init__.py").write_text("import no_such_module_anywhere\n")
    with read_when_used({"slow_package"}):
        import slow_package  # pyright: ignore[reportMissingImports]
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match="no_such_module_anywhere"):
            _ = slow_package.NUMBER


def test_threads_that_come_at_once_all_find_the_whole_module(package):
    with read_when_used({"slow_package"}):
        import slow_package  # pyright: ignore[reportMissingImports]
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(slow_package.NUMBER)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [3] * 8


def test_a_commands_process_reads_of_tensorflow_what_it_uses_and_the_rest_when_asked():
    unread = ["tensorflow._api.v2.compat.v1", "tensorflow_text.python.ops.mst_ops", "pandas", "matplotlib"]
    read = ["keras", "tensorflow_text.python.ops.fast_wordpiece_tokenizer"]
    done = subprocess.run(
        [sys.executable, "-c", START, json.dumps([*unread, *read])],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == {
        **dict.fromkeys(unread, False),
        **dict.fromkeys([*read, "collects", "frozen", "lite", "v1", "lite, after v1", "text"], True),
    }
    assert "I0000 " not in done.stderr  # what libraries remark while they are loaded, then or later
