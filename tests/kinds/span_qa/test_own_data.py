"""Questions over somebody's own texts: SQuAD's JSON and flat tables, with places and without."""

from __future__ import annotations

import json

import pandas
import pytest

from bert_tf.errors import UserError
from tests.kinds.own_runs import own_task

CITIES = ("Oslo", "Bergen", "Narvik", "Voss", "Hamar", "Alta", "Moss", "Bodo", "Skien", "Rana")
ROWS = [{"question": f"Where is {i}?", "context": f"She lives in {city} now.", "answer": city, "answer_start": 13}
        for i, city in enumerate(CITIES)]  # fmt: skip


def squad(impossible=()):
    """SQuAD v2's articles: two questions over each text."""
    paragraphs = []
    for i, row in enumerate(ROWS):
        answers = [] if i in impossible else [{"text": row["answer"], "answer_start": 13}]
        qas = [
            {"id": f"{i}{j}", "question": f"Where {j}?", "answers": answers, "is_impossible": not answers} for j in "ab"
        ]
        paragraphs.append({"context": row["context"], "qas": qas})
    return json.dumps({"version": "v2.0", "data": [{"title": "Towns", "paragraphs": paragraphs}]})


def written(folder, name, rows):
    frame = pandas.DataFrame(rows)
    if name.endswith("csv"):
        frame.to_csv(folder / name, index=False)
    elif name.endswith("parquet"):
        frame.to_parquet(folder / name)
    else:
        frame.to_json(folder / name, orient="records", lines=True)
    return folder / name


def test_squad(tmp_path):
    path = tmp_path / "towns.json"
    path.write_text("\ufeff" + squad())
    made = own_task("span_qa", path)
    assert (made.kind.question, made.kind.context, made.kind.answers) == ("question", "context", "answers")
    assert (made.kind.no_answer, made.kind.metrics) == (False, ("f1", "exact_match"))
    train, validation = made.read("train"), made.read("validation")
    assert (len(train), len(validation)) == (16, 4)
    assert not set(train.pairs) & set(validation.pairs)  # no text stands on both sides
    assert "20 of 20 answers have their place in the context" in made.said


def test_questions_without_an_answer(tmp_path):
    path = tmp_path / "towns.json"
    path.write_text(squad(impossible=(2, 5)))
    made = own_task("span_qa", path)
    assert made.kind.no_answer
    assert made.kind.metrics[2:] == ("has_answer_f1", "no_answer_f1")
    assert sum(not answers for split in ("train", "validation") for answers in made.read(split).answers) == 4
    assert any(line.endswith("without an answer: 4, so the model may say that there is none") for line in made.said)
    assert own_task("span_qa", path, no_answer="yes", metrics="f1").kind.metrics == ("f1",)


@pytest.mark.parametrize("name", ["all.csv", "all.jsonl", "all.parquet"])
def test_tables_whatever_their_columns_are_called(tmp_path, name):
    names = {"question": "query", "context": "passage", "answer_start": "start"}
    made = own_task("span_qa", written(tmp_path, name, [{names.get(k, k): v for k, v in row.items()} for row in ROWS]))
    found = made.run.own_data
    assert (found.question, found.text, found.label, found.start) == ("query", ("passage",), ("answer",), "start")
    train = made.read("train")
    assert {answers[0].start for answers in train.answers} == {13}
    assert [answers[0].text for answers in train.answers] == [text.split()[3] for text in train.pairs]


def test_other_separators(tmp_path):
    pandas.DataFrame(ROWS).to_csv(tmp_path / "all.csv", sep=";", index=False)
    made = own_task("span_qa", tmp_path / "all.csv")
    assert (made.run.own_data.delimiter, made.run.own_data.layout) == (";", None)
    assert {answers[0].start for answers in made.read("train").answers} == {13}


def test_answers_as_the_hub_has_them(tmp_path):
    rows = [{"question": row["question"], "context": row["context"],
             "answers": {"text": [row["answer"]], "answer_start": [13]}} for row in ROWS]  # fmt: skip
    for made in (own_task("span_qa", written(tmp_path, "all.jsonl", rows)), own_task("span_qa", memory=rows)):
        assert {answers[0].start for answers in made.read("train").answers} == {13}


def test_an_answer_without_a_place_is_taken_where_it_stands_once(tmp_path):
    rows = [{name: row[name] for name in ("question", "context", "answer")} for row in ROWS]
    rows[3]["context"] += " Voss is far. Voss."
    rows[4]["context"] = "She lives elsewhere."
    made = own_task("span_qa", written(tmp_path, "all.csv", rows))
    assert "8 without one stand once in it, and are taken there" in made.said[2]
    assert "1 answers without a place stand more than once in their context, and 1 not at all" in made.doubts[0]
    assert made.doubts[0].endswith("--skip-bad-rows=0.2")
    with pytest.raises(UserError, match=r"all.csv:5: expected the answer 'Voss' in the context. .* stands 3 times"):
        made.read("train")


def test_an_offset_as_javascript_counts_is_moved(tmp_path):
    rows = [row | {"context": "\U0001f600 " + row["context"], "answer_start": 16} for row in ROWS]
    made = own_task("span_qa", written(tmp_path, "all.jsonl", rows))
    assert {answers[0].start for answers in made.read("train").answers} == {15}


def test_the_length_is_that_of_windows(tmp_path):
    made = own_task("span_qa", written(tmp_path, "all.csv", ROWS), sequence_length=None)
    assert (made.kind.sequence_length, made.kind.stride, made.kind.question_tokens) == (128, 42, 64)
    rows = [row | {"context": f"{row['context']} It rains there all day. " * 100} for row in ROWS]
    made = own_task("span_qa", written(tmp_path, "all.csv", rows), sequence_length=None)
    assert made.kind.sequence_length == 384
    assert any("10 of 10 are longer and are read in windows that overlap" in line for line in made.said)


@pytest.mark.parametrize(
    ("columns", "own", "message"),
    [
        ({"answer": "x"}, {"label": ("anser",)}, "--label=anser: .* Did you mean 'answer'"),
        ({"x": "y"}, {}, "which column is it. Say --label=COLUMN. Received: none called answers, answer"),
        ({"answer": "x"}, {"text": ("a", "b")}, "--text=a,b: expected one column"),
    ],
)
def test_what_cannot_be_says_so(tmp_path, columns, own, message):
    path = written(tmp_path, "all.csv", [{"question": "Who is it?", "context": "It is x."} | columns] * 3)
    with pytest.raises(UserError, match=message):
        own_task("span_qa", path, **own)
