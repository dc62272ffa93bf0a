"""Tagging of somebody's own files: what is inferred, said, and kept apart for validation."""

from __future__ import annotations

import json

import pandas
import pytest

from bert_tf.errors import UserError
from bert_tf.kinds import Tagging
from bert_tf.kinds.definitions import load_task
from tests.kinds.own_runs import own_task

NAMES = ("Ida", "Ole", "Una", "Per", "Liv", "Nils", "Eva", "Jon", "Siv", "Odd")
DOCCANO = [
    {"text": f"{name} left Oslo", "label": [[0, len(name), "PER"], [len(name) + 6, len(name) + 10, "LOC"]]}
    for name in NAMES
]


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def conll(tmp_path):
    """Twelve documents of two sentences each, with parts of speech, in IOB1."""
    path = tmp_path / "all.conll"
    text = "".join(
        f"-DOCSTART- -X- O\n\n{name}{i} NNP I-PER\nleft VBD O\nOslo NNP I-LOC\n\nIt PRP O\nrained VBD O\n\n"
        for i, name in enumerate((*NAMES, "Ida", "Ole"))
    )
    path.write_text(text)
    return path


def test_entities_of_spans(tmp_path):
    path = tmp_path / "all.jsonl"
    path.write_text(lines(DOCCANO))
    made = own_task("tagging", path)
    assert isinstance(made.kind, Tagging)
    assert (made.kind.types, made.kind.metrics) == (("LOC", "PER"), ("f1", "precision", "recall"))
    train, validation = made.read("train"), made.read("validation")
    assert len(train) == 8
    assert sorted([*train.texts, *validation.texts]) == sorted(row["text"] for row in DOCCANO)
    assert {tuple(tags) for tags in [*train.tags, *validation.tags]} == {(3, 0, 1)}
    assert made.said[:3] == [
        f"{path}: 10 training rows",
        "texts with spans of characters: text in 'text', spans in 'label'",
        "entities of 2 types, how often each: LOC (10), PER (10)",
    ]


def test_documents_are_not_parted(conll):
    made = own_task("tagging", conll)
    assert made.run.own_data.group == ("document",)
    train, validation = made.read("train"), made.read("validation")
    assert (len(train), len(validation)) == (20, 4)
    assert [len(words) for words in validation.words] == [3, 2, 3, 2]  # whole documents
    assert "12 documents: none is parted between training and validation (--group=words may)" in made.said
    assert "words in '0', tags in '2', columns counted from 0; other columns that may be: 1" in made.said[1]
    # Copies of a sentence stay on one side, where documents do not count.
    made = own_task("tagging", conll, group=("words",))
    sides = [set(map(tuple, made.read(split).words)) for split in ("train", "validation")]
    assert not sides[0] & sides[1]


def test_another_column_is_a_label_for_each_word(conll):
    made = own_task("tagging", conll, label=("1",))
    assert (made.kind.labels, made.kind.metrics) == (("NNP", "PRP", "VBD"), ("accuracy",))
    assert made.said[2].startswith("a label for each word, scored by the share of right words; 3 labels: NNP (24)")


def test_universal_parts_of_speech_and_words_of_several(tmp_path):
    tree = "# newdoc\n1-2\tdel{0}\t_\t_\t_\t_\t_\t_\t_\t_\n1\tde\t_\tADP\t_\t_\t0\t_\t_\t_\n"
    tree += "2\tel\t_\tDET\t_\t_\t0\t_\t_\t_\n"
    tree += "3\tmar\t_\tNOUN\t_\t_\t0\t_\t_\tSpaceAfter=No\n4\t.\t_\tPUNCT\t_\t_\t0\t_\t_\t_\n\n"
    (tmp_path / "train.conllu").write_text("".join(tree.format(i) for i in range(8)))
    (tmp_path / "dev.conllu").write_text(tree.format("x").replace("\tNOUN", "\tPROPN"))
    made = own_task("tagging", tmp_path)
    assert made.kind.labels == ("ADP+DET", "NOUN", "PROPN", "PUNCT")  # those of both files
    examples = made.read("validation")
    assert (examples.texts, examples.words) == (["delx mar."], [["delx", "mar", "."]])
    assert [made.kind.labels[tag] for tag in examples.tags[0]] == ["ADP+DET", "PROPN", "PUNCT"]


def test_a_table_with_other_separators_and_its_own_encoding(tmp_path):
    rows = "".join(f"{i};{name}é;B-PER\r\n{i};left;O\r\n" for i, name in enumerate(NAMES))
    (tmp_path / "all.csv").write_text(f"sentence_id;word;tag\r\n{rows}", encoding="cp1252", newline="")
    with pytest.raises(UserError, match="expected UTF-8"):
        own_task("tagging", tmp_path / "all.csv").read("train")
    made = own_task("tagging", tmp_path / "all.csv", encoding="cp1252")
    assert (made.run.own_data.delimiter, made.run.own_data.sentence) == (";", "sentence_id")
    assert {words[0][:-1] for words in made.read("train").words} < set(NAMES)


def test_a_table_of_texts_with_labels_is_for_another_kind(tmp_path):
    (tmp_path / "all.csv").write_text("id,message,category\n1,Where is it?,a\n2,It is late,b\n3,Thanks,a\n")
    with pytest.raises(UserError, match=r"all\.csv: read as a word a row, .* all of it is one.*--kind=classification"):
        own_task("tagging", tmp_path / "all.csv")


