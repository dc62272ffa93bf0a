"""Calls of many texts, which are worked out as two halves, have the pieces of calls of one."""

from __future__ import annotations

import pytest

from bert_tf import Tokenizer
from bert_tf.text.sentence_pieces.graph import HALVED

TEXTS = ["An unaffable café, １２３", "", "日本語 [MASK] x", "ﬁ\u0301", "a a a", "unable to say"]


@pytest.fixture(scope="module")
def tokenizer(folders) -> Tokenizer:
    return Tokenizer.from_pretrained(folders / "albert_json")


@pytest.mark.parametrize("count", [0, 1, HALVED - 1, HALVED, HALVED + 1, 3 * HALVED + 1])
def test_pieces_and_places_are_those_of_single_texts(tokenizer, count):
    alone = [[column.to_list()[0] for column in tokenizer.tokenize_with_offsets([text])] for text in TEXTS]
    numbers = [i % len(TEXTS) for i in range(count)]
    texts = [TEXTS[number] for number in numbers]
    found = [column.to_list() for column in tokenizer.tokenize_with_offsets(texts)]
    assert found == [[alone[number][column] for number in numbers] for column in range(3)]
    assert tokenizer.tokenize(texts).to_list() == found[0]
