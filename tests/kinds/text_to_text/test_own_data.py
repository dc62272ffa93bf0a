"""Text to text of somebody's own pairs: columns, and a file a column."""

from __future__ import annotations

import gzip

import pytest

from bert_tf.errors import UserError
from tests.kinds.own_runs import own_task

LONG = "It rained all day and we stayed at home with bread and milk and nobody came to see us"


@pytest.fixture
def table(tmp_path):
    rows = "".join(f'"{LONG} {i}","It rained {i}"\r\n' for i in range(10))
    (tmp_path / "all.csv").write_text(f"dialogue,summary\r\n{rows}", newline="")
    return tmp_path / "all.csv"


def test_a_table_of_summaries(table):
    made = own_task("text_to_text", table, sequence_length=None)
    assert (made.kind.text, made.kind.target, made.kind.target_length) == ("dialogue", "summary", 16)
    assert made.kind.metrics == ("rouge1", "rouge2", "rougeL")
    assert made.kind.sequence_length == 56
    assert (len(made.read("train")), len(made.read("validation"))) == (8, 2)
    assert "a model that writes learns from thousands of pairs" in made.doubts[0]
    made = own_task("text_to_text", table, text="summary", target="dialogue", sequence_length=64, target_length="40")
    assert (made.kind.text, made.kind.metrics, made.kind.target_length) == ("summary", ("chrf",), 40)


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_a_column(tmp_path, packed):
    for name, texts in (("de", "Ein Hund"), ("en", "A dog")):
        content = "".join(f"{texts} {i}.\n" for i in range(10)).encode()
        path = tmp_path / f"train.{name}{'.gz' * packed}"
        path.write_bytes(gzip.compress(content) if packed else content)
    made = own_task("text_to_text", tmp_path, text="de", target="en")
    train, validation = made.read("train"), made.read("validation")
    assert (len(train), len(validation)) == (9, 1)
    assert all(
        text.split()[-1] == right[0].split()[-1] for text, right in zip(train.texts, train.references, strict=True)
    )
    for name in ("de", "en"):
        (tmp_path / f"val.{name}").write_text("x\n")
    made = own_task("text_to_text", tmp_path, text="de", target="en")
    assert (len(made.read("train")), made.read("validation").texts) == (10, ["x"])
    assert "validation: val.de and val.en" in made.said


def test_what_cannot_be_says_so(table):
    with pytest.raises(UserError, match=r"--target=summry: .* Did you mean 'summary'"):
        own_task("text_to_text", table, target="summry")
    with pytest.raises(UserError, match="--text=a,b: expected one column, which is read"):
        own_task("text_to_text", table, text="a,b")
