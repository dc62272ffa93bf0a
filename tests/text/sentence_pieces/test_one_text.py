"""A single text is split in Python, with what the graph gives for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.text.sentence_pieces.reference import model_of, texts_for
from tests.text.sentence_pieces.test_exact import CONFIGS, both


def differing(tokenizer: Any, texts: list[str]) -> tuple[int, list[str]]:
    """How many texts need no graph, and those of them that have other pieces there."""
    rows = zip(*(ragged.to_list() for ragged in tokenizer.tokenize_with_offsets(texts)), strict=True)
    found = [(text, tokenizer._pieces.of_one(text), row) for text, row in zip(texts, rows, strict=True)]
    alone = [entry for entry in found if entry[1] is not None]
    return len(alone), [text for text, pieces, row in alone if pieces != list(zip(*row, strict=True))]


@pytest.mark.parametrize(
    ("config", "count"),
    [(CONFIGS[2], 300), *(pytest.param(config, 5000, marks=pytest.mark.slow) for config in CONFIGS)],
    ids=str,
)
def test_a_single_text_has_the_pieces_that_the_graph_gives(tmp_path, folders, config, count):
    tokenizer, _ = both(folders, config[0], config[1], tmp_path)
    texts = texts_for(model_of(folders, config[0]), count, seed=7)
    texts += ["".join(c for c in text if c.isascii()) for text in texts]
    alone, wrong = differing(tokenizer, texts)
    assert not wrong
    assert alone > len(texts) // 3


@pytest.mark.slow
def test_rows_of_one_text_are_those_of_several(tmp_path, folders):
    tokenizer, _ = both(folders, "xlm-roberta", {}, tmp_path)
    texts = ["The runner walked", "", "unaffable, naïve!", "x<mask>y", "  two  spaces "]
    layouts: list[dict[str, Any]] = [
        {"return_offsets": True},
        {"max_length": 4},
        {"max_length": 12, "padding": "max_length"},
    ]
    for options in layouts:
        several = {name: np.asarray(rows) for name, rows in tokenizer(texts, **options).items()}
        for number, text in enumerate(texts):
            for name, row in tokenizer(text, **options).items():
                row = np.asarray(row)[0]
                assert row.tolist() == several[name][number][: len(row)].tolist(), (text, name)


def test_words_are_kept_but_not_without_end(tmp_path, folders, monkeypatch):
    monkeypatch.setattr("bert_tf.text.sentence_pieces.one_text.MOST_WORDS", 3)
    tokenizer, _ = both(folders, "camembert", {}, tmp_path)
    for text in ("a b c", "d e", "a b c d e"):
        assert tokenizer._pieces.of_one(text) is not None
        assert len(tokenizer._pieces._one_text.words) <= 3
    assert tokenizer._pieces.of_one("a" * 101) is None
