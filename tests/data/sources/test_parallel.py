from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from bert_tf.data import Parallel, text
from bert_tf.errors import UserError

SOURCE = Parallel(
    files={"train": {"en": "train.en", "de": "train.de"}, "test": {"en": "test.en", "de": "test.de"}},
    bad_rows_share=0.5,
)
PARSERS = {"en": text, "de": text}


def write(folder: Path, en: str, de: str) -> Path:
    (folder / "train.en").write_text(en, encoding="utf-8")
    (folder / "train.de").write_text(de, encoding="utf-8")
    return folder


def test_line_n_goes_with_line_n_plain_or_gzipped(tmp_path):
    write(tmp_path, "one\ntwo \u2028 lines\n", "eins\nzwei\n")
    plain = SOURCE.open(tmp_path, "train", PARSERS)
    assert plain.columns == {"en": ["one", "two \u2028 lines"], "de": ["eins", "zwei"]}
    assert plain.place(1) == f"{tmp_path / 'train.en'}:2"
    for name in ("train.en", "train.de"):
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress((tmp_path / name).read_bytes().replace(b"\n", b"\r\n")))
        (tmp_path / name).unlink()
    assert SOURCE.open(tmp_path, "train", PARSERS).columns == plain.columns


@pytest.mark.parametrize(("en", "de"), [("a\nb\nc\n", "a\nb\n"), ("a\nb\nc", "a\nb\n"), ("a\nb\n\n", "a\nb\n")])
def test_unequal_line_counts_are_named_with_file_and_line(en, de, tmp_path):
    write(tmp_path, en, de)
    expected = r"train\.en:3: expected as many lines as .*train\.de has, 2\. Received: 3 lines"
    with pytest.raises(UserError, match=expected):
        SOURCE.open(tmp_path, "train", PARSERS, skip_bad_rows=True)  # nothing to skip: all lines may be off


def test_an_empty_or_broken_line_is_named_or_skipped(tmp_path):
    write(tmp_path, "a\nb\nc\n", "a\n \nc\n")
    with pytest.raises(UserError, match=r"train\.en:2: expected a text in each file\. Received: an empty line, .*de:2"):
        SOURCE.open(tmp_path, "train", PARSERS)
    (tmp_path / "train.de").write_bytes(b"a\nb\xff\nc\n")
    with pytest.raises(UserError, match=r"train\.en:2: .*train\.de:2: expected UTF-8\. Received: byte 0xff after 'b'"):
        SOURCE.open(tmp_path, "train", PARSERS)
    found = SOURCE.open(tmp_path, "train", PARSERS, skip_bad_rows=True)
    assert (found.columns["de"], found.skipped) == (["a", "c"], 1)


def test_line_ends_of_old_and_lines_that_hold_them(tmp_path):
    (tmp_path / "train.en").write_bytes("a\rb\u2028c\r".encode())
    (tmp_path / "train.de").write_bytes("x\r\ny\x0b\x85z\r\n".encode())
    found = SOURCE.open(tmp_path, "train", PARSERS)
    assert found.columns == {"en": ["a", "b\u2028c"], "de": ["x", "y\x0b\x85z"]}
    (tmp_path / "train.en").write_bytes(b"a\rb\nc\n")
    assert SOURCE.open(tmp_path, "train", PARSERS).columns["en"] == ["a\rb", "c"]


@pytest.mark.parametrize(
    "markup", ['<?xml version="1.0"?>\n<tmx/>', '\n<SRCSET setid="x">\n<seg id="1">a</seg>', "<tmx>\n"]
)
def test_markup_is_no_text(tmp_path, markup):
    write(tmp_path, "a\nb\n", markup)
    with pytest.raises(UserError, match=r"train\.de: expected text, .* Received: XML; take its texts out first"):
        SOURCE.open(tmp_path, "train", PARSERS)


def test_a_missing_file_is_named(tmp_path):
    write(tmp_path, "a\n", "b\n")
    (tmp_path / "train.de").unlink()
    expected = r"expected the files train\.en and train\.de\. Received: train\.en, without train\.de"
    with pytest.raises(UserError, match=expected):
        SOURCE.open(tmp_path, "train", PARSERS)
    found = SOURCE.open(tmp_path, "train", PARSERS, optional=("de",))
    assert found.columns == {"en": ["a"]}


def test_wrong_places_splits_and_columns_are_named(tmp_path):
    write(tmp_path, "a\n", "b\n")
    with pytest.raises(UserError, match="expected a folder with the data, a file a column"):
        SOURCE.open(tmp_path / "train.en", "train", PARSERS)
    with pytest.raises(UserError, match=r"expected a split of train, test\. Received: 'tset'\. Did you mean 'test'"):
        SOURCE.open(tmp_path, "tset", PARSERS)
    with pytest.raises(UserError, match="without 'fr'"):
        SOURCE.open(tmp_path, "train", {"en": text, "fr": text})


def test_the_real_set(shared_data):
    from bert_tf import load_task

    kind = load_task("multi30k_ende")
    sizes = {
        split: len(kind.read(str(shared_data("multi30k_ende")), split)) for split in ("train", "validation", "test")
    }
    assert sizes == {"train": 29000, "validation": 1014, "test": 1000}
