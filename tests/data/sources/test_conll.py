"""The CoNLL reader: columns, schemes, lines that are no words, and every way to be malformed."""

from __future__ import annotations

import dataclasses
import sys
import types

import numpy as np
import pytest

from bert_tf.data import Conll
from bert_tf.data.tagged.label_sets import of_types
from bert_tf.data.tagged.rows import TaggedRows
from bert_tf.errors import UserError


def adapter(types=("a", "b")):
    return TaggedRows("words", "tags", of_types(types), by_type=True)


def read(folder, text, *, skip_bad_rows=False, optional=(), **arguments):
    raw = text if isinstance(text, bytes) else text.encode()
    (folder / "train.conll").write_bytes(raw)
    source = Conll(files={"train": "train.conll"}, bad_rows_share=0.5, **arguments)
    table = source.open(
        folder, "train", adapter().parsers, skip_bad_rows=skip_bad_rows, optional=optional, adapt=adapter()
    )
    return dataclasses.replace(table, columns=plain(table))


def plain(table):
    """The columns, with words alone for sentences."""
    return {**table.columns, "words": [sentence.words for sentence in table.columns["words"]]}


@pytest.mark.parametrize(
    "text",
    [
        "x\tB-a\ny\tI-a\n\nz\tO\n\n",
        "x\tB-a\ny\tI-a\n\nz\tO",  # no line end at the end
        "\n\n\nx\tB-a\ny\tI-a\n\n\t\n \nz\tO\n\n\n",  # more than one line between sentences, some not quite empty
        "x\tB-a\r\ny\tI-a\r\n\r\nz\tO\r\n",
        "\ufeffx\tB-a\ny\tI-a\n\nz\tO\n",
        "x B-a\ny   I-a\n\nz O \n",
        "-DOCSTART-\tO\n\nx\tB-a\ny\tI-a\n-DOCSTART-\tO\nz\tO\n",
        "# id 1\nx\tB-a\n# a remark\ny\tI-a\n\n# id 2\n# text = z\nz\tO\n",
    ],
)
def test_sentences(tmp_path, text):
    table = read(tmp_path, text)
    assert table.columns == {"words": [["x", "y"], ["z"]], "tags": [[1, 2], [0]]}
    assert table.skipped == 0


def test_any_column(tmp_path):
    text = "-DOCSTART- -X- O O\n\nx NN I-a 1\ny NN B-a 2\n"
    table = read(tmp_path, text, tag=2, scheme="iob1", columns=4)
    assert table.columns == {"words": [["x", "y"]], "tags": [[1, 1]]}
    table = read(tmp_path, "1\tS-a\tx\n2\tO\ty\n", word=-1, tag=1, scheme="bioes")
    assert table.columns == {"words": [["x", "y"]], "tags": [[1, 0]]}


def test_a_word_may_look_like_a_comment_or_hold_odd_spaces(tmp_path):
    text = "#\tO\n#tag\tB-a\n# 1\tB-b\na b\tO\nx\u00a0y\tO\n\u3000\tO\nu\u2028v\tO\n"
    table = read(tmp_path, text)
    assert table.columns["words"] == [["#", "#tag", "# 1", "a b", "x\u00a0y", "\u3000", "u\u2028v"]]
    assert read(tmp_path, "# O\nx B-a\n").columns["words"] == [["#", "x"]]


def test_words_without_tags(tmp_path):
    table = read(tmp_path, "x\ny\n\nz\n", optional=("tags",))
    assert table.columns == {"words": [["x", "y"], ["z"]]}
    with pytest.raises(UserError, match=r"train.conll:1: expected the column 'tags'"):
        read(tmp_path, "x\ny\n")


