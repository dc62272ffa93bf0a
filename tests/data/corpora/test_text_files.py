from __future__ import annotations

import gzip

import pytest

from bert_tf.data.corpora import text_files as corpus
from bert_tf.data.corpora.text_files import corpus_lines
from bert_tf.errors import UserError


def test_lines_of_plain_and_gzipped_files(tmp_path):
    (tmp_path / "a.txt").write_bytes("\ufeffeins\r\nzwei\u2028zwei\n\nvier".encode())
    (tmp_path / "b").write_bytes(gzip.compress("fünf\n".encode()))
    assert list(corpus_lines([tmp_path / "a.txt", tmp_path / "b"])) == ["eins", "zwei\u2028zwei", "", "vier", "fünf"]


def test_the_share_that_is_read_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(corpus, "LINES_BETWEEN_REPORTS", 2)
    for name in "ab":
        (tmp_path / name).write_text("x\n" * 4)
    shares: list[float] = []
    assert len(list(corpus_lines([tmp_path / "a", tmp_path / "b"], shares.append))) == 8
    assert shares == sorted(shares)
    assert len(shares) == 4
    assert 0 < shares[0] <= 0.5 < shares[-1] == 1


def test_broken_files_are_named(tmp_path):
    file = tmp_path / "c.txt"
    file.write_bytes(b"good\nb\xc3\xa4d \xff\n")
    with pytest.raises(UserError, match=r"c\.txt:2: expected UTF-8. Received: byte 0xff after 'bäd '"):
        list(corpus_lines([file]))
    file.write_bytes(gzip.compress(b"line\n" * 1000)[:-9])
    with pytest.raises(UserError, match=r"c\.txt:\d+: expected a whole gzip file"):
        list(corpus_lines([file]))
    for missing in (tmp_path / "no", tmp_path):
        with pytest.raises(UserError, match=f"{missing}: expected a file that can be read"):
            list(corpus_lines([missing]))


def test_a_file_of_one_line_with_carriage_returns_is_refused(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"one\rtwo\rthree\r")
    with pytest.raises(
        UserError, match=r"a\.txt:1: expected lines that end in a line feed\. Received: one line with 2"
    ):
        list(corpus_lines([tmp_path / "a.txt"]))
    (tmp_path / "a.txt").write_bytes(b"one\rtwo\nthree\n")
    assert list(corpus_lines([tmp_path / "a.txt"])) == ["one\rtwo", "three"]
    (tmp_path / "a.txt").write_bytes(b"one\r\n")
    assert list(corpus_lines([tmp_path / "a.txt"])) == ["one"]
