"""Pairs, truncation, windows with a stride and padding, as in the `tokenizers` library."""

from __future__ import annotations

import random

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.text import BertTokenizer
from tests.text.reference import SPECIAL, fuzzed_texts, reference

VOCABULARY = (*SPECIAL, *"abcdefgh", *(f"##{c}" for c in "abcd"), "ab", "##cd", ",", ".", "é")
TOKENIZER = BertTokenizer(VOCABULARY)


def random_texts(count: int, *, seed: int, most: int = 14) -> list[str]:
    rng = random.Random(seed)
    return [
        " ".join(rng.choice(("a", "bc", "abcd", "é,", "xyz", "h")) for _ in range(rng.randrange(most)))
        for _ in range(count)
    ]


def expected_rows(texts, pairs, *, max_length, truncation, stride=None):
    """Of each text (token_ids, segment_ids, starts, ends) of all its windows, or None where the reference refuses."""
    tokenizer, rows = reference(VOCABULARY), []
    if truncation != "none":
        tokenizer.enable_truncation(max_length, stride=stride or 0, strategy=truncation)
    for i, text in enumerate(texts):
        try:
            encoding = tokenizer.encode(text, pairs[i] if pairs else None)
        except Exception as error:
            if "too short" not in str(error):
                raise
            rows.append(None)
        else:
            windows = [encoding, *(encoding.overflowing if stride is not None else ())]
            rows.append([(e.ids, e.type_ids, *map(list, zip(*e.offsets, strict=True))) for e in windows])
    return rows


def found_rows(encoded, example):
    columns = [encoded[name].numpy() for name in ("token_ids", "segment_ids", "starts", "ends")]
    lengths = encoded["padding_mask"].numpy().sum(axis=1)
    rows: dict[int, list] = {}
    for row, number in enumerate(example):
        rows.setdefault(int(number), []).append(tuple(column[row, : lengths[row]].tolist() for column in columns))
        assert not any(column[row, lengths[row] :].any() for column in columns)  # [PAD] is 0
    return [rows[number] for number in sorted(rows)]


@pytest.mark.parametrize("truncation", ["longest_first", "only_first", "only_second", "none"])
@pytest.mark.parametrize("max_length", [3, 4, 9, 14])
def test_truncated_pairs_are_as_in_the_reference(truncation, max_length):
    texts, pairs = random_texts(150, seed=3), random_texts(150, seed=4)
    expected = expected_rows(texts, pairs, max_length=max_length, truncation=truncation)
    fine = [i for i, rows in enumerate(expected) if rows is not None]
    texts, pairs, expected = ([column[i] for i in fine] for column in (texts, pairs, expected))
    assert len(fine) > 3
    encoded = TOKENIZER(texts, pairs, max_length=max_length, truncation=truncation, return_offsets=True)
    assert found_rows(encoded, range(len(texts))) == expected
    if max_length != 9:
        return
    ragged = TOKENIZER.encode_ragged(texts, pairs, max_length=max_length, truncation=truncation)
    assert ragged["token_ids"].to_list() == [rows[0][0] for rows in expected]
    assert ragged["segment_ids"].to_list() == [rows[0][1] for rows in expected]


@pytest.mark.parametrize("truncation", ["longest_first", "only_first", "none"])
@pytest.mark.parametrize("max_length", [2, 7])
def test_truncated_texts_are_as_in_the_reference(truncation, max_length):
    texts = ["", *random_texts(100, seed=5)]
    expected = expected_rows(texts, None, max_length=max_length, truncation=truncation)
    encoded = TOKENIZER(texts, max_length=max_length, truncation=truncation, return_offsets=True)
    assert found_rows(encoded, range(len(texts))) == expected


@pytest.mark.parametrize("truncation", ["longest_first", "only_first", "only_second"])
@pytest.mark.parametrize(("max_length", "stride"), [(17, 0), (25, 1), (18, 6)])
def test_windows_of_pairs_are_as_in_the_reference(truncation, max_length, stride):
    short, long = random_texts(100, seed=6, most=3), random_texts(100, seed=7, most=30)
    texts, pairs = (long, short) if truncation == "only_first" else (short, long)
    if truncation == "longest_first":
        texts = random_texts(100, seed=8, most=30)
    expected = expected_rows(texts, pairs, max_length=max_length, truncation=truncation, stride=stride)
    encoded = TOKENIZER(texts, pairs, max_length=max_length, truncation=truncation, stride=stride, return_offsets=True)
    assert found_rows(encoded, encoded["example"].numpy()) == expected
    assert max(map(len, expected)) > 1


