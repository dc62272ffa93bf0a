"""The bias for distances."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from bert_tf.layers import RelativeBias
from bert_tf.layers.relative.bias import buckets_of

# From which distance on each bucket of 32 is another one, as `MPNetEncoder.relative_position_bucket` of Transformers
# 5.24 has them for distances up to 600.
EDGES = [1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91]


def test_a_bias_has_a_number_for_each_bucket():
    x = np.zeros((2, 5, 4), "float32")
    queries = np.array([[0, 3], [1, 4]], "int32")
    layer = RelativeBias(num_heads=2, num_buckets=8, initializer_range=0.5)
    again = RelativeBias.from_config(layer.get_config())
    again(x)
    for policy in ("mixed_bfloat16", "mixed_float16"):
        assert RelativeBias(num_heads=2, num_buckets=8, dtype=policy)(x).dtype == "float32"
    assert layer(keras.KerasTensor((None, None, 4))).shape == (1, 2, None, None)
    assert layer(keras.KerasTensor((3, 5, 4)), keras.KerasTensor((3, 2), "int32")).shape == (3, 2, 2, 5)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(x, queries), layer(x, queries))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(x, queries))
    assert float(tf.reduce_sum(tf.convert_to_tensor(tape.gradient(total, layer.table.value)))) == 2 * 2 * 2 * 5
    whole, some = np.asarray(layer(x)), np.asarray(layer(x, queries))
    table = np.asarray(layer.table)
    for query in range(5):
        for key in range(5):
            bucket = buckets_of(np.array(key - query), 8)
            np.testing.assert_array_equal(whole[0, :, query, key], table[bucket])
    for row in range(2):
        np.testing.assert_array_equal(some[row], whole[0][:, queries[row]])


def test_buckets_are_those_that_the_models_were_trained_with():
    distances = np.arange(600)
    wanted = np.searchsorted(EDGES, distances, side="right")
    np.testing.assert_array_equal(buckets_of(-distances, 32), wanted)
    np.testing.assert_array_equal(buckets_of(distances[1:], 32), 16 + wanted[1:])


def test_distances_beyond_the_farthest_are_one():
    layer, x = RelativeBias(num_heads=2, initializer_range=0.5), np.zeros((1, 200, 1), "float32")
    found = np.asarray(layer(x, np.array([[0, 199]], "int32")))
    np.testing.assert_array_equal(found[0, :, 0, 91:], np.repeat(np.asarray(layer.table)[31][:, None], 109, axis=1))
    np.testing.assert_array_equal(found[0, :, 1, :109], np.repeat(np.asarray(layer.table)[15][:, None], 109, axis=1))


@pytest.mark.parametrize("buckets", [0, 2, 7, 2.0])
def test_bad_arguments_are_named(buckets):
    with pytest.raises(ValueError, match=f"`num_buckets` must be .*num_buckets={buckets}"):
        RelativeBias(num_heads=2, num_buckets=buckets)
