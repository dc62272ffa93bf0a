"""docs/family_table.md: each cell is a test, and the page is the table's."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest

import bert_tf.kinds
from bert_tf.errors import UserError
from bert_tf.kinds import Kind
from bert_tf.kinds.definitions import load_task
from bert_tf.kinds.pretraining.replaced_tokens import ReplacedTokens
from bert_tf.weights.members import MEMBERS as FAMILY
from tests.exporting.runs import KINDS, task_of
from tests.family import page
from tests.family.rows import CELLS, COLUMNS, MEMBERS, REASONS, is_there

NEEDS = {"transformers": pytest.mark.real}
EVERY = [
    pytest.param(*cell, id="-".join(cell), marks=NEEDS.get(cell[-1], pytest.mark.slow))
    for cell in CELLS
]  # fmt: skip


@pytest.mark.parametrize(("member", "kind", "column"), EVERY)
def test_a_run_goes_through(member, kind, column, going, request):
    if not is_there(member, kind, column):
        going(member, kind).through("train")
        with pytest.raises(UserError, match=f"--format={column}"):
            going(member, kind).export(column, going(member, kind).folder / column)
    elif column == "transformers":
        there = request.getfixturevalue("there")  # which skips before anything is trained
        going(member, kind).transformers(there)
    else:
        going(member, kind).through(column)


def test_every_member_and_every_kind_is_in_the_table(tmp_path):
    assert set(MEMBERS) == set(FAMILY), "a line in tests/models/members.py puts a member into the table"
    modules = pkgutil.walk_packages(bert_tf.kinds.__path__, "bert_tf.kinds.")
    kinds = {
        value
        for module in modules
        for value in vars(importlib.import_module(module.name)).values()
        if inspect.isclass(value) and issubclass(value, Kind) and not inspect.isabstract(value)
    }
    found = {type(load_task(task_of(kind, tmp_path)[0])) for kind in KINDS}
    # Replaced tokens are a setting of pre-training, with tests of their own.
    assert found == kinds - {ReplacedTokens}


def test_every_reason_is_of_a_cell():
    for reason in REASONS:
        assert any(reason.is_for(*cell) for cell in CELLS)
        assert reason.column in COLUMNS


def test_the_page_is_the_table():
    assert page.PAGE.read_text(encoding="utf-8") == page.render(), "python -m tests.family.page writes it"
