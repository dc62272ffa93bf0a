from __future__ import annotations

import io
import sys

import pytest

from bert_tf.errors import UserError
from bert_tf.kinds.inputs import read_inputs
from bert_tf.lookup import load_task

ONE = ("sentence",)
TWO = ("premise", "hypothesis")


def read(tmp_path, name, content: bytes, columns=ONE, file_format=None):
    file = tmp_path / name
    file.write_bytes(content)
    return list(read_inputs(None, str(file), file_format, columns))


def test_texts_from_the_command_line():
    assert list(read_inputs(["a b", ""], None, None, ONE)) == [("a b", None), ("", None)]
    assert list(read_inputs(["a\tb"], None, None, TWO)) == [("a", "b")]
    with pytest.raises(UserError, match=r"--text: expected premise, a tab, hypothesis\. Received: no tab in 'ab'"):
        list(read_inputs(["ab"], None, None, TWO))


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        (b"one\n\ntwo\n", ["one", "", "two"]),
        (b"one\r\ntwo", ["one", "two"]),
        ("\ufeffone\ntwo\u2028three\x0bfour\n".encode(), ["one", "two\u2028three\x0bfour"]),
        (b"tab\tinside\n", ["tab\tinside"]),
        (b"", []),
        (b"\n", [""]),
    ],
)
def test_plain_lines_end_only_at_newlines(content, texts, tmp_path):
    assert read(tmp_path, "in.txt", content) == [(text, None) for text in texts]


def test_standard_input(monkeypatch):
    stdin = io.TextIOWrapper(io.BytesIO('{"sentence": "é"}\n'.encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert list(read_inputs(None, "-", "jsonl", ONE)) == [("é", None)]


def test_tsv_in_order_or_under_a_header(tmp_path):
    assert read(tmp_path, "a.tsv", b"x\ty\n", TWO) == [("x", "y")]
    content = b"id\thypothesis\tpremise\n1\ty\tx\n"
    assert read(tmp_path, "b.tsv", content, TWO) == [("x", "y")]
    assert read(tmp_path, "c.tsv", b"sentence\tlabel\ngood\t1\n") == [("good", None)]
    with pytest.raises(UserError, match=r"d\.tsv:2: expected 2 columns, separated by tabs\. Received: 3"):
        read(tmp_path, "d.tsv", b"x\ty\na\tb\tc\n", TWO)


def test_json_lines_by_column(tmp_path):
    content = b'{"hypothesis": "y", "premise": "x", "label": 1}\n'
    assert read(tmp_path, "in.jsonl", content, TWO) == [("x", "y")]


@pytest.mark.parametrize("line", ["{", '"text"', "[]", '{"sentence": 3}', '{"text": "x"}', ""])
def test_a_json_line_that_is_none(line, tmp_path):
    with pytest.raises(UserError, match=r"in\.jsonl:2: expected a JSON object"):
        read(tmp_path, "in.jsonl", b'{"sentence": "a"}\n' + line.encode() + b"\n")


def test_a_kind_may_read_more_than_texts(tmp_path):
    file = tmp_path / "in.jsonl"
    file.write_text('{"source": ["One.", "Two  words."]}\n{"source": ""}\n{"source": ["One.", 2]}\n')
    lines = read_inputs(None, str(file), None, ("source",), load_task("scitldr").input_text)
    assert [next(lines), next(lines)] == [("One.\nTwo words.", None), ("", None)]
    with pytest.raises(UserError, match=r"in\.jsonl:3: .* text source\. .*: expected a text or a list of sentences"):
        next(lines)


def test_a_line_that_is_not_utf8(tmp_path):
    with pytest.raises(UserError, match=r"in\.txt:2: expected UTF-8\. Received: byte 0xe9 at column 4"):
        read(tmp_path, "in.txt", b"fine\ncaf\xe9\n")


def test_a_file_that_is_not_there_is_said_before_anything_is_read():
    with pytest.raises(UserError, match=r"--input=nowhere\.txt: expected a file that can be read\. .*No such"):
        read_inputs(None, "nowhere.txt", None, ONE)
