"""The tokenizer gives the ids and offsets of the `tokenizers` library, everywhere."""

from __future__ import annotations

import pytest

from bert_tf.text import BertTokenizer
from tests.conftest import shared_data
from tests.text.reference import code_point_texts, find_mismatch, fuzzed_texts, letters_vocabulary, reference

VOCABULARIES = ("bert-base-uncased", "bert-base-cased", "bert-base-chinese", "bert-base-multilingual-cased")


@pytest.mark.parametrize("lowercase", [True, False])
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
