"""CONTRIBUTING's list of files from a command to its loss is what a run goes through."""

from __future__ import annotations

import ast
import re
import sys
import traceback
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import pytest
import tensorflow as tf

from bert_tf import train
from bert_tf.models.losses import classification
from tests.conftest import REPOSITORY

MOST_FILES = 15
OURS = ("bert_tf/", "tasks/")  # a virtual environment may lie in the checkout as well


def listed() -> list[tuple[str, str]]:
    """File and name of each row, in order."""
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition("\n### From a command to its loss\n")[2].partition("\n### ")[0]
    return re.findall(r"^\| (\S+\.py) \| `(\w+)` \|", section, re.MULTILINE)


def test_the_list_is_short_and_each_file_has_what_it_is_opened_for():
    rows = listed()
    assert 10 < len(rows) <= MOST_FILES
    assert len({file for file, _ in rows}) == len(rows)
    for file, name in rows:
        tree = ast.parse((REPOSITORY / file).read_text(encoding="utf-8"))
        defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        defined |= {target.id for node in tree.body if isinstance(node, ast.Assign)
                    for target in node.targets if isinstance(target, ast.Name)}  # fmt: skip
        assert name in defined, (file, name)


class AtTheLossError(Exception):
    """Ends the run where it has come to its loss."""


def test_a_run_goes_through_these_files_in_this_order(tiny_model, reviews, tmp_path, monkeypatch):
    """With functions run eagerly, so that autograph leaves each its file. The first call of a name counts, but of a
    model's `call` the last before the loss, as models are also called when they are built."""
    calls: dict[tuple[str, str], int] = {}
    order: list[str] = []
    stack: list[str] = []

    def note(frame: FrameType, event: str, argument: Any) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(REPOSITORY):
            name = frame.f_code.co_name
            key = path.relative_to(REPOSITORY).as_posix(), "TASK" if name == "<module>" else name
            if name == "call" or key not in calls:
                calls[key] = len(order)
            order.append(name)

    def loss(*tensors: Any, **options: Any) -> NoReturn:
        calls["bert_tf/models/losses/classification.py", "cross_entropy"] = len(order)
        paths = [Path(frame.filename) for frame in traceback.extract_stack()]
        stack.extend(path.relative_to(REPOSITORY).as_posix() for path in paths if path.is_relative_to(REPOSITORY))
        raise AtTheLossError

    monkeypatch.setattr(classification, "cross_entropy", loss)
    flags = ["--task=sst2", f"--data={reviews}", f"--backbone={tiny_model}", f"--run={tmp_path / 'run'}"]
    before = sys.getprofile()
    tf.config.run_functions_eagerly(True)
    sys.setprofile(note)
    try:
        with pytest.raises(AtTheLossError):
            train.main([*flags, "--set", "training.max_steps=1"])
    finally:
        sys.setprofile(before)
        tf.config.run_functions_eagerly(False)
    rows = listed()
    assert [row for row in rows if row not in calls] == []
    assert sorted(rows, key=lambda row: calls[row]) == rows
    ours = {file for file in stack if file.startswith(OURS)}
    assert len(ours) > 5
    assert ours <= {file for file, _ in rows}, "another file stands between the command and the loss"
