"""`BertSeq2Seq.generate` from text to text, beside what the Pipeline answers."""

from __future__ import annotations

import logging

import keras
import numpy as np
import pytest
import tensorflow as tf

from bert_tf import BertConfig, BertSeq2Seq, BertTokenizer, Pipeline
from bert_tf.models import Generation
from tests.conftest import VOCABULARY

TEXTS = ["a good film", "", "bad bad film. " * 9, "good"]
CONFIG = BertConfig(
    vocabulary_size=len(VOCABULARY),
    hidden_dim=8,
    num_layers=1,
    num_heads=2,
    intermediate_dim=8,
    max_positions=20,
    initializer_range=0.5,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    keras.utils.set_random_seed(3)
    model = BertSeq2Seq(CONFIG)
    model.masked_lm.bias.assign(np.random.default_rng(5).normal(size=len(VOCABULARY)))
    model.save_pretrained(tmp_path_factory.mktemp("writer"), BertTokenizer(VOCABULARY))
    return model, tmp_path_factory.getbasetemp() / "writer0"


@pytest.fixture(scope="module")
def model(folder):
    return folder[0]


@pytest.fixture(scope="module")
def tokenizer():
    return BertTokenizer(VOCABULARY)


def test_texts_are_written_as_the_pipeline_writes_them(folder, tokenizer, caplog):
    model, where = folder
    with caplog.at_level(logging.ERROR):
        answers = Pipeline(str(where))(TEXTS)
    written = model.generate(TEXTS, tokenizer=tokenizer)
    assert written == [answer["generated"] for answer in answers]
    assert len(set(written)) > 1
    assert model.generate("good", tokenizer=tokenizer) == written[-1]
    assert model.generate(tf.constant(TEXTS), tokenizer=tokenizer) == written
    assert model.generate(TEXTS, tokenizer=BertTokenizer.from_pretrained(where)) == written


def test_settings_may_be_given_by_name(model, tokenizer):
    beams = model.generate(TEXTS, Generation(beams=3, max_length=5), tokenizer=tokenizer)
    assert model.generate(TEXTS, tokenizer=tokenizer, beams=3, max_length=5) == beams
    assert model.generate(TEXTS, Generation(max_length=5), tokenizer=tokenizer, beams=3) == beams
    assert model.generate(TEXTS, tokenizer=tokenizer, beams=3, max_length=2) != beams


def test_token_ids_with_a_tokenizer_need_no_ids_of_special_tokens(model, tokenizer):
    inputs = {name: tokenizer(TEXTS, max_length=10)[name] for name in ("token_ids", "padding_mask")}
    found = model.generate(inputs, tokenizer=tokenizer)
    never = (tokenizer.pad_id, tokenizer.unk_id, tokenizer.cls_id, tokenizer.mask_id)
    same = model.generate(inputs, Generation(max_length=10), end_id=tokenizer.sep_id, never=never)
    np.testing.assert_array_equal(found["token_ids"], same["token_ids"])
    assert tokenizer.batch_decode(found["token_ids"]) == model.generate(TEXTS, tokenizer=tokenizer)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda model, _: model.generate(TEXTS), r"`tokenizer` is needed where `inputs` are texts"),
        (lambda model, _: model.generate({"token_ids": [[2, 3]]}), "`end_id` or `tokenizer` is needed"),
        (
            lambda model, tokenizer: model.generate(TEXTS, tokenizer=tokenizer, max_length=18),
            r"`max_length` must be less than 18.*takes 20 tokens in all. Received: max_length=18",
        ),
        (lambda model, tokenizer: model.generate(["a", 3], tokenizer=tokenizer), r"`texts\[1\]` must be a string"),
        (
            lambda model, tokenizer: model.generate("a", tokenizer=tokenizer, max_tokens=3),
            "unexpected keyword argument 'max_tokens'",
        ),
    ],
)
def test_what_is_missing_is_named(model, tokenizer, call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call(model, tokenizer)


def test_the_longest_text_that_leaves_room_is_written(model, tokenizer):
    assert isinstance(model.generate("good " * 30, tokenizer=tokenizer, max_length=17), str)
    short = BertTokenizer(VOCABULARY, model_max_length=8)
    with pytest.raises(ValueError, match="`max_length` must be less than 6"):
        model.generate("good", tokenizer=short, max_length=6)
