from __future__ import annotations

import csv
import io
import json
import logging

import numpy as np
import pandas
import pytest

from bert_tf.data import Csv, InMemory, JsonLines, Parquet, Tsv, class_index, class_indices, text
from bert_tf.data.rows.cells import NoLabelError, is_missing, number, yes_or_no
from bert_tf.errors import UserError
from bert_tf.kinds import Classification, MultiLabel

WORDS = ("negative", "positive")
STARS = ("1", "2", "3")


@pytest.mark.parametrize(
    ("classes", "cell", "index"),
    [
        (WORDS, "positive", 1), (WORDS, 1, 1), (WORDS, 1.0, 1), (WORDS, True, 1), (WORDS, ["positive"], 1),
        (STARS, "3", 2), (STARS, 3, 2), (STARS, 3.0, 2), (STARS, ["3"], 2),
        (("-1", "0", "1"), "-1", 0), (("-1", "0", "1"), -1, 0), (("-1", "0", "1"), -1.0, 0),
        (("0", "1"), True, 1), (("False", "True"), True, 1), (("true", "false"), False, 1),
        (("0.5", "1.5"), 1.5, 1), (("1.0", "2.0"), 2, 1),
    ],
)  # fmt: skip
def test_a_label_is_read_alike_however_it_was_kept(classes, cell, index, tmp_path):
    """In memory, in a NumPy array, in a DataFrame, as CSV, JSON and Parquet."""
    rows = [{"text": "a", "label": cell}]
    kind_of = lambda source: Classification(  # noqa: E731
        source=source, text=("text",), label="label", classes=classes, sequence_length=8
    )
    plain = cell[0] if isinstance(cell, list) else cell
    frame = pandas.DataFrame({"text": ["a"], "label": [plain]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    (tmp_path / "a.jsonl").write_text(json.dumps(rows[0]) + "\n")
    csv_of_one = io.StringIO()
    csv.writer(csv_of_one).writerows([["text", "label"], ["a", plain]])
    (tmp_path / "b.csv").write_text(csv_of_one.getvalue())
    for source, where in (
        (InMemory({"train": rows}), "own"),
        (InMemory({"train": {"text": np.array(["a"]), "label": np.array([plain])}}), "own"),
        (InMemory({"train": frame}), "own"),
        (Csv(files={"train": "a.csv"}), str(tmp_path)),
        (Csv(files={"train": "b.csv"}), str(tmp_path)),
        (Parquet(files={"train": "a.parquet"}), str(tmp_path)),
        (JsonLines(files={"train": "a.jsonl"}), str(tmp_path)),
    ):
        labels = kind_of(source).read(where, "train").labels
        assert labels is not None
        assert labels.tolist() == [index], source


@pytest.mark.parametrize("cell", ["0", 0, "4", 4, 0.0, "1.5", "01", "first", False])
def test_where_names_are_numbers_no_index_is_taken(cell):
    with pytest.raises(ValueError, match=r"expected one of 1, 2, 3 \(no indices, as names are numbers\)\. Received"):
        class_index(STARS)(cell)


def test_one_name_that_is_a_number_bars_indices():
    parse = class_index(("joy", "anger", "7"))
    assert [parse("7"), parse(7), parse("joy")] == [2, 2, 0]
    with pytest.raises(ValueError, match="no indices, as names are numbers"):
        parse(0)


@pytest.mark.parametrize(
    "cell", [None, float("nan"), np.nan, pandas.NA, pandas.NaT, "", " ", "-", -1, "-1", -1.0, "NaN", "None"]
)
def test_no_label_is_told_from_a_wrong_one(cell):
    with pytest.raises(NoLabelError, match="which stands for no label"):
        class_index(WORDS)(cell)
    if is_missing(cell):
        with pytest.raises(NoLabelError, match="which stands for none"):
            number()(cell)


def test_classes_may_be_called_as_no_label_is():
    assert class_index(("-", "+"))("-") == 0
    assert class_index(("None", "Some"))("None") == 0
    assert class_index(("na", "-1"))(-1) == 1


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("Positive", r"Received: 'Positive', which is 'positive' in other case\. Did you mean 'positive'"),
        (2, r"Received: 2; a file that counts its classes from 1 needs them by name"),
        ("2.0", r"Received: '2\.0'; a file that counts its classes from 1"),
        ("maybe", r"Received: 'maybe'$"),
    ],
)
def test_what_is_near_is_said_not_taken(cell, expected):
    with pytest.raises(ValueError, match=expected):
        class_index(WORDS)(cell)