def test_numbers_need_names(tmp_path):
    path = tmp_path / "all.jsonl"
    path.write_text(lines({"tokens": [name, "left"], "ner_tags": [1, 0]} for name in NAMES))
    with pytest.raises(UserError, match="tags of 'ner_tags' are numbers, 0 to 1: say their names with --classes=O,B-"):
        own_task("tagging", path)
    made = own_task("tagging", path, classes="O,B-PER,I-PER")
    assert made.kind.types == ("PER",)
    assert {tuple(tags) for tags in made.read("train").tags} == {(1, 0)}


def test_tags_of_b_i_and_o_alone(tmp_path):
    (tmp_path / "all.txt").write_text("".join(f"{name} B\nleft O\n\n" for name in NAMES))
    made = own_task("tagging", tmp_path / "all.txt")
    assert made.kind.labels == ("O", "B")
    assert made.kind.label_set.is_entities


def test_rows_in_memory():
    frame = pandas.DataFrame({"tokens": [[name, "left"] for name in NAMES], "ner_tags": [["B-PER", "O"]] * 10})
    made = own_task("tagging", memory=frame)
    assert (made.kind.types, len(made.read("train")), len(made.read("validation"))) == (("PER",), 8, 2)
    made = own_task("tagging", memory=DOCCANO)
    assert made.kind.types == ("LOC", "PER")
    assert len(made.read("train")) == 8


def test_the_length_is_that_of_windows(tmp_path):
    path = tmp_path / "all.jsonl"
    long = [{"text": "Ida left Oslo " * 300, "label": [[0, 3, "PER"]]}]
    path.write_text(lines([*DOCCANO, *long]))
    made = own_task("tagging", path, sequence_length=None)
    assert made.run.data.sequence_length == 512
    assert any("1 of 11 are longer and are read in windows that overlap" in line for line in made.said)


def test_rows_that_cannot_be_read_are_counted_before_the_reading_stops(tmp_path):
    path = tmp_path / "all.jsonl"
    overlapping = [{"text": "Ida Berg left", "label": [[0, 8, "PER"], [4, 8, "LOC"]]}] * 2
    path.write_text(lines([*DOCCANO, *overlapping]))
    made = own_task("tagging", path)
    assert "2 of 12 rows cannot be read, the first of them 11: " in made.doubts[0]
    assert "expected spans that do not overlap" in made.doubts[0]
    assert made.doubts[0].endswith("--skip-bad-rows=0.167")
    with pytest.raises(UserError, match=r"all.jsonl:11: .*expected spans that do not overlap"):
        made.read("train")
    assert len(made.kind.configured(with_share(made.run)).read(str(path), "train", skip_bad_rows=True)) == 8


def with_share(run):
    return run.model_copy(update={"data": run.data.model_copy(update={"bad_rows_share": 0.167})})


def test_files_of_a_folder_are_told_by_their_names_and_the_rest_is_named(conll, tmp_path):
    text = conll.read_text()
    conll.unlink()
    for name in ("wnut17train.conll", "emerging.dev.conll", "other.conll"):
        (tmp_path / name).write_text(text)
    made = own_task("tagging", tmp_path)
    assert "files: train (wnut17train.conll), validation (emerging.dev.conll)" in made.said
    assert "files that are not read: other.conll" in made.said
    assert len(made.read("validation")) == 24


def test_what_is_rare_is_doubted(tmp_path):
    path = tmp_path / "all.jsonl"
    path.write_text(lines([*DOCCANO, {"text": "Acme left", "label": [[0, 4, "ORG"]]}]))
    assert "fewer than 5 times, too seldom to be learned: ORG (1)" in own_task("tagging", path).doubts[0]


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"label": ("lable",)}, r"--label=lable: expected a column of .*Did you mean 'label'"),
        ({"label": ("a", "b")}, "--label=a,b: expected one column"),
        ({"choices": ("a", "b")}, "--choices is not for --kind=tagging, which takes --text, --label, --types"),
        ({"classes": ("X", "Y")}, "--classes=X,Y: expected tags of .* Received: LOC, PER"),
    ],
)
def test_what_cannot_be_says_so(tmp_path, own, message):
    (tmp_path / "all.jsonl").write_text(
        lines({"text": "Ida left", "label": [[0, 3, "PER"], [4, 8, "LOC"]]} for _ in "ab")
    )
    with pytest.raises(UserError, match=message):
        own_task("tagging", tmp_path / "all.jsonl", **own)


def test_what_is_to_be_said_of_a_file_is_said_once(conll, caplog):
    made = own_task("tagging", conll)
    for split in ("train", "validation"):
        made.read(split)
    assert caplog.text.count("they are in IOB1, where I begins an entity too") == 1


@pytest.mark.real
def test_wnut17_is_read_as_its_own_task_reads_it(shared_data):
    folder = shared_data("wnut17")
    made, own = own_task("tagging", folder), load_task("wnut17")
    assert isinstance(own, Tagging)
    assert made.kind.types == own.types
    for split in ("train", "validation"):
        found, wanted = made.read(split), own.read(str(folder), split)
        assert (found.texts, found.words, found.tags) == (wanted.texts, wanted.words, wanted.tags)
