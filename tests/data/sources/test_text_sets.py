from __future__ import annotations

import pandas
import pytest

from bert_tf.data.sources.text_sets import TextSet, TextSetReading, is_beir, read_judgements, read_text_set
from bert_tf.errors import UserError

QUERIES, DOCUMENTS = TextSet(["q1", "q2"], ["a", "b"]), ["d1", "d2", "d3"]


@pytest.mark.parametrize(
    ("name", "text", "ids", "texts"),
    [
        ("a.txt", "one\ntwo words\n", ["1", "2"], ["one", "two words"]),
        ("a.tsv", "x\tone\ny\ttwo\n", ["x", "y"], ["one", "two"]),
        ("a.jsonl", '{"_id": "x", "title": "T", "text": "one"}\n{"text": "two"}\n', ["x", "2"], ["T one", "two"]),
        ("a.jsonl", '{"id": 5, "title": "", "text": "one"}\n', ["5"], ["one"]),
        ("a.anything", ".I 3\n.W\none\n.I 5\n.W\n", ["3", "5"], ["one", ""]),
    ],
)
def test_formats(tmp_path, name, text, ids, texts):
    (tmp_path / name).write_text(text)
    found = read_text_set(tmp_path / name)
    assert (found.ids, found.texts) == (ids, texts)
    assert found.is_smart == text.startswith(".I")


@pytest.mark.parametrize(
    ("name", "content", "reading"),
    [
        ("a.csv", "_id,title,text\nx,T,one\ny,,two\n", None),
        ("a.csv", "ID;Text;title\nx;one;T\ny;two;\n", None),
        ("a.tsv", "id\ttext\ttitle\nx\tone\tT\ny\ttwo\t\n", None),
        ("a.json", '[{"_id": "x", "title": "T", "text": "one"}, {"_id": "y", "text": "two"}]', None),
        ("a.csv", "key,body,title\nx,one,T\ny,two,\n", TextSetReading(text_column="body", id_column="key")),
        ("a.dat", "id,text,title\nx,one,T\ny,two,\n", TextSetReading(file_format="csv")),
        ("a.parquet", {"_id": ["x", "y"], "text": ["one", "two"], "title": ["T", None]}, None),
    ],
)
def test_tables_of_texts(tmp_path, name, content, reading):
    if isinstance(content, str):
        (tmp_path / name).write_text(content)
    else:
        pandas.DataFrame(content).to_parquet(tmp_path / name)
    found = read_text_set(tmp_path / name, reading)
    assert (found.ids, found.texts) == (["x", "y"], ["T one", "two"])


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        (
            "a.csv",
            "key,body\nx,one\n",
            r"a\.csv:1: expected the column 'text'\. .*say which it is with --text-column=NAME",
        ),
        ("a.story", "one\n", r"expected a file ending in .*Received: \.story; say what it is with --input-format="),
        ("a.docx", "PK\x03\x04word/", r"Received: a Word document"),
        ("a.csv", "_id,text\nx,one\nx,two\n", r"a\.csv:3: expected an id that no other text has"),
    ],
)
def test_tables_that_are_none(tmp_path, name, content, expected):
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=expected):
        read_text_set(tmp_path / name)


@pytest.mark.parametrize("name", ["r.csv", "r.jsonl", "r.parquet"])
def test_judgements_in_tables(tmp_path, name):
    frame = pandas.DataFrame({"query-id": ["q1", "q1", "q2"], "corpus-id": ["d1", "d3", "d2"], "score": [2, 0, 1]})
    path = tmp_path / name
    if name.endswith("csv"):
        frame.to_csv(path, index=False)
    elif name.endswith("jsonl"):
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_parquet(path)
    assert read_judgements(path, QUERIES, DOCUMENTS) == [{0: 2.0, 2: 0.0}, {1: 1.0}]
    assert is_beir(path)


