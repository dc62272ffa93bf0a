"""Tokens by id and ids by token: as Transformers' fast tokenizer says them, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.text import AddedToken, BertTokenizer

# Made with Transformers by benchmarks/make_golden_token_names.py.
GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "token_names.json").read_text(encoding="utf-8"))
ADDED = [AddedToken(token, special=special) for token, special in GOLDEN["added"].items()]
TOKENIZER = BertTokenizer(GOLDEN["vocabulary"], added_tokens=ADDED)


@pytest.mark.parametrize("number", range(len(GOLDEN["calls"])))
def test_calls_answer_as_those_of_transformers(number):
    name, args, options, wanted = GOLDEN["calls"][number]
    options = {key: value for key, value in options.items() if key != "truncation"}  # here `max_length` is enough
    assert getattr(TOKENIZER, name)(*args, **options) == wanted


def test_special_tokens_have_transformers_names():
    assert {name: getattr(TOKENIZER, name) for name in GOLDEN["properties"]} == GOLDEN["properties"]


def test_ids_may_be_an_array_or_a_tensor():
    for ids in (np.array([5, 7]), tf.constant([5, 7]), range(5, 8, 2)):
        assert TOKENIZER.convert_ids_to_tokens(ids) == ["good", "##ly"]
    assert TOKENIZER.convert_ids_to_tokens(np.int32(5)) == TOKENIZER.convert_ids_to_tokens(tf.constant(5)) == "good"
    assert TOKENIZER.batch_decode(tf.ragged.constant([[5, 7], [6]])) == ["goodly", "bad"]
    assert TOKENIZER.batch_decode([]) == []


def test_a_token_that_occurs_again_has_its_last_id():
    tokenizer = BertTokenizer((*GOLDEN["vocabulary"], "good"))
    assert (tokenizer.token_to_id("good"), tokenizer.token_to_id["good"]) == (12, 12)
    assert (tokenizer.id_to_token(5), tokenizer.id_to_token(12)) == ("good", "good")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: TOKENIZER.token_to_id("zzz"), "`token` must be one of the vocabulary's 14 tokens. Received: 'zzz'"),
        (lambda: TOKENIZER.id_to_token(14), r"`id` must be an integer in \[0, 14\). Received: 14"),
        (lambda: TOKENIZER.id_to_token(-1), "Received: -1"),
        (lambda: TOKENIZER.id_to_token(2.0), "Received: 2.0"),
        (lambda: TOKENIZER.convert_ids_to_tokens([2, 99]), "Received: 99"),
        (
            lambda: TOKENIZER.encode(["good", "bad"]),  # pyright: ignore[reportArgumentType]
            r"`text` must be one str.*Received: \['good', 'bad'\]",
        ),
        (
            lambda: TOKENIZER.encode("good", 3),  # pyright: ignore[reportArgumentType]
            "`pair` must be one str.*Received: 3",
        ),
    ],
)
def test_what_is_not_there_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_config_makes_the_same_tokenizer_again():
    added = [*ADDED, AddedToken("[MASK]", lstrip=True)]
    tokenizer = BertTokenizer(
        GOLDEN["vocabulary"],
        added_tokens=added,
        lowercase=False,
        max_word_characters=7,
        split_special_tokens=True,
        pairs=False,
        model_max_length=33,
    )
    config = json.loads(json.dumps(tokenizer.get_config()))
    again = BertTokenizer.from_config(config)
    assert again.get_config() == tokenizer.get_config()
    assert (again.added_tokens, again.vocabulary) == (tokenizer.added_tokens, tokenizer.vocabulary)
    text = ["Good [MASK] E1 film <speaker> goodgoodly"]
    assert again.tokenize(text).to_list() == tokenizer.tokenize(text).to_list()
    assert again.lowercase is False


def test_repr_says_what_is_unusual():
    assert repr(TOKENIZER) == "BertTokenizer(vocabulary of 14 tokens, lowercase=True)"
    other = BertTokenizer(GOLDEN["vocabulary"], lowercase=False, mask_token="film", model_max_length=8)
    assert repr(other) == (
        "BertTokenizer(vocabulary of 12 tokens, lowercase=False, mask_token='film', model_max_length=8)"
    )
