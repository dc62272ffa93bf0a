"""A single text is split in Python, with what the graph gives for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.text.byte_pairs.reference import ours, texts_of, trained
from tests.text.byte_pairs.test_exact import ADDED, MANY


@pytest.mark.parametrize(
    ("options", "count"),
    [({"add_prefix_space": True, "added": ADDED}, 200), *(pytest.param(o, 5000, marks=pytest.mark.slow) for o in MANY)],
    ids=str,
)
def test_a_single_text_has_the_pieces_that_the_graph_gives(options, count, tmp_path):
    theirs = trained(**options)
    tokenizer = ours(theirs, tmp_path)
    texts = texts_of(theirs, count, seed=8)
    texts += ["".join(c for c in text if c.isascii()) for text in texts]
    rows = zip(*(ragged.to_list() for ragged in tokenizer.tokenize_with_offsets(texts)), strict=True)
    alone = 0
    for text, row in zip(texts, rows, strict=True):
        pieces = tokenizer._pieces.of_one(text)
        assert pieces is None or pieces == list(zip(*row, strict=True)), text
        alone += pieces is not None
    assert alone > len(texts) // 5


@pytest.mark.slow
def test_rows_of_one_text_are_those_of_several(tmp_path):
    tokenizer = ours(trained(), tmp_path)
    texts = ["the film wasn't  bad.", "", " ", "é x", "a <mask>", "x" * 101]
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
