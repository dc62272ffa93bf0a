"""Extractive summaries of somebody's own texts."""

from __future__ import annotations

import json

import pytest

from bert_tf.errors import UserError
from tests.kinds.own_runs import own_task

TEXT = "It rained all day. We stayed at home. Nobody came. The bread was good."
ROWS = [
    {"id": i, "article": f"{TEXT} Day {i} ended.", "highlights": "It rained all day. Nobody came."} for i in range(10)
]


def written(folder, rows):
    (folder / "all.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder / "all.jsonl"


def test_columns_and_the_number_of_sentences(tmp_path):
    made = own_task("extractive", written(tmp_path, ROWS))
    assert (made.kind.text, made.kind.summary, made.kind.num_sentences) == ("article", "highlights", 2)
    assert (len(made.read("train")), len(made.read("validation"))) == (8, 2)
    assert made.kind.sequence_length == 32, "22 words and points, and [CLS] and [SEP] for each of 5 sentences"
    assert own_task("extractive", written(tmp_path, ROWS), num_sentences="3").kind.num_sentences == 3


def test_lists_of_sentences(tmp_path):
    rows = [{"source": row["article"].split(". "), "target": [row["highlights"], "It rained."]} for row in ROWS]
    made = own_task("extractive", written(tmp_path, rows))
    assert (made.kind.text, made.kind.summary, made.kind.num_sentences) == ("source", "target", 2)
    assert len(made.read("train").references[0]) == 2


def test_what_cannot_be_says_so(tmp_path):
    path = written(tmp_path, ROWS)
    with pytest.raises(UserError, match=r"--target=highlight: .* Did you mean 'highlights'"):
        own_task("extractive", path, target="highlight")
    with pytest.raises(UserError, match="--text=a,b: expected one column, which is read"):
        own_task("extractive", path, text="a,b")