def test_queries_of_smart_are_numbered_by_position(tmp_path):
    (tmp_path / "q").write_text(".I 3\n.W\none\n.I 5\n.W\ntwo\n")
    assert read_text_set(tmp_path / "q", are_queries=True).ids == ["1", "2"]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.txt", "one\n\ntwo\n", r"a\.txt:2: .*empty"),
        ("a.tsv", "x\tone\ny\n", r"a\.tsv:2: expected 2 columns"),
        ("a.tsv", "x\tone\nx\ttwo\n", r"a\.tsv:2: expected an id that no other text has. Received: 'x', as on line 1"),
        ("a.jsonl", '{"text": "one"}\n{"id": 1.5, "text": "two"}\n', r"a\.jsonl:2: column 'id': expected an id"),
        ("a.jsonl", '{"id": "x"}\n', r"a\.jsonl:1: expected the column 'text'"),
    ],
)
def test_bad_rows_are_named(tmp_path, name, text, expected):
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=expected):
        read_text_set(tmp_path / name)


def test_bad_rows_can_be_left_out(tmp_path):
    (tmp_path / "a.txt").write_text("one\n\ntwo\n")
    found = read_text_set(tmp_path / "a.txt", TextSetReading(skip_bad_rows=True, bad_rows_share=0.5))
    assert (found.ids, found.bad_rows) == (["1", "3"], 1)


@pytest.mark.parametrize(
    "text",
    [
        "q1 0 d1 2\nq1 0 d3 0\nq2 0 d2 1\n",
        "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td3\t0\nq2\td2\t1\n",
        "q1 d1 2\n\nq1 d3 0\nq2 d2 1\n",
    ],
)
def test_judgements(tmp_path, text):
    (tmp_path / "r").write_text(text)
    assert read_judgements(tmp_path / "r", QUERIES, DOCUMENTS) == [{0: 2.0, 2: 0.0}, {1: 1.0}]


def test_cranfields_codes_beside_smart_queries(tmp_path):
    (tmp_path / "r").write_text("1 1 1\n2 2 -1\n")
    queries = TextSet(["1", "2"], ["a", "b"], is_smart=True)
    assert read_judgements(tmp_path / "r", queries, ["1", "2"]) == [{0: 4.0}, {1: 0.0}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("q1 0 d1 1\nq9 0 d1 1\n", "r:2: column 'query': expected the id of a query. Received: 'q9', of which"),
        ("q1 0 d9 1\n", "r:1: 'd9': expected the id of a document. Received: none of those judged is in the"),
        ("q1 0 d1 much\n", "r:1: column 'gain': expected a number. Received: 'much'"),
        ("q1 0 d1 1\nq1 0 d1 2\n", "r:2: expected one judgement of a document .* Received: 2 for 'd1', and 1 before"),
        ("q1 d1\n", "r:1: expected query, .anything,. document, gain. Received: 'q1 d1'"),
        ("q1 d1 0\n", "r: expected a relevant document for one query at least"),
    ],
)
def test_bad_judgements_are_named(tmp_path, text, expected):
    (tmp_path / "r").write_text(text)
    with pytest.raises(UserError, match=expected):
        read_judgements(tmp_path / "r", QUERIES, DOCUMENTS)


def test_judgements_of_documents_that_are_not_there_count(tmp_path, caplog):
    (tmp_path / "r").write_text("q1 0 d1 1\nq1 0 d9 2\nq1 0 d8 0\nq2 0 d9 1\nq2 0 d9 1\n")
    assert read_judgements(tmp_path / "r", QUERIES, DOCUMENTS) == [{0: 1.0, 3: 2.0, 4: 0.0}, {3: 1.0}]
    assert "r: 3 of 4 judgements are of documents that the collection lacks, and count as not found: " in caplog.text
    assert "r:2: 'd9'" in caplog.text


def test_beirs_judgements_are_told_by_their_header(tmp_path):
    for text, expected in (("query-id\tcorpus-id\tscore\nq\td\t1\n", True), ("q\td\t1\n", False), ("", False)):
        (tmp_path / "r").write_text(text)
        assert is_beir(tmp_path / "r") is expected
