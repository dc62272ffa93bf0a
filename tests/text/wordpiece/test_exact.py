"""The tokenizer gives the ids and offsets of the `tokenizers` library, everywhere."""

from __future__ import annotations

import random

import pytest
import tensorflow as tf

from bert_tf.text import BertTokenizer
from bert_tf.text.wordpiece.graph import TWO_HALVES
from tests.conftest import shared_data
from tests.rest_slow import rest_slow
from tests.text.reference import (
    COMPOSED,
    EMOJI,
    MARKS,
    SPACES,
    code_point_texts,
    find_mismatch,
    fuzzed_texts,
    letters_vocabulary,
    reference,
)

VOCABULARIES = ("bert-base-uncased", "bert-base-cased", "bert-base-chinese", "bert-base-multilingual-cased")


@pytest.mark.parametrize("lowercase", rest_slow([True, False], True))
def test_every_code_point_is_as_in_the_reference(lowercase):
    tokenizer = BertTokenizer(letters_vocabulary(), lowercase=lowercase)
    expected = reference(letters_vocabulary(), lowercase=lowercase)
    assert find_mismatch(tokenizer, expected, code_point_texts(per_text=64), batch=8192) is None


@pytest.mark.parametrize(
    "options",
    [{"lowercase": True}, {"lowercase": False}, {"lowercase": True, "strip_accents": False},
     {"lowercase": False, "strip_accents": True}, {"lowercase": True, "split_cjk": False}],
    ids=str,
)  # fmt: skip
def test_fuzzed_texts_are_as_in_the_reference(options):
    tokenizer, expected = BertTokenizer(letters_vocabulary(), **options), reference(letters_vocabulary(), **options)
    assert find_mismatch(tokenizer, expected, fuzzed_texts(2000, seed=1, vocabulary=letters_vocabulary())) is None


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("name", VOCABULARIES)
def test_every_code_point_and_200000_fuzzed_texts_with_a_real_vocabulary(name, lowercase):
    path = shared_data(f"vocab/{name}-vocab.txt")
    tokenizer = BertTokenizer(path, lowercase=lowercase)
    expected = reference(tokenizer.vocabulary, lowercase=lowercase)
    assert find_mismatch(tokenizer, expected, code_point_texts(per_text=1)) is None
    assert find_mismatch(tokenizer, expected, fuzzed_texts(200_000, seed=2, vocabulary=tokenizer.vocabulary)) is None


def test_words_of_other_characters_between_long_stretches_of_ascii_are_as_in_the_reference():
    """Such texts are cut at these words, and what is left is worked on in two halves."""
    rng = random.Random(3)
    others = [
        *MARKS,
        *COMPOSED,
        *SPACES,
        *EMOJI,
        "café",
        "\u0301mark",
        "中文",
        "x\u00a0y",
        "[é]",
        "a\u0301\u0327",
        "\u00a0",
    ]
    ascii_words = ["the", "Un", "well-known", "3.5", "don't", "\t", "\n", " ", ""]
    texts = [
        " ".join(rng.choice(others) if rng.random() < 0.1 else rng.choice(ascii_words) for _ in range(400))
        for _ in range(150)
    ]
    texts += ["", "é", " é ", "é é", "plain", "\x01é ab", "[MASK] é", "ab é[SEP]", "a\x7f é b"]
    assert len("".join(texts)) > TWO_HALVES
    for lowercase in (True, False):
        tokenizer = BertTokenizer(letters_vocabulary(), lowercase=lowercase)
        assert find_mismatch(tokenizer, reference(letters_vocabulary(), lowercase=lowercase), texts) is None


def test_bytes_that_are_not_utf_8_are_replacement_characters_beside_words_in_parts():
    tokenizer = BertTokenizer(letters_vocabulary())
    texts = [
        b"ab \xff cd \xc3\xa9",
        b"\xc3\xa9 ab\xe2\x82",
        b"\x80 \xc3\xa9 ab",
        b"\xed\xa0\x80 \xc3\xa9 a",
        "plain \u00e9 text".encode(),
    ]
    found = tokenizer.tokenize_with_offsets(tf.constant(texts))
    expected = tokenizer.tokenize_with_offsets(tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8"))
    assert [x.to_list() for x in found] == [x.to_list() for x in expected]
