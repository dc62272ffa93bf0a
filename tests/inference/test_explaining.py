"""Integrated gradients: their sum, another computation of them, and which words they are of."""

from __future__ import annotations

import logging
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from bert_tf import BertClassifier, BertConfig, Pipeline
from bert_tf.data import InMemory
from bert_tf.inference.explaining import TOLERANCE
from bert_tf.inference.explaining.integral import integrate
from bert_tf.kinds import Classification, MultiLabel, Regression
from bert_tf.text import BertTokenizer
from tests.conftest import VOCABULARY

SHARED = {"source": InMemory({}), "sequence_length": 16}
TOKENIZER = BertTokenizer(VOCABULARY)


def pipeline_of(kind, outputs=2, problem=None):
    keras.utils.set_random_seed(3)
    config = BertConfig(
        vocabulary_size=len(VOCABULARY), hidden_dim=8, num_layers=2, num_heads=2, intermediate_dim=16,
        initializer_range=0.6,
    )  # fmt: skip
    return Pipeline(BertClassifier(config, outputs, problem=problem), TOKENIZER, kind)


@pytest.fixture(scope="module")
def pairs():
    return pipeline_of(Classification(text=("one", "two"), label="label", classes=("no", "yes"), **SHARED))


def test_attributions_add_up_to_the_difference(pairs):
    found = pairs.explain(["good film", "a bad, bad film"], ["good", "film!"])
    answers = pairs(["good film", "a bad, bad film"], ["good", "film!"])
    for explanation, answer in zip(found, answers, strict=True):
        assert explanation.output == answer["label"]
        total = sum(word.attribution for word in explanation.words)
        assert abs(total - (explanation.value - explanation.baseline)) <= TOLERANCE
        assert explanation.remainder == pytest.approx(explanation.value - explanation.baseline - total, abs=1e-9)
        assert max(abs(word.attribution) for word in explanation.words) > 10 * TOLERANCE


def test_words_are_where_they_stand(pairs):
    found = pairs.explain("Good xyz, film", "bad")
    assert [(word.column, word.text, word.start, word.end) for word in found.words] == [
        ("one", "Good", 0, 4),
        ("one", "xyz", 5, 8),  # three pieces
        ("one", ",", 8, 9),
        ("one", "film", 10, 14),
        ("two", "bad", 0, 3),
    ]
    shown = found.as_json()
    assert set(shown) == {"output", "value", "baseline", "remainder", "columns", "words"}
    assert set(shown["words"][0]) == {"column", "text", "start", "end", "attribution"}


def by_riemann_sums(model, inputs, masked_ids, number, steps=300):
    """float64 [T]: the same integral, as a plain sum in float64 through a model of the same weights, written apart."""
    weights = model.get_weights()
    keras.config.set_floatx("float64")
    try:
        config = model.config
        twin = BertClassifier(config, model.num_classes, dtype="float64")
        twin.set_weights(weights)
    finally:
        keras.config.set_floatx("float32")
    backbone: Any = twin.backbone
    real = backbone.embeddings(inputs["token_ids"], segment_ids=inputs["segment_ids"])
    start = backbone.embeddings(masked_ids, segment_ids=inputs["segment_ids"])
    assert real.dtype == tf.float64
    at = tf.constant((np.arange(steps) + 0.5) / steps)[:, None, None]
    x = start + at * (real - start)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x
        for block in backbone.blocks:
            y = block(y)
        hidden = tf.cast(backbone.pooler(y[:, :1])[:, 0], tf.float64)
        logits = tf.linalg.matmul(hidden, tf.cast(twin.classifier.kernel, tf.float64))[:, number]
    slopes = tape.gradient(logits, x).numpy().mean(axis=0)
    return np.sum(slopes * (real - start)[0].numpy(), axis=-1)


@pytest.mark.slow
def test_the_same_as_sums_in_float64(pairs):
    texts = ("good film", "a bad")
    found = pairs.explain(*texts)
    inputs = TOKENIZER([texts[0]], [texts[1]], max_length=16)
    length = int(inputs["padding_mask"].numpy().sum())
    inputs = {name: value[:, :length] for name, value in inputs.items()}
    ids = inputs["token_ids"].numpy()
    special = np.isin(ids, [TOKENIZER.cls_id, TOKENIZER.sep_id])
    masked = np.where(special, ids, TOKENIZER.mask_id)
    number = ["no", "yes"].index(found.output)
    expected = by_riemann_sums(pairs.model, inputs, masked, number)
    assert np.all(np.abs(expected[special[0]]) == 0)
    np.testing.assert_allclose([word.attribution for word in found.words], expected[~special[0]], atol=TOLERANCE)


@pytest.mark.slow
def test_several_labels_and_numbers():
    labels = pipeline_of(MultiLabel(text=("text",), classes=("a", "b", "c"), **SHARED), 3, "multi_label")
    found = labels.explain("good film")
    probabilities = labels("good film")["probabilities"]
    assert found.output == max(probabilities, key=probabilities.get)
    assert 1 / (1 + np.exp(-found.value)) == pytest.approx(probabilities[found.output], abs=1e-5)
    number = pipeline_of(Regression(text=("text",), label="stars", **SHARED), 1)
    found = number.explain("good film")
    assert (found.output, found.value) == ("stars", pytest.approx(number("good film")["value"], abs=1e-5))
    assert found.as_json()["words"][0]["text"] == "good"


def test_a_bend_in_the_line_is_found(caplog):
    """A step as steep as a step can be between the first points, which a rule over the whole line would miss."""

    def bent(at):
        z = 200 * (at - 0.37)
        return np.tanh(z), (200 / np.cosh(z) ** 2)[:, None]

    found = integrate(bent, tolerance=1e-6)
    assert found.attributions[0] == pytest.approx(np.tanh(126.0) - np.tanh(-74.0), abs=1e-6)
    assert not caplog.records

    def broken(at):  # a gradient that is not the output's
        return at, np.full((len(at), 1), 2.0)

    with caplog.at_level(logging.WARNING):
        found = integrate(broken, tolerance=1e-6, where="this text")
    assert found.attributions[0] == pytest.approx(2.0)
    assert "this text: attributions are right to 1.0e+00 only" in caplog.text
