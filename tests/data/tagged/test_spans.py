"""Spans of characters, in the forms that tools for annotation write, as words and tags."""

from __future__ import annotations

import logging
import re
from collections import Counter

import pytest

from bert_tf.data import InMemory, JsonLines
from bert_tf.data.tagged.spans import are_in_utf16, words_and_tags
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


SMILE = "\U0001f600"  # one character, two units of UTF-16, four bytes


@pytest.mark.parametrize(
    ("span", "remark"),
    [
        ([0, 4, "PER"], "spans with spaces at their ends, which are left off"),
        ([0, 2, "PER"], "spans that begin or end within a word: the word is cut there"),
    ],
)
def test_what_is_put_right_is_counted(span, remark):
    counts = Counter()
    words_and_tags(TEXT, [span], counts=counts)
    assert +counts == {remark: 1}


def test_the_same_span_twice_counts_once():
    counts = Counter()
    _, tags = words_and_tags(TEXT, [[0, 3, "PER"], [0, 3, "PER"]], counts=counts)
    assert tags[:2] == ["B-PER", "O"]
    assert +counts == {"spans that are given twice, of which one counts": 1}
    with pytest.raises(ValueError, match="spans that do not overlap"):
        words_and_tags(TEXT, [[0, 3, "PER"], [0, 3, "LOC"]])


@pytest.mark.parametrize(
    ("text", "span"),
    [
        (f"{SMILE} in Oslo", {"start": 6, "end": 10, "text": "Oslo"}),  # as JavaScript counts
        (f"{SMILE} in Oslo", {"start": 8, "end": 12, "text": "Oslo"}),  # in bytes
        ("a\r\nin Oslo", {"start": 5, "end": 9, "text": "Oslo"}),  # a line end as one character
    ],
)
def test_a_span_s_own_text_says_how_its_place_is_counted(text, span):
    counts = Counter()
    sentence, tags = words_and_tags(text, [span | {"label": "LOC"}], counts=counts)
    assert dict(zip(sentence.words, tags, strict=True))["Oslo"] == "B-LOC"
    assert [what for what in +counts if what.endswith("as their own text shows: moved")]


def test_its_own_text_may_have_line_ends_written_out():
    sentence, tags = words_and_tags("New\nYork", [{"start": 0, "end": 8, "text": "New\\nYork", "label": "LOC"}])
    assert (sentence.words, tags) == (["New", "York"], ["B-LOC", "I-LOC"])


@pytest.mark.parametrize(
    ("rows", "in_utf16", "remark"),
    [
        ([(f"{SMILE} in Oslo today", [[6, 10, "LOC"]])], True, "1 spans behind an emoji .* only if .* UTF-16"),
        ([(f"{SMILE} in Oslo today", [[5, 9, "LOC"]])], False, "^$"),
        ([("in Oslo today", [[3, 7, "LOC"]])], False, "^$"),
        ([(f"in Oslo {SMILE}", [[3, 7, "LOC"]])], False, "^$"),  # before it both are the same
        ([(f"{SMILE} Oslo", [[3, 7, "LOC"]])], True, "1 spans"),  # in characters it would leave the text
        (
            [(f"{SMILE} in Oslo today", [[6, 10, "LOC"]]), (f"{SMILE} Ida left", [[2, 5, "PER"]])],
            False,
            "1 only if in characters: all are counted in characters",
        ),
        ([(f"{SMILE} 我在北京", [[4, 6, "LOC"]])], False, "nothing in the file says whether that is right"),
        ([(f"{SMILE} in Oslo", [{"start": 6, "end": 10, "text": "Oslo", "label": "LOC"}])], False, "^$"),
    ],
)  # fmt: skip
def test_places_may_be_counted_as_javascript_does(rows, in_utf16, remark):
    found = are_in_utf16(rows)
    assert found.in_utf16 == in_utf16
    assert re.search(remark, found.remark)


def test_a_file_in_units_of_utf16_is_read_so_and_said(caplog):
    rows = [
        {"text": f"{SMILE} in Oslo today", "label": [[6, 10, "LOC"]]},
        {"text": f"{SMILE}{SMILE} Ida left", "label": [[5, 8, "PER"]]},
        {"text": "Ida left", "label": [[0, 3, "PER"]]},
    ]
    kind = Tagging(source=InMemory({"train": rows}), types=("PER", "LOC"), words="text", tags="label")
    with caplog.at_level(logging.WARNING):
        examples = kind.read("own", "train")
    assert examples.tags == [[0, 0, 3, 0], [0, 1, 0], [1, 0]]
    assert "2 spans behind an emoji lie on words only if places are counted in units of UTF-16" in caplog.text