@pytest.mark.parametrize(
    ("line", "message", "arguments"),
    [
        ("x", "expected 2 columns separated by spaces. Received: 1 column: 'x'", {}),
        ("x\tO\tO", "expected 2 columns separated by tabs. Received: 3 columns: ", {}),
        ("\tO", "expected a word. Received: an empty column in ", {}),
        ("x\t", "expected one of O, B-a, I-a, B-b, I-b. Received: ''", {}),
        ("x\t", "expected O, B-TYPE, I-TYPE .iob2.. Received: ''", {"scheme": "iob2"}),
        ("x\tB-c", "expected one of O, B-a, I-a, B-b, I-b. Received: 'B-c'", {}),
        ("x\tb-a", "expected O, B-TYPE, I-TYPE .iob2.. Received: 'b-a'", {"scheme": "iob2"}),
        ("x\tI-b", "expected B-b or I-b before I-b. Received: O", {"scheme": "iob2"}),
        ("x\tE-b", "expected B-b or I-b before E-b. Received: O", {"scheme": "bioes"}),
        ("x\tB-b", "expected I-b or E-b after B-b. Received: the end of the sentence", {"scheme": "bioes"}),
        (b"\xff\tO", "expected UTF-8. Received: byte 0xff", {}),
    ],
)
def test_a_malformed_sentence_is_named_by_its_line_or_skipped_and_counted(tmp_path, line, message, arguments):
    line = line if isinstance(line, bytes) else line.encode()
    text = b"good\tO\n\n# a comment\nfirst\tO\n" + line + b"\n\nlast\tO\n"
    with pytest.raises(UserError, match=f"^{tmp_path}/train.conll:5: {message}"):
        read(tmp_path, text, **arguments)
    table = read(tmp_path, text, skip_bad_rows=True, **arguments)
    assert (table.columns["words"], table.skipped) == ([["good"], ["last"]], 1)


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        ("\n\n", {}, "expected one row of data at least. Received: none"),
        ("\nx O\n", {"tag": 2}, ":2: expected the column 2 of the tag. Received: 2 columns"),
        ("x O\n", {"word": -3}, ":1: expected the column -3 of the word. Received: 2 columns"),
    ],
)
def test_a_file_that_cannot_be_read_at_all(tmp_path, text, arguments, message):
    with pytest.raises(UserError, match=message):
        read(tmp_path, text, skip_bad_rows=True, **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scheme": "iob"}, "`scheme` must be one of iob1, iob2, bioes. Received: scheme='iob'"),
        ({"columns": 2, "tag": 2}, "`tag` must be one of 2 columns. Received: tag=2"),
        ({"columns": 2, "word": -3}, "`word` must be one of 2 columns. Received: word=-3"),
    ],
)
def test_a_source_that_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        Conll(files={}, **arguments)


class FakeSet(dict):
    """What is used of a data set of the Hugging Face hub: columns, and classes of tags one level down."""

    column_names = ("tokens", "ner_tags")
    features = {  # noqa: RUF012
        "tokens": types.SimpleNamespace(feature=None),
        "ner_tags": types.SimpleNamespace(feature=types.SimpleNamespace(names=["B-b", "O", "I-b"])),
    }


def test_tags_of_hubs_come_by_name(monkeypatch):
    source = Conll(files={}, hub_names={"words": "tokens", "tags": "ner_tags"})
    module = types.ModuleType("datasets")
    module.load_dataset = lambda *_, **__: FakeSet(tokens=[["x", "y"]], ner_tags=[[0, 2]])  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", module)
    assert plain(source.open("hf:name", "train", adapter().parsers, adapt=adapter())) == {
        "words": [["x", "y"]],
        "tags": [[3, 4]],
    }

    module = types.ModuleType("tensorflow_datasets")
    rows = [{"tokens": np.array([b"x", "é".encode()], object), "ner_tags": np.array([1, 0])}]
    module.load = lambda *_, **__: (rows, FakeSet)  # type: ignore[attr-defined]
    module.as_numpy = iter  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", module)
    assert plain(source.open("tfds:name", "train", adapter().parsers, adapt=adapter())) == {
        "words": [["x", "é"]],
        "tags": [[0, 3]],
    }
