from __future__ import annotations

import csv
import io
import json

import pytest

from bert_tf.data.files.write import writer_of
from bert_tf.errors import UserError

ANSWERS = [
    {"error": "in.csv:2: no text", "id": 1},
    {"id": None, "text": 'a "b",\r\nc', "label": "x", "probabilities": {"x": 0.5, "y": 0.25}},
    {"id": [1], "text": "é\ud800", "entities": [{"start": 0, "end": 1}], "known": True, "nested": {"a": {"b": 1}}},
]


def written(name, answers):
    out = io.StringIO(newline="")
    with writer_of(name)(out) as writer:
        for answer in answers:
            writer.write(answer)
    return out.getvalue()


@pytest.mark.parametrize("name", ["out.jsonl", "out.NDJSON", "out", None, "dir.x/out"])
def test_json_lines(name):
    lines = written(name, ANSWERS).splitlines()
    assert [json.loads(line) for line in lines] == ANSWERS
    assert "é" not in lines[2]  # UTF-8 cannot hold the whole line, so it is all ASCII
    assert json.loads(written(name, [{"text": "é"}])) == {"text": "é"}


def test_a_json_array():
    assert json.loads(written("out.json", ANSWERS)) == ANSWERS
    assert written("out.json", []) == "[]\n"


@pytest.mark.parametrize(("name", "separator"), [("out.csv", ","), ("out.tsv", "\t")])
def test_tables_have_a_column_for_each_probability_and_errors_last(name, separator):
    header, *rows = csv.reader(io.StringIO(written(name, ANSWERS), newline=""), delimiter=separator)
    assert header == [
        "id",
        "text",
        "label",
        "probabilities.x",
        "probabilities.y",
        "entities",
        "known",
        "nested",
        "error",
    ]
    assert rows == [
        ["1", "", "", "", "", "", "", "", "in.csv:2: no text"],
        ["", 'a "b",\r\nc', "x", "0.5", "0.25", "", "", "", ""],
        ["[1]", "é\\ud800", "", "", "", '[{"start": 0, "end": 1}]', "true", '{"a": {"b": 1}}', ""],
    ]


def test_an_unknown_suffix_is_refused():
    with pytest.raises(UserError, match=r"--output=out\.xlsx: expected a file ending in \.jsonl, .*Received: \.xlsx"):
        writer_of("out.xlsx")


def test_numbers_that_json_does_not_have():
    answers = [{"id": float("nan"), "parts": [float("inf"), {"a": float("nan")}], "score": 0.5}]
    expected = [{"id": None, "parts": [None, {"a": None}], "score": 0.5}]

    def refuse(word):
        raise AssertionError(word)

    assert [json.loads(written("out.jsonl", answers), parse_constant=refuse)] == expected
    assert json.loads(written("out.json", answers), parse_constant=refuse) == expected
    (row,) = csv.DictReader(io.StringIO(written("out.csv", answers)))
    assert (row["id"], row["score"]) == ("", "0.5")
