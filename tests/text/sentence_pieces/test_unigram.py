"""The best split of words is the library's: with equal sums, scores of many digits, unknown characters and bytes."""

from __future__ import annotations

import random

import numpy as np
import pytest
import tensorflow as tf
from tokenizers.models import Unigram as Theirs

from bert_tf.text.sentence_pieces.models.one_word import UnigramWord
from bert_tf.text.sentence_pieces.models.unigram import BYTES, Unigram, longest_exact
from bert_tf.text.sentence_pieces.trie import Trie

LETTERS = "abcdé中😀"


def random_pieces(rng: random.Random, kind: str) -> list[tuple[str, float]]:
    texts = ["<unk>", *BYTES] + [
        "".join(rng.choice(LETTERS[:-1]) for _ in range(rng.choice((1, 2, 2, 3, 3, 4, 9)))) for _ in range(60)
    ]
    score = {
        "float32": lambda: float(np.float32(-rng.random() * 12)),
        "float64": lambda: -rng.random() * 12,
        "equal": lambda: -float(rng.randint(1, 4)),
    }[kind]
    return [(text, score()) for text in dict.fromkeys(texts)]


def random_words(rng: random.Random, count: int) -> list[str]:
    words = ["".join(rng.choice(LETTERS) for _ in range(rng.randint(1, 25))) for _ in range(count)]
    return ["a" * 60, "ab" * 40, "😀" * 5, "a", *words]


@pytest.mark.parametrize(
    ("kind", "byte_fallback"),
    [
        ("equal", True),
        pytest.param("float32", False, marks=pytest.mark.slow),
        pytest.param("float64", True, marks=pytest.mark.slow),
    ],
)
def test_words_have_the_pieces_of_the_library(kind, byte_fallback):
    rng = random.Random(kind)
    pieces, words = random_pieces(rng, kind), random_words(rng, 150)
    theirs = Theirs(pieces, 0, byte_fallback)
    ours = Unigram(pieces, unk_id=0, byte_fallback=byte_fallback)
    alone = UnigramWord(pieces, unk_id=0, byte_fallback=byte_fallback)
    assert ours.splits_early == (kind != "float64")
    lengths = tf.constant([len(word) for word in words])
    values = tf.constant([ord(c) for word in words for c in word], tf.int32)
    found = tf.function(ours, autograph=False)(values, tf.cumsum(lengths, exclusive=True), lengths)
    splits = found.row_splits.numpy()
    columns = np.stack([column.numpy() for column in found[:3]], axis=1).tolist()
    for number, word in enumerate(words):
        pieces_of = columns[splits[number] : splits[number + 1]]
        expected = theirs.tokenize(word)
        size = [0]
        for c in word:
            size.append(size[-1] + len(c.encode()))
        assert [(i, (size[a], size[b])) for i, a, b in pieces_of] == [(t.id, t.offsets) for t in expected], word
        assert [list(piece) for piece in alone(word)] == pieces_of, word


def test_sums_are_exact_for_as_many_as_are_said():
    assert longest_exact(np.array([-1.5, -3.0])) == 2.0**52 / 3
    assert longest_exact(np.array([-0.1])) < 100
    assert longest_exact(np.array([-np.inf])) == 0


@pytest.mark.parametrize("unrolled", [1, 4, 16])
def test_a_trie_finds_all_keys_at_all_places(unrolled):
    rng = random.Random(3)
    keys = list({"".join(rng.choice("abc") for _ in range(rng.randint(1, 6))) for _ in range(80)})
    text = "".join(rng.choice("abcd") for _ in range(300)) + "\0"
    trie = Trie([*keys, keys[0]], [*range(len(keys)), 7], unrolled=unrolled)
    found = tf.function(trie, autograph=False)(tf.constant([ord(c) for c in text]))
    rows = set(zip(*(column.numpy().tolist() for column in found), strict=True))
    values = {key: number for number, key in enumerate(keys)} | {keys[0]: 7}
    assert rows == {(i, len(k), v) for k, v in values.items() for i in range(len(text)) if text.startswith(k, i)}
    assert len(rows) == len(found.starts) > 300
