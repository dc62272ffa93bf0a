from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from bert_tf.data import SpanAnswer, Squad
from bert_tf.data.squad import answers_cell, check_answers, question_cell
from bert_tf.errors import UserError

SOURCE = Squad(files={"train": "train.json"})
PARSERS = {"id": str, "question": question_cell, "context": str, "answers": answers_cell}
QUESTION = {"id": "q1", "question": "Who?", "answers": [{"text": "Zoë", "answer_start": 0}]}


def write(folder, *paragraphs, indent=None):
    content = {"version": "1.1", "data": [{"title": "t", "paragraphs": list(paragraphs)}]}
    path = folder / "train.json"
    path.write_text(json.dumps(content, indent=indent, ensure_ascii=False), encoding="utf-8")
    return path


def read(where, **options):
    return SOURCE.open(where, "train", PARSERS, **options)


def test_questions_stand_in_the_files_order_with_their_lines(tmp_path):
    second = {"id": "q\u00fc", "question": "Where?", "answers": []}
    write(
        tmp_path,
        {"context": "Zoë sang.", "qas": [QUESTION, second]},
        {"context": "None.", "qas": [QUESTION | {"id": "q3", "answers": []}]},
        indent=1,
    )
    table = read(tmp_path)
    assert table.columns["id"] == ["q1", "q\u00fc", "q3"]
    assert table.columns["question"] == ["Who?", "Where?", "Who?"]
    assert table.columns["context"] == ["Zoë sang.", "Zoë sang.", "None."]
    assert table.columns["answers"] == [(SpanAnswer("Zoë", 0),), (), ()]
    lines = (tmp_path / "train.json").read_text(encoding="utf-8").split("\n")
    assert [lines[number - 1].strip() for number in table.numbers] == ['"id": "q1",', '"id": "q\u00fc",', '"id": "q3",']


def test_a_gzipped_file_and_one_with_escapes(tmp_path):
    path = write(tmp_path, {"context": "Zoë sang.", "qas": [QUESTION | {"id": "ü"}]})
    content = json.dumps(json.loads(path.read_text(encoding="utf-8")), indent=0)
    assert "\\u00fc" in content
    with gzip.open(tmp_path / "train.json.gz", "wt") as file:
        file.write(content)
    path.unlink()
    table = read(tmp_path)
    line = content.split("\n").index('"id": "\\u00fc",') + 1
    assert (table.columns["id"], table.numbers) == (["ü"], [line])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"data":\n [}', r"train.json:2: expected JSON. Received: Expecting value \(column 3\)"),
        ("", r"train.json:1: expected JSON. Received: Expecting value"),
        ("[" * 100_000, r"train.json:1: expected JSON"),
        ("[1]", r"train.json:1: expected a JSON object with a list 'data'. Received: \[1\]"),
        ('{"data": {}}', "expected a JSON object with a list 'data'"),
        ('{"data": []}', "expected one row of data at least"),
        ('{"data": [3]}', r"data\[0\]: expected an object with a list 'paragraphs'. Received: 3"),
        ('{"data": [{"paragraphs": [{"qas": []}]}]}', r"data\[0\].paragraphs\[0\]: expected an object with a text"),
        ('{"data": [{"paragraphs": [{"context": "c", "qas": ["q"]}]}]}', r"paragraphs\[0\].qas\[0\]: expected an obj"),
    ],
)
def test_a_file_of_another_form_is_named(tmp_path, content, expected):
    (tmp_path / "train.json").write_text(content)
    with pytest.raises(UserError, match=expected):
        read(tmp_path)


