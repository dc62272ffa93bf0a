"""Texts of your own files, classified: what is inferred from odd files, what is refused, and what is said."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from bert_tf.errors import UserError
from bert_tf.kinds import Classification, MultiLabel, Regression
from bert_tf.kinds.classification.own_labels import in_order, labels_of
from bert_tf.kinds.own_data import Column
from tests.kinds.own_data.making import Made, made, rows, table


@pytest.fixture
def file(tmp_path: Path) -> Any:
    def write(text: str, name: str = "train.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return write


def labels_in(run: Made, split: str = "train") -> set[Any]:
    labels = run.read(split).labels
    assert labels is not None
    return {tuple(row) if isinstance(row, list) else row for row in labels.tolist()}


GERMAN = [(f"das ist ein {'guter' if i % 2 else 'schlechter'} Film, Nummer {i}", ("schlecht", "gut")[i % 2])
          for i in range(24)]  # fmt: skip
INDEXED = "".join(f"{i};{text};{label}\n" for i, (text, label) in enumerate(GERMAN))
DATED = "".join(f"1.{i}.2024;{text};{label};http://a.b/{i}\n" for i, (text, label) in enumerate(GERMAN))
OBJECTS = [{"Text": text, "Bewertung": label} for text, label in GERMAN]


@pytest.mark.parametrize(
    ("text", "name", "encoding", "settings"),
    [
        (table(GERMAN, ";", "Text;Bewertung"), "semicolons.csv", "utf-8", {}),
        ("sep=;\n" + table(GERMAN, ";", "Text;Bewertung"), "excel.csv", "utf-8", {}),
        ("\ufeff" + table(GERMAN, ";", "Text;Bewertung"), "bom.csv", "utf-8", {}),
        (table(GERMAN, "\t", "Text\tBewertung"), "tabs.tsv", "utf-8", {}),
        (table(GERMAN, "\t", "Text\tBewertung"), "tabs.csv", "utf-8", {}),
        (table(GERMAN, "\t", "Text\tBewertung"), "tabs.txt", "utf-8", {}),
        (table(GERMAN, "|", "Text|Bewertung"), "bars.csv", "utf-8", {}),
        (table(GERMAN, ";", "Text;Bewertung").replace("Film", "Für"), "old.csv", "cp1252", {"encoding": "cp1252"}),
        (table(GERMAN, ";", "Text;Bewertung"), "wide.csv", "utf-16", {}),
        (table(GERMAN, ";", "Text;Bewertung").replace("\n", "\r\n"), "windows.csv", "utf-8", {}),
        ("".join(f"{json.dumps(row)}\n" for row in OBJECTS), "lines.jsonl", "utf-8", {}),
        (json.dumps(OBJECTS), "array.json", "utf-8", {}),
        (";Text;Bewertung\n" + INDEXED, "index.csv", "utf-8", {}),
        ("Datum;Text;Bewertung;Link\n" + DATED, "more.csv", "utf-8", {}),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value and len(value) < 20 else "",
)  # fmt: skip
def test_a_file_is_read_as_it_is_written(file, text, name, encoding, settings):
    run = made(file(text, name, encoding), settings={"data": settings})
    assert isinstance(run.kind, Classification)
    assert (run.kind.text, run.kind.label, run.kind.classes) == (("Text",), "Bewertung", ("gut", "schlecht"))
    train, validation = run.read("train"), run.read("validation")
    assert (len(train), len(validation)) == (19, 5)
    assert {*train.texts, *validation.texts} == {
        t.replace("Film", "Für") if name == "old.csv" else t for t, _ in GERMAN
    }
    assert labels_in(run) == labels_in(run, "validation") == {0, 1}
    assert run.warnings == []


def test_packed_files_and_those_of_other_programs(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(rows(), columns=["text", "label"])
    (tmp_path / "train.csv.gz").write_bytes(gzip.compress(frame.to_csv().encode()))
    frame.to_parquet(tmp_path / "train.parquet")
    frame.to_excel(tmp_path / "train.xlsx", index=False)
    expected = made(memory=frame).read("train")
    for name in ("train.csv.gz", "train.parquet", "train.xlsx"):
        run = made(tmp_path / name)
        assert list(run.read("train").texts) == list(expected.texts), name
        assert run.read("train").labels.tolist() == expected.labels.tolist(), name


@pytest.mark.parametrize(
    ("cells", "classes"),
    [
        (("good", "bad"), ("bad", "good")),
        (("1", "0"), ("0", "1")),
        (("1.0", "0.0"), ("0", "1")),
        (("True", "False"), ("False", "True")),
        (("10", "9", "100"), ("9", "10", "100")),
        (("01", "1", "02"), ("01", "1", "02")),
        (("-1", "0", "1"), ("-1", "0", "1")),
        (("class 10", "class 9"), ("class 9", "class 10")),
        (("food, drinks", "travel", "food, fast"), ("food, drinks", "food, fast", "travel")),
        ((" good", "bad "), ("bad", "good")),
        (("none", "some"), ("none", "some")),
    ],
)
def test_what_classes_are_called_and_their_order(tmp_path, cells, classes):
    path = tmp_path / "train.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("text", "label"), *rows(30, cells)])
    run = made(path)
    assert isinstance(run.kind, Classification)
    assert run.kind.classes == classes
    read = run.read("train")
    by_text = dict(rows(30, cells))
    assert [classes[i] for i in read.labels.tolist()] == [
        {"1.0": "1", "0.0": "0"}.get(by_text[text], by_text[text].strip()) for text in read.texts
    ]


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ((1, 0), ("0", "1")),
        ((1.0, 0.0), ("0", "1")),
        ((True, False), ("false", "true")),
        (("good", "bad"), ("bad", "good")),
    ],
)
def test_labels_of_a_data_frame_in_any_type(labels, classes):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(rows(24, labels), columns=["text", "label"])
    for given in (frame, frame.astype({"label": "category"}), frame.sample(frac=1, random_state=1)):
        run = made(memory=given)
        assert isinstance(run.kind, Classification)
        assert run.kind.classes == classes
        assert run.sizes == (19, 5)
    lists = {"text": [text for text, _ in rows(24, labels)], "label": [label for _, label in rows(24, labels)]}
    assert made(memory=lists).read("train").labels.tolist() == made(memory=frame).read("train").labels.tolist()
    split = made(memory={"train": frame, "dev": frame[:6]})
    assert split.sizes == (24, 6)
    assert "validation: as `data` has it" in split.lines


def test_rows_that_cannot_be_read_are_not_left_out_of_what_is_found_unasked(file):
    """Of a file in another encoding the texts in plain ASCII alone would be left, and their classes."""
    path = file(table([*rows(20), ("ein schöner Film", "gut")] * 3), encoding="cp1252")
    with pytest.raises(
        UserError, match=r"train\.csv:22: expected UTF-8\. .* name its encoding, such as --encoding=cp1252"
    ):
        made(path)
    with pytest.raises(UserError, match=r"at most 1 % of the rows to be bad.*3 of 63"):
        made(path, settings={"data": {"skip_bad_rows": True}})
    run = made(path, settings={"data": {"skip_bad_rows": True, "bad_rows_share": 0.05}})
    assert isinstance(run.kind, Classification)
    assert run.kind.classes == ("bad", "good")


def test_a_text_without_a_label_contradicts_none(file):
    run = made(file(table([*rows(), ("say what you think", "good"), ("say what you think", "")])))
    assert [warning for warning in run.warnings if "contradict" in warning] == []


def test_missing_cells_of_a_data_frame_are_counted_and_left_out_if_asked():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(rows(), columns=["text", "label"])
    frame.loc[[3, 4], "label"] = float("nan")
    frame.loc[7, "text"] = None
    run = made(memory=frame)
    left_out = "; --skip-bad-rows=0.125 leaves all 3 bad rows out"
    assert [warning.partition(": ")[2] for warning in run.warnings] == [
        f"rows without 'text': 1 of 24, the first of them row 8 of the data{left_out}",
        f"rows without 'label': 2 of 24, the first of them row 4 of the data{left_out}",
    ]
    with pytest.raises(UserError, match=r"train\[3\]: column 'label': expected .* which stands for no label"):
        run.read("train")
    skipping = made(memory=frame, settings={"data": {"skip_bad_rows": True, "bad_rows_share": 0.125}})
    assert sum(skipping.sizes) == 21


@pytest.mark.parametrize(
    ("cells", "separator"),
    [
        (("joy|fear", "joy", "fear|anger", "", "anger"), "|"),
        (("joy; fear", "joy", "fear;anger", "", "anger"), ";"),
        (('"joy,fear"', "joy", '"fear,anger"', "", "anger"), ","),
        (("\"['joy', 'fear']\"", "['joy']", "\"['fear','anger']\"", "[]", "['anger']"), ","),
    ],
)
def test_several_labels_of_a_cell(file, cells, separator):
    run = made(file(table(rows(30, cells))))
    assert isinstance(run.kind, MultiLabel)
    assert (run.kind.classes, run.kind.separator) == (("anger", "fear", "joy"), separator)
    assert labels_in(run) == {(0, 1, 1), (0, 0, 1), (1, 1, 0), (0, 0, 0), (1, 0, 0)}
    assert any(line.startswith("3 labels, any number of them a text") and "joy (12)" in line for line in run.lines)


def test_several_labels_by_flag_where_the_cells_do_not_show_it(file):
    cells = ("a+b", "a", "b")
    path = file(table(rows(30, cells)))
    assert isinstance(made(path).kind, Classification)
    run = made(path, separator="+")
    assert isinstance(run.kind, MultiLabel)
    assert labels_in(run) == {(1, 1), (1, 0), (0, 1)}
    plain = made(file(table(rows(30, ("x|y", "x", "y|z", "z")))), labels="classes")
    assert isinstance(plain.kind, Classification)
    assert plain.kind.classes == ("x", "x|y", "y|z", "z")


def test_a_column_a_label(file):
    lines = [f"{i:04x},comment number {i} is here,{i % 2},{i % 3 == 0:d},{int(i == 5 or i == 9)}" for i in range(40)]
    path = file("".join(f"{line}\n" for line in ["id,comment_text,toxic,obscene,threat", *lines]))
    with pytest.raises(UserError, match=r"--label=toxic,obscene,threat where each label has a column of 0 and 1"):
        made(path)
    run = made(path, label="toxic,obscene,threat")
    assert isinstance(run.kind, MultiLabel)
    assert (run.kind.label, run.kind.classes) == (None, ("toxic", "obscene", "threat"))
    sides = [run.read(split).labels.sum(axis=0).tolist() for split in ("train", "validation")]
    assert sides[0][2] + sides[1][2] == 2
    assert all(count >= 1 for count in sides[0]), "each label stays in training"
    with pytest.raises(UserError, match=r"^--label=comment_text: of several label columns each must hold 0 or 1"):
        made(path, label="toxic,comment_text", text="id")


@pytest.mark.parametrize(
    ("cells", "low", "decimal"),
    [
        ([f"{i / 7:.3f}" for i in range(24)], 0.0, "."),
        ([f'"{i},{i % 7}"' for i in range(24)], 0.0, ","),
        ([str(18 + 13 * i % 61) for i in range(24)], 18.0, "."),
    ],
)
def test_numbers_are_learned_as_numbers(file, cells, low, decimal):
    texts = [text for text, _ in rows()]
    path = file(table(list(zip(texts, cells, strict=True)), header="text,price"))
    run = made(path)
    assert isinstance(run.kind, Regression)
    assert (run.kind.label, run.kind.decimal) == ("price", decimal)
    found = {**dict(zip(run.read("train").texts, run.read("train").labels[:, 0], strict=True)),
             **dict(zip(run.read("validation").texts, run.read("validation").labels[:, 0], strict=True))}  # fmt: skip
    expected = [float(cell.strip('"').replace(",", ".")) for cell in cells]
    assert [found[text] for text in texts] == pytest.approx(expected)
    assert min(expected) == low
    assert any(line.startswith("labels are numbers (") and "--labels=classes" in line for line in run.lines)


def test_a_few_whole_numbers_are_classes_and_either_can_be_said(file):
    path = file(table(rows(30, (1, 2, 3, 4, 5)), header="text,stars"))
    assert made(path).kind == made(path, labels="classes").kind
    assert isinstance(made(path).kind, Classification)
    assert isinstance(made(path, labels="numbers").kind, Regression)
    ids = file(table(rows(770, tuple(range(77)))), "ids.csv")
    found = made(ids).kind
    assert isinstance(found, Classification), "ids of classes, without a gap, of ten rows each"
    assert found.classes == tuple(map(str, range(77)))
    with pytest.raises(UserError, match=r"^--label=label: expected numbers\. Received: 'good'$"):
        made(file(table(rows())), labels="numbers")


TWO_TEXTS = "one,two,three\n" + "".join(f"{t},more words are here {i},{label}\n" for i, (t, label) in enumerate(rows()))


@pytest.mark.parametrize(
    ("text", "own", "said"),
    [
        (table(rows(2)), {}, r"--label=label: expected classes, with several rows each\. Received: 2 different .*give"),
        (table(rows(24, ("x",))), {}, r"--label=label: expected two classes or more\. Received: 'x' in every row"),
        (table([(t, f"x{i}") for i, (t, _) in enumerate(rows())]), {}, r"24 different labels in 24 rows, .*a name"),
        (table(rows(24, ("",))), {}, r"--label=label: expected labels\. Received: none in any row"),
        ("text,label\n", {}, r"train\.csv: expected rows of data\. Received: none"),
        ("", {}, r"train\.csv: expected rows of data\. Received: none"),
        (table(rows()).partition("\n")[2], {}, r"expected a first line that names the columns, .*'this is a good"),
        (table(rows()), {"text": "txt"}, r"--text=txt: .* no such column\. Did you mean 'text'\? The columns are "),
        (table(rows()), {"label": "Label"}, r"--label=Label: .* no such column\. Did you mean 'label'\?"),
        (table(rows()), {"pair": "other"}, r"--pair=other: .*/train\.csv has no such column"),
        (table(rows()), {"text": "label", "label": "label"}, r"must be different columns\. Received: label, label"),
        (table(rows()), {"classes": "good,great"}, r"--classes: expected every class of .*'label'\. .*without 'bad'"),
        (table(rows()), {"choices": "a,b"}, r"--choices is not for --kind=classification, which takes --text, --pair"),
        (table(rows()), {"validation": "2"}, r"--validation=2: expected a file, or a share between 0 and 1"),
        (table(rows()), {"validation": "dev.csv"}, r"--validation=dev\.csv: expected a file, or a share"),
        (table(rows()), {"split_column": "fold"}, r"--split-column: .* has no column 'fold'"),
        (TWO_TEXTS, {}, r"text\? Say --text=COLUMN\. Received: several columns look like text \(one, two\)\. The col"),
        (TWO_TEXTS.partition("\n")[2], {}, r"The first line is taken for names of columns, and 'this is a good"),
        (TWO_TEXTS, {"label": "three"}, r"several columns look like text \(one, two\)"),
    ],
)  # fmt: skip
def test_what_nothing_can_be_learned_from_is_refused(file, text, own, said):
    with pytest.raises(UserError, match=said):
        made(file(text), **own)


def test_what_is_doubtful_is_said(file):
    found = [*rows(40, ("ham",)), *rows(4, ("spam",)), ("an odd one here", "odd"), ("THIS is a ham film 3", "spam"),
             ("this is a ham film 4", "ham"), ("this is all caps", "SPAM"), ("this is caps too", "SPAM")]  # fmt: skip
    run = made(file(table(found)))
    said = [warning.partition(": ")[2] for warning in run.warnings]
    assert said == [
        "one example only of 'odd': it is trained on, and no score says whether it was learned",
        "the classes 'SPAM' (2 rows) and 'spam' (5 rows) differ in case, spaces or the form of letters only",
        "84 % of the rows are 'ham': to answer so every time has that accuracy; f1_macro counts every class alike, and "
        "--set training.class_weights=balanced weighs them so",
        "rows that repeat the text of another: 2; where validation rows are drawn, they stay on one side",
        "texts with contradicting labels: 1, such as 'this is a ham film 3': 'ham', 'spam'",
    ]
    assert run.kind.metrics == ("accuracy", "f1_macro")
    train, validation = run.read("train"), run.read("validation")
    assert not {text.lower() for text in train.texts} & {text.lower() for text in validation.texts}
    assert labels_in(run) == {0, 1, 2, 3}


def test_pairs_and_a_column_whose_name_has_a_comma(file):
    text = io.StringIO()
    csv.writer(text).writerows(
        [("one, two", "other", "label"), *((f"{t} first", f"{t} second", label) for t, label in rows())]
    )
    run = made(file(text.getvalue()), text="one, two", pair="other")
    assert isinstance(run.kind, Classification)
    assert run.kind.text == ("one, two", "other")
    assert run.read("train").pairs[0].endswith("second")
    length = run.config.data.sequence_length
    assert length is not None
    assert length > (made(file(text.getvalue()), text="other").config.data.sequence_length or 0)


def test_what_is_inferred_is_written_down_and_can_be_changed(file, tmp_path):
    from bert_tf.config import to_toml

    run = made(file(table(rows())))
    own = run.config.own_data
    assert (own.text, own.label, own.labels, own.classes) == (("text",), ("label",), "classes", ("bad", "good"))
    assert (own.metrics, own.validation, own.delimiter) == (("accuracy",), 0.2, ",")
    saved = tmp_path / "config.toml"
    saved.write_text(to_toml(run.config), encoding="utf-8")
    again = made(config=str(saved), kind="classification")
    assert (again.kind, again.config) == (run.kind, run.config)
    saved.write_text(saved.read_text().replace('    "bad",\n    "good",\n', '    "good",\n    "bad",\n'))
    other = made(config=str(saved), kind="classification")
    assert isinstance(other.kind, Classification)
    assert other.kind.classes == ("good", "bad"), "what was edited counts"
    saved.write_text(saved.read_text().replace("[own_data]\n", '[own_data]\ncolumn = "x"\n'))
    with pytest.raises(
        UserError, match=r"config\.toml: unknown key 'own_data\.column'.*Known keys of \[own_data\]: kind"
    ):
        made(config=str(saved), kind="classification")


@pytest.mark.parametrize("seed", range(25))
def test_any_table_of_texts_and_classes_is_read_as_it_was_written(tmp_path, seed):
    """Random texts with commas, quotes, line ends and letters of all kinds, through CSV and back, in one split each."""
    random_ = random.Random(seed)
    letters = "abc ,;|\"'\n\täüß日本é"
    classes = [f"{random_.choice(['x', 'Y y', 'z;'])}{i}" for i in range(random_.randint(2, 6))]
    found = []
    for i in range(random_.randint(4 * len(classes), 80)):
        text = f"some words {i} " + "".join(random_.choice(letters) for _ in range(random_.randint(0, 30)))
        found.append((text, classes[i % len(classes)]))
    random_.shuffle(found)
    path = tmp_path / "train.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, delimiter=random_.choice(",;\t"), quoting=csv.QUOTE_ALL)
        writer.writerows([("text", "label"), *found])
    run = made(path)
    assert isinstance(run.kind, Classification)
    assert run.kind.classes == in_order(classes)
    read = {}
    for split in ("train", "validation"):
        part = run.read(split)
        assert set(part.labels.tolist()) <= set(range(len(classes)))
        read |= {text: run.kind.classes[label] for text, label in zip(part.texts, part.labels, strict=True)}
    assert read == dict(found)
    assert labels_in(run) == set(range(len(classes)))


@pytest.mark.parametrize("seed", range(10))
def test_numbers_or_classes_whatever_the_order_of_the_rows(seed):
    random_ = random.Random(seed)
    cells = [random_.choice(["1", "2", "3", "2.5"]) for _ in range(40)]
    expected = labels_of(Column("label", sorted(cells)))
    random_.shuffle(cells)
    assert labels_of(Column("label", cells)) == expected
    assert expected.what == ("numbers" if "2.5" in cells else "classes")


def test_the_training_rows_alone_say_how_long_texts_are(file):
    short, long = rows(95), [(f"{'good ' * 30}{i}", "good") for i in range(5)]
    run = made(file(table([*short, *long])))
    length, said = run.config.data.sequence_length, next(line for line in run.lines if "sequence length" in line)
    assert length == 40
    assert re.search(r"half of the training texts have \d+ or fewer, the longest \d+\)$", said)
    wide = made(file(table([(f"{'good ' * 600}{i}", label) for i, (_, label) in enumerate(rows())])))
    assert wide.config.data.sequence_length == 512
    said = "".join(wide.lines)
    assert "24 of 24 are longer and are read in windows that overlap" in said
    assert "the 512 positions of tiny allow no more" in said
    assert wide.config.data.long_texts == "windows"
    assert run.config.data.long_texts is None