def test_true_and_false_are_for_two_classes():
    assert [class_index(WORDS)(cell) for cell in ("True", "FALSE", False, np.True_)] == [1, 0, 0, 1]
    with pytest.raises(ValueError, match="Received: True"):
        class_index(("a", "b", "c"))(True)
    with pytest.raises(ValueError, match="Received: 'false'"):
        class_index(("1", "2"))("false")


def read(rows, **options):
    return Classification(
        source=InMemory({"train": rows, "test": rows}, **options),
        text=("text",), label="label", classes=("World", "Sports", "Business", "Tech"), sequence_length=8,
    )  # fmt: skip


def test_a_file_that_counts_from_1_is_refused_or_said(caplog):
    rows = [{"text": "a", "label": label} for label in (1, 2, 3)]
    labels = read(rows).read("own", "train").labels
    assert labels is not None
    assert labels.tolist() == [1, 2, 3]
    assert "column 'label': no label is the index 0 (World), and the highest is 3 of 0 to 3" in caplog.text
    with pytest.raises(UserError, match=r"train\[3\]: .* Received: 4; a file that counts its classes from 1"):
        read([*rows, {"text": "a", "label": 4}]).read("own", "train")
    caplog.clear()
    read([*rows, {"text": "a", "label": 0}]).read("own", "train")
    read([{"text": "a", "label": name} for name in ("Sports", "Tech")]).read("own", "train")
    assert caplog.text == ""


def test_spaces_and_true_are_said(caplog):
    class_of = class_index(WORDS)
    assert [class_of(" positive"), class_of("true")] == [1, 1]
    assert class_of.remarks() == [
        "labels with spaces around them, which are dropped: 1",
        "labels written as true or false, read as positive and negative: 1",
    ]
    rows = [{"text": "a", "label": " World"}]
    with caplog.at_level(logging.WARNING):
        read(rows).read("own", "train")
    assert "train: column 'label': labels with spaces around them, which are dropped: 1" in caplog.text


def test_a_split_without_labels_and_rows_without(caplog):
    hidden = [{"text": "a", "label": -1}, {"text": "b", "label": None}]
    examples = read(hidden).read("own", "test")
    assert (len(examples), examples.is_labelled) == (2, False)
    assert "test: column 'label': no row has a label, so it is read as if it were not there" in caplog.text
    with pytest.raises(
        UserError, match=r"train\[0\]: column 'label': expected one of World.*Received: -1, which stands"
    ):
        read(hidden).read("own", "train")
    some = [{"text": "a", "label": "World"}, *hidden, {"text": "c", "label": "Tech"}]
    with pytest.raises(UserError, match=r"test\[1\]: column 'label': .*Received: -1, which stands for no label"):
        read(some).read("own", "test")
    kept = read(some, bad_rows_share=0.5).read("own", "test", skip_bad_rows=True)
    assert (list(kept.texts), kept.bad_rows) == (["a", "c"], 2)
    assert kept.bad_row_reasons == {"there is no label": 2}
    kept = read(some, bad_rows_share=0.5).read("own", "train", skip_bad_rows=True)
    assert kept.bad_row_reasons == {"column 'label': there is no label": 2}


SEVERAL = ("joy", "anger", "awe")


@pytest.mark.parametrize(
    ("cell", "indices"),
    [
        ("['joy', 'awe']", (0, 2)), ('["joy", "awe"]', (0, 2)), ("[]", ()), ("[2, 0]", (2, 0)), ("('joy',)", (0,)),
        ("joy, awe,", (0, 2)), ("joy;awe", (0, 2)), ("joy | awe", (0, 2)), ("joy", (0,)), (["joy"], (0,)), (1, (1,)),
        ([1, 0, 1], (0, 2)), ([0.0, 0.0, 0.0], ()), ([True, False, True], (0, 2)), (np.array([0, 1, 1]), (1, 2)),
        ("[1, 0, 1]", (0, 2)), ({"joy"}, (0,)), (np.array(["awe", "joy"]), (2, 0)),
    ],
)  # fmt: skip
def test_several_labels_as_people_keep_them(cell, indices):
    assert class_indices(SEVERAL)(cell) == indices


