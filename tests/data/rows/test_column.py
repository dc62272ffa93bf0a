"""Columns that leave memory hold what lists hold."""

from __future__ import annotations

import errno
import logging
import tempfile
from array import array
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bert_tf.data import Csv, InMemory, Splits, class_index, text
from bert_tf.data.rows import column
from bert_tf.data.rows.column import Chosen, Column, Spill, is_on_disk, spilled
from bert_tf.disk.whole import writing
from bert_tf.errors import UserError

PARSERS = {"text": text, "label": class_index(("no", "yes"))}


def spill(rows: int = 0, characters: int = 1 << 30) -> Spill:
    return Spill(rows=rows, characters=characters, open_file=tempfile.TemporaryFile)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(column, "BLOCK", 3)
    monkeypatch.setattr(column, "KEPT_BLOCKS", 2)


@settings(max_examples=100, deadline=None)
@given(
    values=st.lists(st.text(max_size=4) | st.lists(st.integers(), max_size=2), max_size=20),
    rows=st.integers(0, 12),
    cuts=st.tuples(*[st.none() | st.integers(-25, 25)] * 2, st.none() | st.integers(-3, 3).filter(bool)),
)
def test_it_reads_as_a_list(values, rows, cuts):
    found = Column(spill(rows))
    for value in values:
        found.append(value)
    assert found.is_on_disk == (len(values) > rows)
    assert len(found) == len(values)
    assert list(found) == values
    assert found[slice(*cuts)] == values[slice(*cuts)]
    for number in [*range(-len(values), len(values))][::-1]:
        assert found[number] == values[number]
    for number in (len(values), -len(values) - 1):
        with pytest.raises(IndexError):
            found[number]
    if not found.is_on_disk:
        assert found.in_memory() == values
        assert type(found.in_memory()) is list


def test_few_long_texts_leave_memory_too():
    found = Column(spill(100, characters=10))
    found.append("123456")
    assert not found.is_on_disk
    found.append("123456")
    assert found.is_on_disk
    assert list(found) == ["123456", "123456"]


def rows_of(count: int) -> list[dict[str, str]]:
    return [{"text": f"text {i % 7} of {i}", "label": ("no", "yes")[i % 2], "about": f"{i % 5}"} for i in range(count)]


@pytest.mark.parametrize("limit", [0, 5, 100])
def test_a_table_is_the_same_wherever_its_columns_are(limit, tmp_path, caplog):
    """With bad rows left out, and rows without a label in a split that may have none."""
    lines = ["text,label"] + [f"{row['text']},{row['label']}" for row in rows_of(20)]
    lines[4], lines[9], lines[12] = "text only,", "x,y,z", "word,"
    (tmp_path / "train.csv").write_text("\n".join(lines) + "\n")
    source = Csv(files={"train": "train.csv"}, bad_rows_share=0.5)

    def opened():
        caplog.clear()
        table = source.open(tmp_path, "train", PARSERS, optional=("label",), skip_bad_rows=True)
        return table, [record.getMessage() for record in caplog.records]

    with caplog.at_level(logging.WARNING):
        wanted, said = opened()
        with spilled(spill(limit)):
            found, said_too = opened()
    assert {name: list(values) for name, values in found.columns.items()} == wanted.columns
    assert (list(found.numbers), found.skipped, found.reasons) == (wanted.numbers, wanted.skipped, wanted.reasons)
    assert [found.place(row) for row in range(len(found))] == [wanted.place(row) for row in range(len(wanted))]
    assert said == said_too
    assert wanted.skipped == 3
    assert is_on_disk(found.columns["text"]) == (limit < 17)
    assert type(found.columns["label"]) is list  # numbers stay
    assert type(wanted.columns["text"]) is list


@pytest.mark.parametrize("limit", [0, 5])
def test_the_same_rows_are_put_aside(limit):
    source = Splits(rows=InMemory({"train": rows_of(40)}), share=0.3, same=("about", "text"), balance=("label",))
    for split in ("train", "validation"):
        wanted = source.open(None, split, PARSERS)
        with spilled(spill(limit)):
            found = source.open(None, split, PARSERS)
        assert {name: list(values) for name, values in found.columns.items()} == wanted.columns
        assert list(found.numbers) == wanted.numbers
        assert isinstance(found.columns["text"], Chosen)
        assert found.columns["text"][1:3] == wanted.columns["text"][1:3]
        assert found.columns["text"][-1] == wanted.columns["text"][-1]


def test_numbers_of_chosen_values_may_be_negative():
    assert Chosen("abcd", array("q", [0, 2, 3]))[-2:] == ["c", "d"]


def test_a_full_disk_is_said_in_a_line():
    class Full:
        def close(self):
            pass

        def seek(self, at):
            pass

        def write(self, content):
            raise OSError(errno.ENOSPC, "No space left on device")

    full: Any = Full
    found = Column(Spill(rows=0, characters=0, open_file=full, writing=lambda: writing("data.cache=here")))
    found.append("a")
    found.append("b")
    with pytest.raises(UserError, match=r"data.cache=here cannot be written: the disk is full"):
        found.append("c")
