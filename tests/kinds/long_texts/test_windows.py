"""Rows of long texts, against those of the `tokenizers` library, and what is made of their outputs, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.kinds.long_texts.features import encode_windows
from bert_tf.kinds.long_texts.reading import Reading
from bert_tf.kinds.long_texts.windows import Windows, ask, mean_over_windows, where_several, window_rows
from bert_tf.text import BertTokenizer
from tests.conftest import VOCABULARY
from tests.text.reference import reference

TEXTS = ["a b c d e f", "", "a b c d e f g", "good", "Good film! " * 9, "bad, a film; b? " * 4, "A É b"]


def expected_windows(
    texts: list[str], *, max_length: int, overlap: int, lowercase: bool = True
) -> list[list[list[int]]]:
    """Ids of all windows of each text."""
    tokenizer = reference(VOCABULARY, lowercase=lowercase)
    tokenizer.enable_truncation(max_length, stride=overlap)
    encoded = [tokenizer.encode(text) for text in texts]
    return [[one.ids for one in (first, *first.overflowing)] for first in encoded]


def found_windows(found: Any, count: int) -> list[list[list[int]]]:
    ids, lengths = found.rows["token_ids"].numpy(), found.rows["padding_mask"].numpy().sum(axis=1)
    assert lengths.tolist() == found.lengths.numpy().tolist()
    windows: list[list[list[int]]] = [[] for _ in range(count)]
    for row, length, text in zip(ids, lengths, found.windows.example.numpy(), strict=True):
        windows[text].append(row[:length].tolist())
    return windows


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize(("max_length", "share", "overlap"), [(8, 0.0, 0), (8, 0.34, 2), (9, 0.5, 3), (64, 0.125, 7)])
def test_windows_are_those_of_the_tokenizers_library(lowercase, max_length, share, overlap):
    tokenizer, reading = BertTokenizer(VOCABULARY, lowercase=lowercase), Reading(max_length, share, 99)
    assert reading.overlap_tokens(1) == overlap
    found = window_rows(tokenizer, tf.constant(TEXTS), reading=reading)
    expected = expected_windows(TEXTS, max_length=max_length, overlap=overlap, lowercase=lowercase)
    assert found_windows(found, len(TEXTS)) == expected
    whole = [len(reference(VOCABULARY, lowercase=lowercase).encode(text).ids) for text in TEXTS]
    assert found.text_tokens.numpy().tolist() == whole
    assert not found.cut_tokens.numpy().any()
    new = [len(window) - 2 - (overlap if i else 0) for windows in expected for i, window in enumerate(windows)]
    assert found.windows.new_tokens.numpy().tolist() == new
    sums = np.bincount(found.windows.example, weights=found.windows.new_tokens)
    assert (sums + 2).tolist() == whole  # every token is new once
    assert found.windows.counts.numpy().tolist() == [len(windows) for windows in expected]


def test_a_text_at_the_limit_has_one_window_and_one_token_more_makes_two():
    reading = Reading(8, 0.25, 16)
    found = window_rows(BertTokenizer(VOCABULARY), tf.constant(TEXTS[:3]), reading=reading)
    assert found.windows.counts.numpy().tolist() == [1, 1, 2]
    assert found.windows.new_tokens.numpy().tolist() == [6, 0, 6, 1]


@pytest.mark.parametrize("most", [1, 2, 3])
def test_what_is_behind_the_last_window_is_cut_and_counted(most):
    found = window_rows(BertTokenizer(VOCABULARY), tf.constant(TEXTS), reading=Reading(8, 0.34, most))
    expected = expected_windows(TEXTS, max_length=8, overlap=2)
    windows = found_windows(found, len(TEXTS))
    for text, (ours, all_windows) in enumerate(zip(windows, expected, strict=True)):
        assert ours == all_windows[:most]
        read = sum(len(window) - 2 for window in ours) - 2 * (len(ours) - 1)
        assert found.cut_tokens[text] == found.text_tokens[text] - 2 - read
    assert found.cut_tokens.numpy().any()


PAIRS = [
    ("a b", "c d e f g h i j"),
    ("c d e f g h i j", "a b"),
    ("a b c", "d e f"),
    ("", "a b c d e f g h i"),
    ("", ""),
]


@pytest.mark.parametrize("share", [0.0, 0.4])
def test_the_longer_text_of_a_pair_is_read_in_windows_as_the_tokenizers_library_makes_them(share):
    reading = Reading(9, share, 99)  # room for 6, of which 3 at most are the shorter text's
    overlap = reading.overlap_tokens(2)
    assert overlap == int(3 * share)
    expected = []
    for first, second in PAIRS:
        tokenizer = reference(VOCABULARY)
        longer = "only_first" if len(first) > len(second) else "only_second"
        tokenizer.enable_truncation(9, stride=overlap, strategy=longer)
        encoded = tokenizer.encode(first, second)
        expected.append([(one.ids, one.type_ids) for one in (encoded, *encoded.overflowing)])
    firsts, seconds = (list(side) for side in zip(*PAIRS, strict=True))
    found = window_rows(BertTokenizer(VOCABULARY), tf.constant(firsts), tf.constant(seconds), reading=reading)
    ids = found_windows(found, len(PAIRS))
    segments = [row[:n].tolist() for row, n in zip(found.rows["segment_ids"].numpy(), found.lengths, strict=True)]
    assert ids == [[one for one, _ in windows] for windows in expected]
    assert segments == [types for windows in expected for _, types in windows]
    assert not found.cut_tokens.numpy().any()
    longest = [max(len(first.split()), len(second.split())) for first, second in PAIRS]
    assert np.bincount(found.windows.example, weights=found.windows.new_tokens).tolist() == longest


def test_of_two_long_texts_the_shorter_one_keeps_half_a_row():
    letters = "abcdefghijklmnopqrstuvwxyz"
    first, second = " ".join(letters[:5]), " ".join(letters[10:18])
    tokenizer = BertTokenizer(VOCABULARY)
    for sides in ((first, second), (second, first)):
        found = window_rows(tokenizer, tf.constant([sides[0]]), tf.constant([sides[1]]), reading=Reading(9, 0.4, 99))
        rows = [" ".join(tokenizer.vocabulary[i] for i in row) for row in found.rows["token_ids"].numpy()]
        windows = ["k l m", "m n o", "o p q", "q r"]  # three tokens of each, one of which is the last one's
        whole = [f"[CLS] a b c [SEP] {part} [SEP]" if sides[0] == first else f"[CLS] {part} [SEP] a b c [SEP]"
                 for part in windows]  # fmt: skip
        assert [row.removesuffix(" [PAD]") for row in rows] == whole
        assert (found.text_tokens.numpy().tolist(), found.cut_tokens.numpy().tolist()) == ([5 + 8 + 3], [2])


def test_outputs_of_windows_are_averaged_by_their_new_tokens_and_single_ones_kept_as_they_are():
    windows = Windows(tf.constant([0, 0, 1, 2, 2, 2]), tf.constant([6, 2, 0, 4, 4, 1]))
    outputs = np.random.default_rng(1).normal(size=(6, 3)).astype(np.float32)
    found = where_several(mean_over_windows(tf.constant(outputs), windows), tf.constant(outputs), windows).numpy()
    np.testing.assert_allclose(found[0], (6 * outputs[0] + 2 * outputs[1]) / 8, rtol=1e-6)
    np.testing.assert_array_equal(found[1], outputs[2])
    np.testing.assert_allclose(found[2], (4 * outputs[3] + 4 * outputs[4] + outputs[5]) / 9, rtol=1e-5)


@pytest.mark.parametrize(("texts", "at_once"), [(1, 2), (3, 3), (9, 9)])
def test_rows_are_asked_some_at_a_time_but_as_many_as_there_are_texts(texts, at_once, monkeypatch):
    monkeypatch.setattr("bert_tf.kinds.long_texts.windows.WINDOWS_AT_ONCE", 2)
    ids, sizes = np.arange(7 * 4, dtype=np.int32).reshape(7, 4), []

    def model(inputs: Any) -> Any:
        assert set(inputs) == {"token_ids"}
        sizes.append(len(inputs["token_ids"]))
        return inputs["token_ids"][:, :2]

    found = ask(model, {"token_ids": tf.constant(ids), "starts": tf.constant(ids)}, texts=tf.constant(texts), width=2)
    np.testing.assert_array_equal(found, ids[:, :2].astype(np.float32))
    assert max(sizes) == min(at_once, 7)
    assert sum(sizes) == 7


def test_a_data_set_has_the_same_windows_as_a_text_and_each_text_counts_once():
    tokenizer, reading = BertTokenizer(VOCABULARY), Reading(8, 0.34, 3)
    rows = window_rows(tokenizer, tf.constant(TEXTS), reading=reading)
    features = encode_windows(tokenizer, TEXTS, reading=reading)
    real = rows.rows["padding_mask"].numpy().astype(bool)
    np.testing.assert_array_equal(features.token_ids, rows.rows["token_ids"].numpy()[real])
    np.testing.assert_array_equal(features.lengths, rows.lengths)
    np.testing.assert_array_equal(features.example, rows.windows.example)
    assert features.cut is not None
    np.testing.assert_array_equal(features.cut.lost, rows.cut_tokens)
    np.testing.assert_array_equal(features.cut.tokens, rows.text_tokens)
    labelled = features.of_texts(np.arange(len(TEXTS)))
    np.testing.assert_array_equal(labelled.labels, features.example)
    np.testing.assert_allclose(np.bincount(features.example, weights=labelled.weights), 1.0, rtol=1e-6)
    assert features.first_windows.tolist() == [list(features.example).index(i) for i in range(len(TEXTS))]
