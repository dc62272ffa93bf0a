"""Cells of sets of summaries, and the bundled sample."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bert_tf.data.rows.summaries import document, references

SAMPLE = Path(__file__).resolve().parents[3] / "bert_tf" / "data" / "samples" / "scitldr"


def test_a_document_is_a_text_or_a_list_of_sentences():
    assert document("One. Two.\nThree ") == "One. Two.\nThree "
    assert document(["One\n two. ", " ", "Three"]) == "One two.\nThree"
    assert document(np.array(["One", "Two"])) == "One\nTwo"
    assert document([b"Gr\xc3\xbc\xc3\x9fe"]) == "Grüße"


def test_references_are_one_text_or_several():
    assert references("One. ") == ("One. ",)
    assert references(["One", " ", b"Two"]) == ("One", "Two")


def test_lists_of_tokens_and_of_sentences():
    tokens = [["First", "sentence", "."], ["Second", "."]]
    assert document(tokens) == "First sentence .\nSecond ."
    assert references(tokens) == ("First sentence .\nSecond .",)
    assert references([["A dog ran.", "It barked."], ["A dog."]]) == ("A dog ran.\nIt barked.", "A dog.")
    assert references(np.array([["A", "b"], ["C", "d"]])) == ("A b\nC d",)
    with pytest.raises(ValueError, match="expected one summary at least"):
        references([[], []])
    with pytest.raises(ValueError, match=r"expected a list of tokens for each sentence\. Received: 'b'"):
        document([["a"], "b"])
    with pytest.raises(ValueError, match=r"expected lists of sentences, or of tokens\. Received: 3 in"):
        references([["a", 3]])


@pytest.mark.parametrize(
    ("parse", "cell", "expected"),
    [
        (document, [], r"expected a text with a sentence in it. Received: \[\]"),
        (document, ["", " \n"], "expected a text with a sentence in it"),
        (document, "  ", "expected text that is not empty"),
        (document, 7, "expected a text or a list of sentences. Received: 7"),
        (document, ["a", None], r"expected a text or a list of sentences. Received: None in \['a', None\]"),
        (document, [b"a\xff"], "expected text that UTF-8 can hold"),
        (references, [], r"expected one summary at least. Received: \[\]"),
        (references, "", "expected one summary at least"),
        (references, None, "expected a summary or a list of summaries. Received: None"),
        (references, ["a", 3], "expected a summary or a list of summaries. Received: 3 in"),
    ],
)
def test_other_cells_are_named(parse, cell, expected):
    with pytest.raises(ValueError, match=expected):
        parse(cell)


@pytest.mark.parametrize(("name", "count", "summaries"), [("train", 32, 1), ("dev", 16, 2)])
def test_the_sample_is_in_the_published_form(name, count, summaries):
    rows = [json.loads(line) for line in (SAMPLE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == count
    assert len({row["title"] for row in rows}) == count
    for row in rows:
        assert set(row) == {"source", "target", "title"}
        assert 4 <= len(row["source"]) <= 6
        assert len(row["target"]) == summaries
        for text in [*row["source"], *row["target"]]:
            assert text[-1] == "."
            assert text == " ".join(text.split())
    readme = (SAMPLE.parent / "README.md").read_text(encoding="utf-8")
    assert f"`scitldr/{name}.jsonl` has {count} " in readme