BAD = [
    ({"answers": [{"text": "x"}]}, "'text' and 'answer_start'"),
    ({"answers": [{"text": "x", "answer_start": -1}]}, "'answer_start' of 0 or more"),
    ({"answers": [{"text": "x", "answer_start": "1"}]}, "'answer_start' of 0 or more"),
    ({"answers": [{"text": "x", "answer_start": 1.5}]}, "'answer_start' of 0 or more"),
    ({"answers": [{"text": " ", "answer_start": 1}]}, "text that is not empty"),
    ({"answers": {"text": "x", "answer_start": 1}}, "lists 'text' and 'answer_start' of one length"),
    ({"answers": 7}, "list of answers"),
    ({"question": None}, "column 'question': expected text. Received: None"),
    ({"is_impossible": True}, "question 'q1': expected no answers where 'is_impossible'"),
    ({"is_impossible": "no"}, "question 'q1': expected 'is_impossible' true or false. Received: 'no'"),
]


@pytest.mark.parametrize(("change", "expected"), BAD)
def test_a_bad_question_is_named_or_skipped(tmp_path, change, expected):
    good = QUESTION | {"id": "q2"}
    write(tmp_path, {"context": "Zoë sang.", "qas": [QUESTION | change, good]}, indent=1)
    with pytest.raises(UserError, match=r"train.json:\d+: ") as caught:
        read(tmp_path)
    assert expected in str(caught.value)
    table = read(tmp_path, skip_bad_rows=True)
    assert (table.columns["id"], table.skipped) == (["q2"], 1)


def test_a_question_without_answers_is_named_where_answers_are_needed(tmp_path):
    write(tmp_path, {"context": "Zoë sang.", "qas": [{"id": "q1", "question": "Who?"}]})
    with pytest.raises(UserError, match=r"train.json:1: expected the column 'answers'"):
        read(tmp_path)
    assert "answers" not in read(tmp_path, optional=("answers",)).columns


def test_impossible_questions_need_no_answers(tmp_path):
    row = {"id": "q1", "question": "Who?", "is_impossible": True, "plausible_answers": [{"text": "Zoë"}]}
    write(tmp_path, {"context": "Zoë sang.", "qas": [row, QUESTION | {"is_impossible": False}]})
    assert read(tmp_path).columns["answers"] == [(), (SpanAnswer("Zoë", 0),)]


def test_answers_as_the_hubs_have_them():
    assert answers_cell({"text": ["a", "b"], "answer_start": [3, 0]}) == (SpanAnswer("a", 3), SpanAnswer("b", 0))
    arrays = {"text": np.array(["ö".encode()], object), "answer_start": np.array([3], np.int32)}
    assert answers_cell(arrays) == (SpanAnswer("ö", 3),)
    assert answers_cell({"text": [], "answer_start": []}) == ()


def test_an_answer_that_is_not_where_it_should_be():
    context = "Zoë sang, and Zoë danced."
    assert check_answers([SpanAnswer("Zoë", 0), SpanAnswer("Zoë danced", 14)], context) is None
    assert check_answers([SpanAnswer("Zoë", 0), SpanAnswer("danced", 4)], context) == (
        "expected the answer 'danced' at character 4 of the context. Received: 'sang, ' there; the answer stands at 18"
    )
    assert "not in the context at all" in str(check_answers([SpanAnswer("wept", 0)], context))
    assert "Received: '' there" in str(check_answers([SpanAnswer("Zoë", 99)], context))
    assert check_answers([], context) is None


def test_blank_questions_are_read_as_they_are():
    assert [question_cell(text) for text in ("", "  ", "Who?")] == ["", "  ", "Who?"]
    with pytest.raises(ValueError, match="lone surrogate"):
        question_cell("\udc80")


def test_the_real_sets(shared_data):
    dev = SOURCE.open(shared_data("squad/dev-v1.1.json"), "validation", PARSERS)
    train = SOURCE.open(shared_data("squad_train_subset/squad_train_subset_4000q.json"), "train", PARSERS)
    assert (len(dev), len(train), len(set(dev.columns["id"]))) == (10570, 4000, 10570)
    for table in (dev, train):
        rows = zip(table.columns["answers"], table.columns["context"], strict=True)
        assert [problem for answers, context in rows if (problem := check_answers(answers, context))] == []
