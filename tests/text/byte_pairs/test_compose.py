"""Texts in composed form are those of the `tokenizers` library, and classes are what it says today."""

from __future__ import annotations

import random

import numpy as np
import pytest
import tensorflow as tf
from tokenizers.normalizers import NFC

from bert_tf.text.byte_pairs import build_classes, classes
from bert_tf.text.byte_pairs.composed import Composer
from bert_tf.text.sentence_pieces import tables
from bert_tf.text.sentence_pieces.trie import LIMIT


@pytest.fixture(scope="module")
def composer() -> Composer:
    return Composer()


def test_whatever_may_compose_is_composed_as_in_the_library(composer):
    rng = random.Random(2)
    marks = [chr(mark) for mark in tables.combining()[0].tolist()]
    pairs = [(chr(two // LIMIT), chr(two % LIMIT), chr(whole)) for two, whole in zip(*tables.pairs(), strict=True)]
    texts = ["", "plain"]
    for _ in range(3000):
        parts = []
        for _ in range(rng.randint(1, 6)):
            first, second, whole = rng.choice(pairs)
            parts += [rng.choice((first, second, whole, first + second, whole + second, "a", " "))]
            parts += rng.choices(marks, k=rng.choice((0, 0, 1, 2, 3)))
        texts.append("".join(parts))
    found = composer(tf.constant(texts))
    expected = [NFC().normalize_str(text) for text in texts]
    assert [text.decode() for text in found.strings.numpy()] == expected
    assert np.diff(found.row_splits.numpy()).tolist() == [len(text) for text in expected]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("aé", [(0, 1), (1, 2)]),
        ("e\u0301a", [(0, 1), (2, 3)]),  # é is where the e was
        ("\u0958", [(0, 1), (0, 1)]),  # Its parts, which stay apart, are where it was.
        ("각", [(0, 1)]),
        ("\u1100\u1161\u11a8x", [(0, 1), (3, 4)]),
    ],
)
def test_places_are_those_of_the_characters_that_were_given(composer, text, places):
    found = composer(tf.constant(["", text]))
    assert list(zip(found.starts.numpy().tolist(), found.ends.numpy().tolist(), strict=True)) == places


@pytest.mark.slow
def test_the_stored_classes_are_what_the_script_builds():
    built = build_classes.build()
    with np.load(classes.FILE) as stored:
        assert sorted(stored) == sorted(built)
        for name, array in built.items():
            np.testing.assert_array_equal(stored[name], array)
