from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from bert_tf.data import Cranfield
from bert_tf.errors import UserError

FILES = {"documents": "docs", "queries": "queries", "train": "qrels", "validation": "qrels", "all": "qrels"}
DOCS = ".I 1\n.T\nOne .\n.A\nx\n.B\n.W\nOne .\nwith two lines\n.I 7\n.T\n.A\n.A\n.B\n.W\n"
QUERIES = ".I 001\n.W\nfirst\n.I 004\n.W\nsecond\n.I 009\n.W\nthird\n"
QRELS = "1 1 1\n1 7 -1\n2 7 4\n\n3 1  3 \n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("docs", DOCS), ("queries", QUERIES), ("qrels", QRELS)):
        (tmp_path / name).write_text(text)
    return tmp_path


def read(folder: Path, split: str, **options):
    columns = ("id", "text") if split in ("documents", "queries") else ("query", "document", "gain")
    table = Cranfield(files=FILES, bad_rows_share=0.5).open(
        folder, split, dict.fromkeys(columns, lambda cell: cell), **options
    )
    return [tuple(row) for row in zip(*table.columns.values(), strict=True)]


def test_documents_by_number_and_queries_by_position(folder):
    assert read(folder, "documents") == [("1", "One . with two lines"), ("7", "")]
    assert read(folder, "queries") == [("1", "first"), ("2", "second"), ("3", "third")]


def test_judgements_with_their_gains(folder):
    assert read(folder, "all") == [("1", "1", 4.0), ("1", "7", 0.0), ("2", "7", 1.0), ("3", "1", 2.0)]


def test_every_third_query_is_held_out(folder):
    assert [row[0] for row in read(folder, "train")] == ["1", "1", "2"]
    assert [row[0] for row in read(folder, "validation")] == ["3"]


@pytest.mark.parametrize(
    ("name", "text", "split", "expected"),
    [
        ("docs", ".T\nx\n.I 1\n.W\nx\n", "documents", r"docs:1: expected a record's first line, .* Received: '\.T'"),
        ("docs", ".I 1\nx\n.W\ny\n", "documents", r"docs:1: line 2: expected a field's line, .* Received: 'x'"),
        (
            "docs",
            ".I 1\n.T\nx\n",
            "documents",
            r"docs:1: expected a record with the field \.W\. Received: none in \.I 1",
        ),
        ("docs", ".I 1\n.W\nx\n.I 1\n.W\n", "documents", r"docs:4: expected a number that no other record has"),
        ("docs", "", "documents", "docs: expected one row of data at least"),
        ("qrels", "1 1 1\n1 1\n", "all", r"qrels:2: expected the numbers of a query and a document, .* '1 1'"),
        ("qrels", "1 1 6\n", "all", r"qrels:1: .* a code of 1, 2, 3, 4, 5, -1\. Received: '1 1 6'"),
        ("qrels", "1 x 1\n", "all", r"qrels:1: .* Received: '1 x 1'"),
        (
            "qrels",
            "1 1 1\n1 1 2\n",
            "all",
            "qrels:2: expected one judgement of a document. Received: another on line 1",
        ),
    ],
)
def test_bad_files_are_named_with_their_line(folder, name, text, split, expected):
    (folder / name).write_text(text)
    with pytest.raises(UserError, match=expected):
        read(folder, split)


def test_bad_rows_can_be_left_out(folder):
    (folder / "qrels").write_text("1 1 1\n1 1 2\n2 7 4\n")
    assert len(read(folder, "all", skip_bad_rows=True)) == 2
    (folder / "docs").write_bytes(b".I 1\n.W\n\xff\n.I 2\n.W\nfine\n")
    with pytest.raises(UserError, match=r"docs:1: line 3: expected UTF-8. Received: byte 0xff"):
        read(folder, "documents")
    assert read(folder, "documents", skip_bad_rows=True) == [("2", "fine")]


def test_a_file_will_not_do(folder):
    with pytest.raises(UserError, match=r"expected a folder with docs, queries, qrels.*Received: a file"):
        read(folder / "docs", "all")


def test_the_published_set(shared_data):
    from bert_tf import load_task

    source, where = load_task("cranfield").source, shared_data("cranfield")
    assert isinstance(source, Cranfield)
    documents = source.open(where, "documents", {"id": str, "text": str}).columns
    assert documents["id"] == [str(number) for number in range(1, 1401)]
    assert [i for i, text in enumerate(documents["text"], start=1) if not text] == [471, 995]
    queries = source.open(where, "queries", {"id": str, "text": str}).columns["text"]
    assert len(queries) == 225
    assert queries[3].startswith("can a criterion be developed to show empirically")  # .I 008
    gains = source.open(where, "all", {"query": str, "gain": float}).columns["gain"]
    assert Counter(gains) == {4.0: 128, 3.0: 387, 2.0: 734, 1.0: 363, 0.0: 225}
