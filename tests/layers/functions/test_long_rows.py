"""Attention of long rows, in bands and in chunks: the same numbers and gradients as of all scores at once."""

from functools import partial
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.layers.dropout import dropout
from bert_tf.layers.functions.banded import in_bands
from bert_tf.layers.functions.chunked import in_chunks
from bert_tf.layers.functions.masks import Sight, sight_of
from bert_tf.layers.self_attention import _attend

RANDOM = np.random.default_rng(0)
LENGTH = 23
Q, K, V, DY = (RANDOM.normal(size=(2, LENGTH, 2, 3)).astype("float32") for _ in range(4))
IDS = np.zeros((2, LENGTH), "int32")
MASK = np.stack([np.arange(LENGTH) < 17, np.arange(LENGTH) < LENGTH]).astype("int32")
PACKED = np.stack([np.repeat([1, 2, 3, 0], [9, 4, 7, 3]), np.repeat([1, 2], [2, 21])]).astype("int32")
SIGHTS = {
    "all": sight_of(IDS), "padded": sight_of(IDS, MASK), "packed": sight_of(IDS, None, PACKED),
    "packed-padded": sight_of(IDS, MASK, PACKED),
}  # fmt: skip
SEED = tf.constant([3, 4])


def whole(q, k, v, sight, reach=0, rate=0.0):
    return _attend(q, k, v, sight.bias(reach), rate=rate, seed=SEED)


def bands(q, k, v, sight, reach):
    return in_bands(partial(_attend, rate=0.0, seed=None), q, k, v, sight, reach)


def chunks(q, k, v, sight, chunk, rate=0.0):
    return in_chunks(q, k, v, sight, rate=rate, drop=dropout, seed=SEED, chunk=chunk)


def value_and_gradients(function, inputs, sight, number=0):
    """Of the queries that see something: of padding there may be some that do not, and what they get is nobody's."""
    reach = number if function in (bands, whole) else 0
    real = tf.reduce_any(tf.equal(sight.bias(reach), 0.0), axis=-1)[:, 0, :, None, None]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        out = tf.where(real, function(*inputs, sight, number), 0.0)
    return [out, *tape.gradient(out, inputs, output_gradients=tf.constant(DY))]


def assert_alike(found, wanted, atol=1e-5):
    for ours, theirs in zip(found, wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=atol)


INPUTS: tuple[Any, Any, Any] = (tf.constant(Q), tf.constant(K), tf.constant(V))


# Of 6 and 2 tokens a block, and of one block for all.
@pytest.mark.parametrize(("sight", "reach"), [*((name, 3) for name in SIGHTS), ("packed", 1), ("padded", 20)])
def test_bands_are_a_window_of_all_scores(sight, reach):
    seen = np.abs(np.arange(LENGTH)[:, None] - np.arange(LENGTH)) <= reach
    np.testing.assert_array_equal(np.array(SIGHTS["all"].bias(reach))[0, 0] == 0.0, seen)
    wanted = value_and_gradients(whole, INPUTS, SIGHTS[sight], reach)
    assert_alike(value_and_gradients(bands, INPUTS, SIGHTS[sight], reach), wanted)


@pytest.mark.parametrize(("sight", "chunk"), [*((name, 8) for name in SIGHTS), ("all", 23), ("padded", 64)])
def test_chunks_are_all_scores(sight, chunk):
    wanted = value_and_gradients(whole, INPUTS, SIGHTS[sight])
    assert_alike(value_and_gradients(chunks, INPUTS, SIGHTS[sight], chunk), wanted)


@pytest.mark.parametrize("xla", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("function", "number"), [(bands, 3), (chunks, 8)])
def test_compiled_by_xla_and_with_lengths_that_are_not_known(function, number, xla):
    wanted = value_and_gradients(whole, INPUTS, SIGHTS["packed"], number if function is bands else 0)
    shape = [2, LENGTH, 2, 3] if xla else [None, None, 2, 3]
    numbers = tf.TensorSpec(shape[:2], tf.int32)

    @tf.function(
        jit_compile=xla, input_signature=[*[tf.TensorSpec(shape, tf.float32)] * 3, numbers, numbers], autograph=False
    )
    def run(q, k, v, queries, keys):
        return value_and_gradients(function, [q, k, v], Sight(queries, keys, SIGHTS["packed"].masked), number)

    assert_alike(run(*INPUTS, SIGHTS["packed"].queries, SIGHTS["packed"].keys), wanted)


def test_what_is_dropped_in_chunks_is_dropped_in_their_gradient_too():
    """By a loss that is one weight each: where a weight was dropped, no gradient comes to its value."""
    sight = SIGHTS["padded"]
    out, dq, dk, dv = value_and_gradients(partial(chunks, rate=0.5), INPUTS, sight, 8)
    again = value_and_gradients(partial(chunks, rate=0.5), INPUTS, sight, 8)
    assert_alike([out, dq, dk, dv], again, atol=0.0)
    assert np.abs(out - whole(*INPUTS, sight)).max() > 0.1
    # Values come in linearly, so their gradient is known from outputs alone; queries' by small steps.
    values = tf.constant(RANDOM.normal(size=V.shape).astype("float32"))
    change = chunks(Q, K, V + values, sight, 8, 0.5) - out
    np.testing.assert_allclose(tf.reduce_sum(change * DY), tf.reduce_sum(dv * values), rtol=1e-4)
    step = tf.constant(1e-2 * RANDOM.normal(size=Q.shape), tf.float32)
    for slope, along in ((dq, (step, 0.0, 0.0)), (dk, (0.0, step, 0.0))):
        q, k, v = along
        up, down = (
            tf.reduce_sum(chunks(Q + sign * q, K + sign * k, V + sign * v, sight, 8, 0.5) * DY) for sign in (1.0, -1.0)
        )
        np.testing.assert_allclose(up - down, 2 * tf.reduce_sum(slope * step), rtol=2e-2, atol=1e-3)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_low_precision(dtype):
    q, k, v = (tf.cast(x, dtype) for x in INPUTS)
    near, all_of_them = whole(*INPUTS, SIGHTS["packed"], 3), whole(*INPUTS, SIGHTS["packed"])
    for function, number, wanted in ((bands, 3, near), (chunks, 8, all_of_them)):
        found = function(q, k, v, SIGHTS["packed"], number)
        assert found.dtype == dtype
        np.testing.assert_allclose(tf.cast(found, tf.float32), wanted, atol=0.05)
