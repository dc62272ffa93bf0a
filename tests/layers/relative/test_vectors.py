"""The vectors of distances, and attention that looks at them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from bert_tf.layers import RelativeVectors, SelfAttention
from bert_tf.layers.dropout import dropout, second_seed
from bert_tf.layers.functions.distances import Distances
from bert_tf.layers.trainable import Composite
from tests.checks import check_layer

X = np.random.default_rng(0).normal(size=(2, 6, 8)).astype("float32")
ARGUMENTS: dict[str, Any] = {"hidden_dim": 8, "farthest": 9, "num_buckets": 4, "longest": 9, "initializer_range": 0.5}
SEED = np.array([1, 2], "int32")


@keras.saving.register_keras_serializable(package="tests")
class LooksAtDistances(Composite):
    """Attention with the vectors that it looks at, of 8 numbers and 2 heads."""

    def __init__(self, terms: str, shared: bool, norm_epsilon: float | None = None, dropout: float = 0.1, **kwargs):
        super().__init__(**kwargs)
        self.terms, self.shared, self.norm_epsilon, self.dropout = terms, shared, norm_epsilon, dropout
        policy: dict[str, Any] = {"initializer_range": 0.5, "dtype": self.dtype_policy}
        self.vectors = RelativeVectors(8, 9, num_buckets=4, longest=9, norm_epsilon=norm_epsilon, **policy)
        self.attention = SelfAttention(
            8, 2, dropout=0.0, distance_terms=terms, shares_distances=shared, distance_dropout=dropout, **policy
        )

    def build(self, input_shape=None):
        self.vectors.build(None)
        self.attention.build(None)

    def call(self, x, queries=None, places=None, seed=None, training=None):
        vectors, rows = self.vectors(x, training=training)
        distances = Distances(vectors, rows, places)
        return self.attention(x, queries=queries, seed=seed, training=training, distances=distances)

    def compute_output_spec(self, x, **others):
        return keras.KerasTensor(x.shape, dtype=self.compute_dtype)

    def get_config(self):
        names = ("terms", "shared", "norm_epsilon", "dropout")
        return super().get_config() | {name: getattr(self, name) for name in names}


@pytest.mark.parametrize(
    ("arguments", "weights"),
    [
        ({"terms": "c2p|p2c", "shared": True, "norm_epsilon": 1e-7}, 8 + 3),
        ({"terms": "c2p|p2c", "shared": False}, 8 + 4 + 1),
        ({"terms": "p2c", "shared": False}, 8 + 2 + 1),
    ],
)
def test_attention_to_distances_is_a_layer(arguments, weights):
    check_layer(
        LooksAtDistances,
        arguments,
        {"x": X},
        (2, 6, 8),
        shorter=lambda x: x[:, :3],
        weights=weights,
        call_arguments={"seed": SEED},
    )


def plainly(layer, x):
    """The same in NumPy, float64, for one row: each pair looks its distance up."""

    def project(part, x):
        return (x @ np.array(part.kernel, "float64") + np.array(part.bias, "float64")).reshape(len(x), 2, 4)

    attention = layer.attention
    q, k, v = (project(part, x) for part in (attention.query, attention.key, attention.value))
    far = np.array(layer.vectors.table, "float64")
    keys, queries = project(attention.distance_key, far), project(attention.distance_query, far)
    row = layer.vectors.numbers[np.arange(len(x))[:, None] - np.arange(len(x)) + 9]  # [T, S]
    scores = np.einsum("tnh,snh->nts", q, k) + np.einsum("tnh,tsnh->nts", q, keys[row])
    scores = (scores + np.einsum("snh,tsnh->nts", k, queries[row])) / np.sqrt(3 * 4)
    weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    out = np.einsum("nts,snh->tnh", weights, v).reshape(len(x), 8)
    return out @ np.array(attention.output_dense.kernel, "float64") + np.array(attention.output_dense.bias, "float64")


def test_each_pair_has_the_vector_of_its_distance():
    layer = LooksAtDistances(terms="c2p|p2c", shared=False)
    layer.build()
    expected = np.stack([plainly(layer, row) for row in X])
    np.testing.assert_allclose(layer(X), expected, atol=1e-5)
    np.testing.assert_allclose(layer(X, queries=X[:, :1]), expected[:, :1], atol=1e-5)
    places = np.array([[5, 1], [2, 2]])
    some = layer(X, queries=np.take_along_axis(X, places[..., None], 1), places=places)
    np.testing.assert_allclose(some, np.take_along_axis(expected, places[..., None], 1), atol=1e-5)
    run = tf.function(lambda x: layer(x)).get_concrete_function(tf.TensorSpec([None, None, 8], tf.float32))
    np.testing.assert_allclose(run(tf.constant(X)), expected, atol=1e-5)


def test_vectors_are_dropped_in_training_by_another_draw_than_weights():
    x, seed = np.ones((1, 6, 8), "float32"), tf.constant(SEED)
    layer = LooksAtDistances(terms="c2p", shared=True, dropout=0.5)
    layer.build()
    first, again = (layer(x, seed=seed, training=True) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    kept = layer.attention.of_distances(tf.ones((16, 8)), training=True, seed=seed)[0]
    still = layer.attention.of_distances(tf.ones((16, 8)))[0]
    assert np.abs(np.asarray(kept) - np.asarray(still)).max(axis=(1, 2)).min() > 1e-3
    # Weights of attention are dropped by the seed itself.
    assert not np.array_equal(dropout(tf.ones(64), 0.5, seed), dropout(tf.ones(64), 0.5, second_seed(seed)))


@pytest.mark.parametrize("norm_epsilon", [None, 1e-7])
def test_those_alone_that_a_row_needs_are_handed_out(norm_epsilon):
    layer = RelativeVectors(**ARGUMENTS, norm_epsilon=norm_epsilon)
    again = RelativeVectors.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    whole = np.asarray((layer.build(), layer.all())[1])
    run = tf.function(lambda x: layer(x)).get_concrete_function(tf.TensorSpec([None, None], tf.int32))
    for length in (1, 2, 3, 9):
        x = tf.zeros((2, length), tf.int32)
        vectors, rows = layer(x)
        every = layer.rows_of(length - 1 - np.arange(2 * length))
        np.testing.assert_allclose(np.asarray(vectors)[np.asarray(rows)], whole[np.asarray(every)], atol=1e-6)
        assert len(vectors) == len(set(np.asarray(every).tolist()))
        for found, wanted in zip(run(x), (vectors, rows), strict=True):
            np.testing.assert_allclose(found, wanted, atol=1e-6)
    assert len(whole) == 8
    assert RelativeVectors(8, 3, longest=9).numbers.tolist() == [*[0] * 6, 0, 1, 2, 3, 4, 5, *[5] * 7]
    assert layer(keras.KerasTensor((None, 5, 8)))[1].shape == (10,)
    assert RelativeVectors(**ARGUMENTS, dtype="mixed_bfloat16")(x)[0].dtype == "bfloat16"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"num_buckets": 1}, "`num_buckets` must be 0, or at least 2. Received: num_buckets=1"),
        ({"farthest": 0}, "`farthest` must be an integer of at least 1. .*farthest=0"),
        ({"num_buckets": 8, "farthest": 5}, r"`farthest` must be above `num_buckets // 2 \+ 1`.*farthest=5, num_bu"),
    ],
)
def test_bad_arguments_are_named(arguments, said):
    with pytest.raises(ValueError, match=said):
        RelativeVectors(**ARGUMENTS | arguments)


def test_attention_wants_the_distances_that_it_looks_at():
    with pytest.raises(ValueError, match=r"`distance_terms` must be one of '', 'c2p', .*distance_terms='p2p'"):
        SelfAttention(8, 2, distance_terms="p2p")
    with pytest.raises(ValueError, match=r"`distances` are needed for distance_terms='c2p'. Received: None"):
        SelfAttention(8, 2, distance_terms="c2p")(X)
