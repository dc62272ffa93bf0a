"""Answers with lists as a row for each object."""

from __future__ import annotations

import io

import pytest

from bert_tf.data.files.write import as_rows, writer_of
from bert_tf.errors import UserError

ANN = {"text": "Ann", "label": "PER", "score": 0.5, "start": 0, "end": 3}
ANSWERS = [
    ({"text": "Ann in Rome", "entities": [ANN, {**ANN, "text": "Rome", "label": "LOC"}]}, {"id": 7}),
    ({"text": "=1+1", "entities": []}, {"id": 8}),
    ({"error": "no text"}, {"id": 9}),
]


@pytest.mark.parametrize("suffix", ["csv", "tsv"])
def test_a_table_has_a_row_an_entity_and_loses_no_input(suffix):
    pandas = pytest.importorskip("pandas")
    out = io.StringIO()
    with writer_of(f"x.{suffix}")(out) as writer:
        write = as_rows(writer, "entities")
        for answer, others in ANSWERS:
            write(answer, others)
    out.seek(0)
    table = pandas.read_csv(out, sep={"csv": ",", "tsv": "\t"}[suffix])
    columns = ["id", "text", *(f"entities.{name}" for name in ANN), "error"]
    assert list(table.columns) == columns
    assert table["id"].tolist() == [7, 7, 8, 9]
    # pandas' own way from lists to rows, as a second opinion
    frame = pandas.DataFrame([{**others, **answer} for answer, others in ANSWERS]).explode("entities", True)
    wanted = pandas.json_normalize([x if isinstance(x, dict) else {} for x in frame["entities"]])
    assert table["entities.label"].fillna("").tolist() == wanted["label"].fillna("").tolist()
    assert table["text"].fillna("").tolist() == frame["text"].fillna("").tolist()


def test_json_lines_keep_the_list_without_it():
    out = io.StringIO()
    with writer_of(None)(out) as writer:
        as_rows(writer, None)(*ANSWERS[0])
    assert '"entities": [{"text": "Ann"' in out.getvalue()
    assert out.getvalue().startswith('{"id": 7, ')


@pytest.mark.parametrize(
    ("answer", "came"), [({"labels": ["a"]}, "with the lists labels"), ({"label": "a"}, "without any list")]
)
def test_a_list_that_is_not_there(answer, came):
    with writer_of(None)(io.StringIO()) as writer:
        for name in ("entities", "labels"):
            with pytest.raises(UserError, match=f"--rows-of={name}: expected a list of objects .*answers {came}"):
                as_rows(writer, name)(answer, {})