@pytest.mark.parametrize(("max_length", "stride"), [(3, 0), (8, 5), (200, 100)])
def test_windows_of_texts_are_as_in_the_reference(max_length, stride):
    texts = [*random_texts(50, seed=9, most=40), ""]
    expected = expected_rows(texts, None, max_length=max_length, truncation="longest_first", stride=stride)
    encoded = TOKENIZER(texts, max_length=max_length, stride=stride, return_offsets=True)
    assert found_rows(encoded, encoded["example"].numpy()) == expected


def test_padding_to_the_longest_or_to_a_fixed_length():
    longest, fixed = TOKENIZER(["a b c", "a"]), TOKENIZER(["a b c", "a"], padding="max_length", max_length=9)
    assert longest["token_ids"].shape == (2, 5)
    assert fixed["token_ids"].shape == (2, 9)
    for name, rows in longest.items():
        np.testing.assert_array_equal(np.pad(rows, ((0, 0), (0, 4))), fixed[name])
        assert rows.dtype == fixed[name].dtype == tf.int32
    untruncated = TOKENIZER(["a b c", "a"], padding="max_length", max_length=4, truncation="none")
    np.testing.assert_array_equal(untruncated["token_ids"], longest["token_ids"])


def test_a_fixed_length_is_static_in_a_graph():
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def encode(texts):
        rows = TOKENIZER(texts, padding="max_length", max_length=7)
        assert {tuple(rows[name].shape) for name in rows} == {(None, 7)}
        return rows

    np.testing.assert_array_equal(encode(tf.constant(["a b"]))["token_ids"], [[2, 5, 6, 3, 0, 0, 0]])


def test_no_texts_give_no_rows():
    for texts in ([], np.array([], dtype=str), tf.constant([], tf.string)):
        assert TOKENIZER(texts)["token_ids"].shape == (0, 0)
        assert TOKENIZER(texts, texts, stride=2, max_length=8)["example"].shape == (0,)
        assert TOKENIZER.tokenize(texts).shape[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"texts": ["a"], "max_length": 1}, "at least 2, the number of special tokens. Received: 1"),
        ({"texts": ["a"], "pairs": ["b"], "max_length": 2}, "at least 3, the number of special tokens. Received: 2"),
        ({"texts": ["a"], "max_length": 8.0}, "`max_length` must be an int of at least 2.* Received: 8.0"),
        ({"texts": ["a"], "truncation": "last"}, "longest_first, only_first, only_second, none. Received: 'last'"),
        ({"texts": ["a"], "truncation": "only_second"}, "needs `pairs`. Received: pairs=None"),
        ({"texts": ["a"], "padding": True}, "must be one of longest, max_length. Received: True"),
        ({"texts": ["a"], "max_length": 8, "stride": 6}, r"\[0, 6\).* Received: stride=6, max_length=8"),
        ({"texts": ["a"], "max_length": 8, "stride": -1}, "Received: stride=-1, max_length=8"),
        ({"texts": ["a"], "truncation": "none", "stride": 1}, "Received: truncation='none', stride=1"),
        ({"texts": ["a", "b"], "pairs": ["c"]}, "Received: 2 texts, 1 pairs"),
        ({"texts": [1, 2]}, r"`texts` must be strings, \[B\]. Received: int32 \(2,\)"),
        ({"texts": [["a"]]}, r"`texts` must be strings, \[B\]. Received: string \(1, 1\)"),
        ({"texts": ["a", None]}, r"`texts\[1\]` must be a string. Received: None"),
        ({"texts": ["a"], "pairs": [2.5]}, r"`pairs` must be strings, \[B\]. Received: float32 \(1,\)"),
        (
            {"texts": ["a b c d"], "pairs": ["e"], "max_length": 6, "truncation": "only_second"},
            r"`max_length`=6 leaves no room for the sequence that `truncation`=only_second may .*\[4\] \[1\]",
        ),
        (
            {"texts": ["a b c d e f"], "pairs": ["a b c d e f"], "max_length": 9, "stride": 3},
            r"`stride`=3 must be less than what `max_length` leaves for a window.*\[6\] \[3\]",
        ),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        TOKENIZER(**arguments)


def test_fuzzed_pairs_with_windows_are_as_in_the_reference():
    texts = fuzzed_texts(300, seed=10, vocabulary=VOCABULARY)
    pairs = fuzzed_texts(300, seed=11, vocabulary=VOCABULARY)
    expected = expected_rows(texts, pairs, max_length=40, truncation="longest_first", stride=4)
    encoded = TOKENIZER(texts, pairs, max_length=40, stride=4, return_offsets=True)
    assert found_rows(encoded, encoded["example"].numpy()) == expected
