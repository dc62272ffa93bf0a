"""Choosing sentences: against the same rules in plain Python."""

from __future__ import annotations

import re

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.kinds.extractive.selection import select


def reference(sentences, scores, limit, block):
    """bool for each sentence of one text."""

    def trigrams(sentence):
        words = re.findall(r"[a-z0-9]+", sentence.lower())
        return {tuple(words[i : i + 3]) for i in range(len(words) - 2)}

    chosen: list[int] = []
    for k in sorted(range(len(sentences)), key=lambda k: -scores[k]):
        known = set().union(*(trigrams(sentences[i]) for i in chosen))
        if len(chosen) < limit and not (block and known & trigrams(sentences[k])):
            chosen.append(k)
    return [k in chosen for k in range(len(sentences))]


@pytest.mark.parametrize(("limit", "block"), [(1, True), (2, True), (3, True), (3, False), (9, True)])
def test_the_same_choice_as_in_plain_python(limit, block):
    rng = np.random.default_rng(limit)
    counts = [0, 5, 1, 8, 3, 0, 6]
    texts = [[" ".join(rng.choice(["a", "B", "c-d", "e"], rng.integers(1, 7))) for _ in range(n)] for n in counts]
    scores = [rng.integers(-4, 4, n).astype(np.float32) for n in counts]  # with ties: the first is taken

    @tf.function(input_signature=[tf.TensorSpec([None], dtype) for dtype in (tf.string, tf.float32, tf.int32)])
    def chosen(sentences, scores, splits):
        return select(sentences, scores, splits, limit=limit, block_trigrams=block)

    flat = tf.constant([sentence for text in texts for sentence in text])
    found = chosen(flat, np.concatenate(scores), np.append(0, np.cumsum(counts)).astype(np.int32))
    wanted = [reference(*text, limit, block) for text in zip(texts, scores, strict=True)]
    assert found.numpy().tolist() == [flag for text in wanted for flag in text]
    if limit == 3 and block:  # the rule had something to do
        assert wanted != [reference(*text, limit, False) for text in zip(texts, scores, strict=True)]


def test_words_are_compared_whatever_their_case_and_punctuation():
    sentences = ["Größe zählt doch, sehr.", "Die GRÖSSE; größe ZÄHLT – doch", "zählt doch nicht"]
    scores, splits = tf.constant([3.0, 2.0, 1.0]), tf.constant([0, 3])
    found = select(tf.constant(sentences), scores, splits, limit=3, block_trigrams=True)
    assert found.numpy().tolist() == [True, False, True]


def test_no_text_and_no_sentence():
    empty = tf.constant([], tf.string), tf.constant([], tf.float32)
    for splits in ([0], [0, 0]):
        found = select(*empty, tf.constant(splits), limit=2, block_trigrams=True)
        assert found.shape == (0,)
