from __future__ import annotations

import pytest

from bert_tf.data import Csv, Either, Tsv, number, text
from bert_tf.errors import UserError

PARSERS = {"a": text, "score": number(0, 5)}
SOURCE = Either(
    forms=(
        Tsv(files={"train": "train.tsv", "validation": "dev.tsv"}),
        Csv(files={"train": "train.csv"}, columns=("a", "score"), header=False),
    )
)


def test_the_form_that_is_there_is_read(tmp_path):
    (tmp_path / "train.csv").write_text('"x, y",1.5\n')
    assert SOURCE.open(tmp_path, "train", PARSERS).columns == {"a": ["x, y"], "score": [1.5]}
    (tmp_path / "train.tsv").write_text("score\ta\n2\tz\n")
    assert SOURCE.open(tmp_path, "train", PARSERS).columns == {"a": ["z"], "score": [2.0]}


def test_a_file_is_read_in_the_form_of_its_suffix(tmp_path):
    (tmp_path / "mine.csv").write_text("x,1\n")
    (tmp_path / "mine.tsv").write_text("a\tscore\ny\t2\n")
    (tmp_path / "mine.txt").write_text("a\tscore\nz\t3\n")
    found = [SOURCE.open(tmp_path / f"mine.{end}", "train", PARSERS).columns["a"] for end in ("csv", "tsv", "txt")]
    assert found == [["x"], ["y"], ["z"]]


def test_neither_form_is_there(tmp_path):
    with pytest.raises(UserError, match=r"expected the file train\.tsv\. Received: an empty folder"):
        SOURCE.open(tmp_path, "train", PARSERS)
    with pytest.raises(UserError, match="no such file or folder"):
        SOURCE.open(tmp_path / "nowhere", "train", PARSERS)
    with pytest.raises(UserError, match=r"expected a folder or file with the data\. Received: none"):
        SOURCE.open(None, "train", PARSERS)
    assert not SOURCE.has_own_place


def test_a_bad_row_is_named_with_its_line(tmp_path):
    (tmp_path / "train.csv").write_text("x,1\ny,6\n")
    with pytest.raises(UserError, match=r"train\.csv:2: column 'score': expected a number from 0 to 5. Received: '6'"):
        SOURCE.open(tmp_path, "train", PARSERS)