@pytest.mark.parametrize(
    ("classes", "cell", "expected"),
    [
        (SEVERAL, "['joy' 'awe']", "expected a list of labels, as JSON or Python writes it"),
        (SEVERAL, "none", "an empty cell stands for none of them"),
        (SEVERAL, "joy,,awe", "Received: ''"),
        (SEVERAL, "joy;rage", "Received: 'joy;rage'"),
        (SEVERAL, [0.3, 1.0, 0.0], "shares of a label are not read"),
        (SEVERAL, [0, 2, 2], "each label once"),
        (("joy", "anger"), [0, 1], "expected labels by name: indices, and 0 or 1 of each label, are the same"),
        (SEVERAL, {"joy": 0}, "expected a list of labels"),
        (SEVERAL, ["joy", None], "Received: None"),
    ],
)
def test_several_labels_that_are_none(classes, cell, expected):
    with pytest.raises(ValueError, match=expected):
        class_indices(classes)(cell)


def test_what_was_done_to_several_labels_is_said():
    parse = class_indices(SEVERAL)
    assert [parse(cell) for cell in ("joy;awe", "['joy']", "anger;joy")] == [(0, 2), (0,), (1, 0)]
    assert parse.remarks() == [
        "cells with ';' between their labels, not ',': 2",
        "lists of labels that are written as text, read as lists: 1",
    ]


def test_a_column_for_each_label(tmp_path, caplog):
    """Jigsaw's files: -1 where a row of the test set was not scored."""
    kind = MultiLabel(
        source=Csv(files={"train": "train.csv", "test": "test.csv"}, bad_rows_share=0.5),
        text=("comment",), classes=("toxic", "threat"), sequence_length=8,
    )  # fmt: skip
    (tmp_path / "train.csv").write_text("comment,toxic,threat\na,1,0\nb,0.0,True\n")
    labels = kind.read(str(tmp_path), "train").labels
    assert labels is not None
    assert labels.tolist() == [[1, 0], [0, 1]]
    (tmp_path / "test.csv").write_text("comment,toxic,threat\na,-1,-1\nb,0,1\n")
    with pytest.raises(
        UserError, match=r"test\.csv:2: column 'toxic': expected 0 or 1\. Received: '-1', which stands for"
    ):
        kind.read(str(tmp_path), "test")
    examples = kind.read(str(tmp_path), "test", skip_bad_rows=True)
    assert (list(examples.texts), examples.bad_row_reasons) == (["b"], {"there is no label": 1})
    (tmp_path / "test.csv").write_text("comment,toxic,threat\na,-1,-1\n")
    assert not kind.read(str(tmp_path), "test").is_labelled
    (tmp_path / "train.csv").write_text("comment,toxic,threat\na,0.3,0\n")
    with pytest.raises(UserError, match=r"expected 0 or 1\. Received: '0\.3'; shares of a label are not read"):
        kind.read(str(tmp_path), "train")


def test_yes_or_no_alike():
    for cell in ("1", 1, 1.0, "1.0", True, "true", np.float32(1), [1]):
        assert yes_or_no(cell) == 1, cell


def test_numbers_alike():
    for cell in ("2.5", 2.5, np.float64(2.5), [2.5], " 2.5 "):
        assert number(0, 5)(cell) == 2.5
    for cell in ("2,5", "1_0", True, "inf"):
        with pytest.raises(ValueError, match="expected a number"):
            number()(cell)


def test_labels_of_a_published_parquet_file_come_by_name(tmp_path):
    """`datasets` writes the classes' names, in its own order, into the file."""
    import pyarrow
    import pyarrow.parquet

    features = {
        "text": {"dtype": "string", "_type": "Value"},
        "label": {"names": ["positive", "negative"], "_type": "ClassLabel"},
    }
    table = pyarrow.table({"text": ["good", "bad"], "label": [0, 1]})
    table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pyarrow.parquet.write_table(table, tmp_path / "train.parquet")
    found = Tsv(files={"train": "train.tsv"}).open(tmp_path, "train", {"text": text, "label": class_index(WORDS)})
    assert found.columns == {"text": ["good", "bad"], "label": [1, 0]}


def test_labels_of_the_same_letters_in_other_characters_are_told_apart():
    read = class_index(("neg", "caf\u00e9"))
    with pytest.raises(ValueError, match=r"which is 'caf\\xe9' written as 'cafe\\u0301': other characters of Unicode"):
        read("cafe\u0301")


def test_labels_that_repeat_are_read_as_the_first_time():
    read = class_index(WORDS)
    assert [read(cell) for cell in ("1", "1", " positive", " positive", "positive", "0", "1")] == [1, 1, 1, 1, 1, 0, 1]
    assert read.remarks() == ["labels with spaces around them, which are dropped: 2"]
