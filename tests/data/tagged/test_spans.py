"""Spans of characters, in the forms that tools for annotation write, as words and tags."""

from __future__ import annotations

import pytest

from bert_tf.data import InMemory, JsonLines
from bert_tf.data.tagged.spans import words_and_tags
from bert_tf.errors import UserError
from bert_tf.kinds import Tagging

TEXT = "Ann (24) left New York."


@pytest.mark.parametrize(
    "spans",
    [
        [[0, 3, "PER"], [14, 22, "LOC"]],  # doccano, spaCy
        [(14, 22, "LOC"), (0, 3, "PER")],
        [{"start": 0, "end": 3, "label": "PER"}, {"start": 14, "end": 22, "label": "LOC"}],  # Prodigy
        [
            {"id": 7, "start_offset": 0, "end_offset": 3, "label": "PER"},  # doccano with relations
            {"id": 8, "start_offset": 14, "end_offset": 22, "label": "LOC"},
        ],
        [
            {"start": 0, "end": 3, "text": "Ann", "labels": ["PER"]},  # Label Studio, JSON_MIN
            {"start": 14, "end": 22, "text": "New York", "labels": ["LOC"]},
        ],
        {"entities": [[0, 3, "PER"], [14, 22, "LOC"]]},  # spaCy 2
        [[0, 4, "PER"], [13, 22, "LOC"]],  # with the spaces around
    ],
)
def test_every_form_gives_the_same_words_and_tags(spans):
    sentence, tags = words_and_tags(TEXT, spans)
    assert (sentence.words, tags) == (
        ["Ann", "(24)", "left", "New", "York", "."],
        ["B-PER", "O", "O", "B-LOC", "I-LOC", "O"],
    )
    assert sentence.text == TEXT
    assert sentence.starts == [0, 4, 9, 14, 18, 22]


def test_scripts_without_spaces_are_cut_into_characters():
    sentence, tags = words_and_tags("我在北京用iPhone。", [[2, 4, "LOC"], [5, 11, "PROD"]])
    assert sentence.words == [*"我在北京用", "iPhone", "。"]
    assert tags == ["O", "O", "B-LOC", "I-LOC", "O", "B-PROD", "O"]


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ([[0, 3, "A"], [2, 5, "B"]], r"spans that do not overlap. Received: \(0, 3, 'A'\) and \(2, 5, 'B'\)"),
        ([[0, 30, "A"]], r"a span within the 23 characters of the text. Received: \[0, 30, 'A'\]"),
        ([[3, 3, "A"]], "a span within the 23 characters"),
        ([[3, 4, "A"]], "a span that covers more than spaces"),
        ([["0", "3", "A"]], r"a span \[start, end, type\]"),
        ([[0, 3]], r"a span \[start, end, type\]"),
        ([{"start": 0, "end": 3, "labels": ["A", "B"]}], "one label a span"),
        ([{"start": 1, "end": 4, "text": "Ann", "labels": ["A"]}], "the span's own text 'Ann' at 1:4"),
        ("Ann", "a list of spans"),
    ],
)
def test_what_cannot_be_is_refused(spans, message):
    with pytest.raises(ValueError, match=message):
        words_and_tags(TEXT, spans)


def test_a_tagging_task_reads_them_from_json_lines(tmp_path):
    (tmp_path / "train.jsonl").write_text(
        '{"id": 1, "text": "Ann ran to Rome.", "label": [[0, 3, "PER"], [11, 15, "LOC"]]}\n'
        '{"id": 2, "text": "Nobody  came", "label": []}\n'
    )
    source = JsonLines(files={"train": "train.jsonl"})
    kind = Tagging(source=source, types=("PER", "LOC"), words="text", tags="label")
    examples = kind.read(str(tmp_path), "train")
    assert list(examples.texts) == ["Ann ran to Rome.", "Nobody  came"]  # as they stand
    assert examples.starts[1] == [0, 8]
    assert examples.tags == [[1, 0, 0, 3, 0], [0, 0]]
    with pytest.raises(UserError, match=r"train.jsonl:1: expected the column 'words'. .* words='text', tags='label'\)"):
        Tagging(source=source, types=("PER",)).read(str(tmp_path), "train")


def test_a_bad_span_names_its_row():
    rows = [{"text": "Ann ran", "label": [[0, 3, "PER"]]}, {"text": "Ann ran", "label": [[0, 9, "PER"]]}]
    kind = Tagging(source=InMemory({"train": rows}, bad_rows_share=0.5), types=("PER",), words="text", tags="label")
    with pytest.raises(UserError, match=r"train\[1\]: column 'text': expected a span within the 7 characters"):
        kind.read("own", "train")
    assert kind.read("own", "train", skip_bad_rows=True).bad_rows == 1
