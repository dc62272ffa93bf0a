"""Somebody's own data as a source: which rows and files belong to which split."""

from __future__ import annotations

from pathlib import Path

import pytest

from bert_tf.data import Csv, InMemory, Splits
from bert_tf.data.rows.quiet import quiet
from bert_tf.data.splits.names import split_called, split_files
from bert_tf.data.splits.source import SUFFIXES
from bert_tf.errors import UserError
from bert_tf.kinds.description import _decoded, _encoded

PARSERS = {"text": str, "label": str}
ROWS = [{"text": f"text {i}", "label": "ab"[i % 2]} for i in range(20)]


def texts(source: Splits, split: str, where: Path | None = None) -> list[str]:
    return list(source.open(where, split, PARSERS).columns["text"])


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def csv(**options) -> Splits:
    return Splits(rows=Csv(files={"train": "train.csv"}), **options)


def test_a_share_of_one_file(tmp_path):
    path = write(tmp_path / "all.csv", ROWS)
    source = csv(share=0.2, same=("text",), balance=("label",))
    train, validation = (texts(source, split, path) for split in ("train", "validation"))
    assert sorted(train + validation) == sorted(row["text"] for row in ROWS)
    assert len(validation) == 4
    table = source.open(path, "validation", PARSERS)
    assert sorted(table.columns["label"]) == ["a", "a", "b", "b"]
    assert path.read_text().splitlines()[table.numbers[0] - 1].startswith(f"{table.columns['text'][0]},")
    only_texts = source.open(path, "validation", {"text": str})
    assert list(only_texts.columns) == ["text"], "the draw needs more columns than are asked for"
    assert list(only_texts.columns["text"]) == validation
    with pytest.raises(UserError, match=r"all\.csv: expected a split of train, validation\. Received: 'test'"):
        source.open(path, "test", PARSERS)
    assert len(texts(source.for_new_data(), "validation", path)) == 20
    assert _decoded(_encoded(source)) == source


def test_a_column_says_which_split(tmp_path):
    names = ("train", "Dev", "test", "training")
    path = write(tmp_path / "all.csv", [{**row, "fold": names[i % 4]} for i, row in enumerate(ROWS)])
    source = csv(column="fold")
    assert [len(texts(source, split, path)) for split in ("train", "validation", "test")] == [10, 5, 5]
    drawn = csv(column="fold", share=0.3, same=("text",))
    assert [len(texts(drawn, split, path)) for split in ("train", "validation", "test")] == [7, 3, 5]
    write(path, [{**row, "fold": "train" if i else "spare"} for i, row in enumerate(ROWS)])
    with pytest.raises(UserError, match=r"all\.csv:2: column 'fold': expected one of train, .*Received: 'spare'"):
        source.open(path, "train", PARSERS)


def test_files_by_their_names_and_one_elsewhere(tmp_path):
    write(tmp_path / "my_train.csv", ROWS)
    write(tmp_path / "my_test.csv", ROWS[:2])
    elsewhere = write(tmp_path / "held.tsv", ROWS[:3]).rename(tmp_path / "held.csv")
    assert len(texts(csv(), "test", tmp_path)) == 2
    assert len(texts(csv(validation=str(elsewhere)), "validation", tmp_path)) == 3
    with pytest.raises(
        UserError, match=r"expected a file for the split validation\. Received: train \(my_train\.csv\)"
    ):
        csv().open(tmp_path, "validation", PARSERS)
    assert [len(texts(csv(share=0.1), split, tmp_path)) for split in ("train", "validation", "test")] == [18, 2, 2]


def test_rows_in_memory():
    source = Splits(rows=InMemory({"train": ROWS}), share=0.1)
    assert source.has_own_place
    assert [len(texts(source, split)) for split in ("train", "validation")] == [18, 2]
    assert not csv().has_own_place
    few = Splits(rows=InMemory({"train": ROWS[:2]}), share=0.1, balance=("label",))
    with pytest.raises(
        UserError,
        match=r"^train: expected rows that can be put aside .*Received: 2 rows, 2 of them different; give more",
    ):
        few.open(None, "train", PARSERS)


def test_what_is_to_be_said_of_a_file_is_said_once(tmp_path, caplog):
    path = write(tmp_path / "all.csv", ROWS)
    path.write_text(path.read_text().replace("text 3,b\n", "text 3,b\n\n\n"))
    source = csv(share=0.2)
    for split in ("train", "validation"):
        source.open(path, split, PARSERS)
    assert [record.getMessage() for record in caplog.records] == [f"{path}: empty lines left out: 2"]
    with quiet():
        source.open(path, "train", PARSERS)
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (("train.csv", "dev.csv", "test.csv"), {"train": "train.csv", "validation": "dev.csv", "test": "test.csv"}),
        (("reviews_train_v2.csv", "reviews_val.jsonl.gz"),
         {"train": "reviews_train_v2.csv", "validation": "reviews_val.jsonl.gz"}),
        (("train.csv", "train_old.csv", "valid.csv"), {"train": "train.csv", "validation": "valid.csv"}),
        (("everything.parquet", "README.md", ".train.csv.swp"), {"train": "everything.parquet"}),
        (("Training.XLSX", "notes.txt"), {"train": "Training.XLSX"}),
        (("a_train.csv", "b_train.csv"), r"expected one file for train\. Received: a_train\.csv, b_train\.csv"),
        (("one.csv", "two.csv"), r"expected a file with train in its name, .*Received: one\.csv, two\.csv"),
        (("README.md",), r"Received: no file of data; give one with --data=FILE"),
    ],
)  # fmt: skip
def test_which_file_is_which(tmp_path, files, found):
    for name in files:
        (tmp_path / name).touch()
    if isinstance(found, dict):
        assert {split: path.name for split, path in split_files(tmp_path, SUFFIXES).items()} == found
    else:
        with pytest.raises(UserError, match=found):
            split_files(tmp_path, SUFFIXES)


def test_what_splits_are_called():
    assert [split_called(name) for name in ("Train", " dev ", "VALID", "test", "other", 3, None)] == [
        *("train", "validation", "validation", "test"),
        *(None, None, None),
    ]
