"""SentenceScore: the mean of each sentence's tokens and the vector of its place, through one dense layer."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from bert_tf.layers import SentenceScore
from bert_tf.layers.embeddings import sinusoids

X = np.random.default_rng(0).normal(size=(2, 5, 6)).astype("float32")
INPUTS = {
    "token_ids": np.ones((2, 5), "int32"),
    "segment_ids": np.array([[0, 0, 1, 1, 1], [0, 1, 0, 0, 0]], "int32"),
    "padding_mask": np.array([[1, 1, 1, 1, 1], [1, 1, 1, 1, 0]], "int32"),
}
SENTENCES = [[[0, 1], [2, 3, 4]], [[0], [1], [2, 3]]]  # places of each sentence's tokens


@pytest.fixture(name="layer")
def layer_fixture() -> SentenceScore:
    layer = SentenceScore(6, max_sentences=5)
    layer.build(None)
    layer.set_weights([np.random.default_rng(1).normal(size=(6, 1)), np.array([0.7])])
    return layer


def test_scores_are_of_the_mean_and_the_place(layer):
    kernel, bias = map(np.array, layer.weights)
    found = np.array(layer(X, INPUTS))
    for row, sentences in enumerate(SENTENCES):
        for number, places in enumerate(sentences):
            wanted = (X[row, places].mean(axis=0) + sinusoids(5, 6)[number]) @ kernel[:, 0] + bias[0]
            np.testing.assert_allclose(found[row, places], wanted, atol=1e-5)


def test_the_config_gives_the_layer_back_and_shapes_are_known(layer):
    again = SentenceScore.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    symbols = {name: keras.KerasTensor((None, None), dtype="int32") for name in INPUTS}
    out = again(keras.KerasTensor((None, None, 6)), symbols)
    assert (out.shape, out.dtype) == ((None, None), "float32")
    assert [weight.path.split("/")[-1] for weight in again.weights] == ["kernel", "bias"]


def test_a_gradient_reaches_both_weights(layer):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(layer(X, INPUTS)))
    for weight, gradient in zip(layer.weights, tape.gradient(loss, [w.value for w in layer.weights]), strict=True):
        assert np.abs(gradient).max() > 0, weight.path


@pytest.mark.parametrize(("arguments", "name"), [((0, 5), "hidden_dim"), ((6, 0), "max_sentences")])
def test_bad_sizes_are_named(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` must be an integer of at least 1. Received: {name}=0"):
        SentenceScore(arguments[0], max_sentences=arguments[1])
