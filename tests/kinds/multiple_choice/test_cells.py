"""Rows as the published sets have them: choices in columns or in a list, labels by index, column, letter or number."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from bert_tf.data import Csv, InMemory, JsonLines
from bert_tf.errors import UserError
from bert_tf.kinds import MultipleChoice
from bert_tf.kinds.multiple_choice.cells import Choices, listed

ENDINGS = ("ending0", "ending1", "ending2")


def read(rows: list[dict[str, Any]], split: str = "train", **fields: Any):
    task: dict[str, Any] = {"text": "q", "label": "label", "sequence_length": 16} | fields
    return MultipleChoice(source=InMemory({split: rows}), **task).read("own", split)


def in_columns(label: Any, **changes: Any) -> dict[str, Any]:
    return {"q": "Why?", "ending0": "a", "ending1": "b", "ending2": "c", "label": label} | changes


@pytest.mark.parametrize("cell", [2, "2", 2.0, "2.0", np.int64(2), "ending2", " ending2 "])
def test_the_label_of_columns_is_an_index_or_a_name(cell):
    found = read([in_columns(cell), in_columns("ending0")], choices=ENDINGS)
    assert found.labels is not None
    assert (found.labels.tolist(), found.labels.dtype) == ([2, 0], np.int32)
    assert found.choices == [("a", "b", "c")] * 2


@pytest.mark.parametrize(
    ("labels", "cells"), [(("A", "B", "C"), "CA"), (("1", "2", "3"), "31"), (("1", "2", "3"), [3, 1])]
)
def test_the_task_says_what_stands_for_the_choices(labels, cells):
    for choices in (ENDINGS, "list"):
        rows = [in_columns(cell, list=["a", "b", "c"]) for cell in cells]
        found = read(rows, choices=choices, labels=labels)
        assert found.labels is not None
        assert found.labels.tolist() == [2, 0]
        with pytest.raises(UserError, match=r"column 'label': expected one of .*\. Received: '?[DO04]'?"):
            read([in_columns(0 if labels[0] == "1" else "D", list=["a", "b", "c"])], choices=choices, labels=labels)


@pytest.mark.parametrize(
    "cell",
    [
        ["the sun", "the moon"],
        ("the sun", "the moon"),
        np.array(["the sun", "the moon"], object),
        '["the sun", "the moon"]',
        "['the sun', 'the moon']",
        "the sun\nthe moon",
    ],
)
def test_a_list_of_choices_in_every_form(cell):
    assert listed(cell) == Choices(("the sun", "the moon"))


@pytest.mark.parametrize(
    "cell",
    [
        {"text": ["the sun", "the moon"], "label": ["A", "B"]},  # ARC and CommonsenseQA at the hub
        {"text": np.array(["the sun", "the moon"]), "label": np.array(["A", "B"])},
        [{"text": "the sun", "label": "A"}, {"text": "the moon", "label": "B"}],  # as their authors publish them
        '{"text": ["the sun", "the moon"], "label": ["A", "B"]}',
    ],
)
def test_a_list_that_names_its_choices(cell):
    assert listed(cell) == Choices(("the sun", "the moon"), ("A", "B"))


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("the sun", "expected a list of choices. Received: 'the sun'"),
        (3, "expected a list of choices. Received: 3"),
        (None, "expected a list of choices. Received: None"),
        (["a", 3], r"expected choices that are texts. Received: \['a', 3\]"),
        ({"text": ["a", "b"], "label": ["A"]}, "expected a label of its own for each choice, or for none"),
        ({"text": ["a", "b"], "label": ["A", "A"]}, "expected a label of its own for each choice, or for none"),
        (["a", "b\ud800"], "expected text that UTF-8 can hold"),
    ],
)
def test_a_cell_that_is_no_list_of_choices(cell, message):
    with pytest.raises(ValueError, match=message):
        listed(cell)


def test_lists_of_three_to_five_choices_and_labels_by_the_rows_own_names():
    """ARC: most rows name their choices A to D, some 1 to 4, and some have three or five of them."""

    def row(texts: str, names: str, answer: str) -> dict[str, Any]:
        return {"q": "Which?", "choices": {"text": list(texts), "label": list(names)}, "answerKey": answer}

    rows = [row("abcd", "ABCD", "D"), row("abc", "123", "2"), row("abcde", "ABCDE", "E")]
    found = read(rows, choices="choices", label="answerKey")
    assert found.labels is not None
    assert found.labels.tolist() == [3, 1, 4]
    assert [len(choices) for choices in found.choices] == [4, 3, 5]
    assert found.columns == (["Which?"] * 3, ["a\nb\nc\nd", "a\nb\nc", "a\nb\nc\nd\ne"])
    with pytest.raises(UserError, match=r"train\[0\]: column 'answerKey': expected one of 1, 2, 3 .* Received: 'A'"):
        read([row("abc", "123", "A")], choices="choices", label="answerKey")


def test_a_list_without_names_has_indices_and_a_hidden_label_is_none():
    """HellaSwag: labels are texts of digits, and empty in the test set."""
    rows = [{"q": "A man", "endings": ["runs.", "flies.", "two\nlines"], "label": label} for label in ("1", "2")]
    found = read(rows, choices="endings")
    assert found.labels is not None
    assert (found.labels.tolist(), found.choices[0][2]) == ([1, 2], "two lines")
    with pytest.raises(UserError, match=r"expected one of 0, 1, 2.* Received: '3'"):
        read([rows[0] | {"label": "3"}], choices="endings")
    hidden = read([row | {"label": ""} for row in rows], "test", choices="endings")
    assert (hidden.labels, hidden.is_labelled, len(hidden)) == (None, False, 2)
    without = read([{name: row[name] for name in ("q", "endings")} for row in rows], "test", choices="endings")
    assert without.labels is None


def test_columns_that_may_be_empty_where_the_task_says_so():
    rows = [in_columns(0), in_columns(1, ending2=""), in_columns(1, ending2=None)]
    with pytest.raises(UserError, match=r"train\[1\]: column 'ending2': expected text that is not empty"):
        read(rows, choices=ENDINGS)
    found = read(rows, choices=ENDINGS, least_choices=2)
    assert found.choices == [("a", "b", "c"), ("a", "b", ""), ("a", "b", "")]
    with pytest.raises(UserError, match=r"'label': expected a choice that the row has. Received: 2, which is empty"):
        read([in_columns(2, ending2="")], choices=ENDINGS, least_choices=2)
    with pytest.raises(UserError, match=r"expected 2 choices or more. Received: 1, in \('a', '', ''\)"):
        read([in_columns(0, ending1="", ending2="")], choices=ENDINGS, least_choices=2)


def test_bad_rows_are_left_out_and_counted(tmp_path):
    good = {"q": "Why?", "o": ["a", "b"], "label": 1}
    lines = [good, good | {"label": 7}, good | {"o": "a"}, good | {"o": ["a"]}, good]
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    source = JsonLines(files={"train": "train.jsonl"}, bad_rows_share=0.7)
    task = MultipleChoice(source=source, text="q", choices="o", label="label", sequence_length=16)
    with pytest.raises(UserError, match=r"train.jsonl:2: column 'label': expected one of 0, 1 .*\. Received: 7"):
        task.read(str(tmp_path), "train")
    found = task.read(str(tmp_path), "train", skip_bad_rows=True)
    assert (len(found), found.bad_rows) == (2, 3)


def test_lists_written_into_a_csv_by_pandas(tmp_path):
    (tmp_path / "train.csv").write_text("q,o,label\n" + "Why?,\"['a, b', 'c']\",1\n" * 2)
    source = Csv(files={"train": "train.csv"})
    found = MultipleChoice(source=source, text="q", choices="o", label="label", sequence_length=16).read(
        str(tmp_path), "train"
    )
    assert found.choices == [("a, b", "c")] * 2


def test_a_file_that_counts_its_choices_from_1_is_noticed(caplog):
    read([in_columns(label) for label in (1, 2, 2, 1)], choices=ENDINGS)
    assert "if the file counts its classes from 1, every label is read as the next class" in caplog.text


def test_a_stem_may_be_empty_and_a_text_not():
    rows = [in_columns(0, stem=""), in_columns(1, stem="Because")]
    found = read(rows, choices=ENDINGS, stem="stem")
    assert [found.second_texts(i) for i in (0, 1)] == [[" a", " b", " c"], ["Because a", "Because b", "Because c"]]
    assert found.columns[:2] == (["Why?", "Why?"], ["", "Because"])
    with pytest.raises(UserError, match="column 'q': expected text that is not empty"):
        read([in_columns(0, q=" ")], choices=ENDINGS)
