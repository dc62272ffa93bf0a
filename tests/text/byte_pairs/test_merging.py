"""Merges of pairs in all words at once are those of one after the other."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tokenizers import Tokenizer
from tokenizers.models import BPE

from bert_tf.text.byte_pairs.hashing import KeyTable
from bert_tf.text.byte_pairs.merging import Merger, merged_in_python


def drawn(rng: random.Random, most: int) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """A vocabulary over `abc`, and merges in no order that training would give: the same token twice, say."""
    tokens, merges = list("abc"), []
    for _ in range(rng.randint(0, most)):
        pair = rng.choice(tokens), rng.choice(tokens)
        if pair not in merges and len("".join(pair)) < 9:
            merges.append(pair)
            tokens += ["".join(pair)] * ("".join(pair) not in tokens)
    rng.shuffle(merges)
    return {token: number for number, token in enumerate(tokens)}, merges


def merged(merger: Merger, ids: dict[str, int], words: list[str]) -> list[list[int]]:
    """What the graph makes of words, token by token."""
    lengths = [len(word) for word in words]
    symbols = np.array([ids[c] for word in words for c in word], np.int32)
    of_word = np.repeat(np.arange(len(words)), lengths).astype(np.int32)
    found, places = (x.numpy() for x in merger(symbols, tf.range(len(symbols)), tf.constant(of_word)))
    order = np.argsort(places)
    assert len(set(places.tolist())) == len(places)
    rows: list[list[int]] = [[] for _ in words]
    for number, place in zip(found[order].tolist(), places[order].tolist(), strict=True):
        rows[of_word[place]].append(number)
    return rows


@pytest.mark.parametrize("seed", range(12))
def test_any_merges_are_as_in_the_library(seed):
    rng = random.Random(seed)
    ids, merges = drawn(rng, 20)
    model: Any = BPE
    theirs = Tokenizer(model(vocab=ids, merges=merges))
    words = [
        "".join(rng.choices("abc", weights=rng.choices(range(1, 5), k=3), k=rng.randint(1, 30))) for _ in range(150)
    ]
    expected = [theirs.encode(word).ids for word in words]
    assert merged(Merger(merges, ids), ids, words) == expected
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    assert [[ids[token] for token in merged_in_python(word, ranks)] for word in words] == expected


def test_merges_where_the_order_within_a_rank_counts():
    # a+bc and ab+c both give abc; abc+a is of a lower rank than a+bc: then the second a+bc has lost its a.
    ids = {t: i for i, t in enumerate(["a", "b", "c", "bc", "abc", "abca"])}
    merges = [("b", "c"), ("abc", "a"), ("a", "bc")]
    merger = Merger(merges, ids)
    assert merger.unsafe is not None
    assert merged(merger, ids, ["abcabc", "abcabcabc"]) == [[5, 3], [5, 3, 4]]


def test_runs_of_one_symbol_are_paired_from_the_left():
    ids = {t: i for i, t in enumerate(["a", "aa", "aaaa", "b"])}
    merger = Merger([("a", "a"), ("aa", "aa")], ids)
    assert merger.unsafe is None
    words = ["a" * n for n in range(1, 10)] + ["baaab", "aabaaa"]
    assert merged(merger, ids, words) == [
        [0], [1], [1, 0], [2], [2, 0], [2, 1], [2, 1, 0], [2, 2], [2, 2, 0], [3, 1, 0, 3], [1, 3, 1, 0],
    ]  # fmt: skip


def test_no_words_and_no_merges_give_what_they_were():
    empty = tf.constant([], tf.int32)
    merger = Merger([], {"a": 0})
    assert [x.numpy().tolist() for x in merger(empty, empty, empty)] == [[], []]
    assert merged(merger, {"a": 0}, ["aa", "a"]) == [[0, 0], [0]]


@pytest.mark.parametrize("count", [0, 1, 2, 7, 1000, 20_000])
def test_a_table_finds_its_keys_and_nothing_else(count):
    rng = np.random.default_rng(count)
    keys = np.unique(rng.integers(-(2**62), 2**62, count)) if count % 7 else np.arange(count) * 50_265
    rng.shuffle(keys)
    table = KeyTable(keys)
    np.testing.assert_array_equal(table(tf.constant(keys, tf.int64)), np.arange(len(keys)))
    others = np.setdiff1d(np.concatenate([keys + 1, keys * 3, rng.integers(-(2**63), 2**63 - 1, 500), [0]]), keys)
    np.testing.assert_array_equal(table(tf.constant(others, tf.int64)), -np.ones(len(others)))


@pytest.mark.parametrize("seed", range(20))
def test_a_table_may_have_the_key_0(seed):
    keys = np.append(0, np.random.default_rng(seed).integers(1, 2**62, 243))
    np.testing.assert_array_equal(KeyTable(keys)(tf.constant(keys)), np.arange(len(keys)))
    assert KeyTable(keys)(tf.constant([-1, 1], tf.int64)).numpy().tolist() == [-1, -1]


def test_keys_of_a_table_must_differ():
    with pytest.raises(ValueError, match="Received: 3, 2 of them different"):
        KeyTable(np.array([5, 6, 5]))
