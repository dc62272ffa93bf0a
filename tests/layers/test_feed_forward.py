import math
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from bert_tf.layers import FeedForward, Pooler
from bert_tf.layers.feed_forward import ACTIVATIONS, activate
from bert_tf.layers.functions.gelu import gelu
from tests.checks import check_layer

X = np.random.default_rng(0).normal(size=(2, 6, 8)).astype("float32")
GRID = np.linspace(-6, 6, 241).astype("float32")
PHI = np.array([0.5 * (1 + math.erf(x / math.sqrt(2))) for x in GRID])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_feed_forward_is_a_layer(activation):
    arguments = {"hidden_dim": 8, "intermediate_dim": 5, "activation": activation, "initializer_range": 0.3}
    check_layer(FeedForward, arguments, {"x": X}, (2, 6, 8), shorter=lambda x: x[:, :3], weights=4)


def test_gated_feed_forward_is_a_layer_and_multiplies_with_the_second_half():
    arguments: dict[str, Any] = {"hidden_dim": 8, "intermediate_dim": 5, "initializer_range": 0.5, "gated": True}
    layer = check_layer(
        FeedForward, arguments | {"use_bias": False}, {"x": X}, (2, 6, 8), shorter=lambda x: x[:, :3], weights=2
    )
    first, last = (ops.convert_to_numpy(weight).astype("float64") for weight in layer.weights)
    inner, gate = np.split(X.astype("float64") @ first, 2, axis=-1)
    phi = np.vectorize(lambda x: 0.5 * (1 + math.erf(x / math.sqrt(2))))(inner)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(X)), (inner * phi * gate) @ last, atol=1e-5)


def test_dropout_within_falls_on_the_inner_values_in_training_only():
    layer, seed = FeedForward(8, 5, dropout=0.5, initializer_range=0.5), np.array([3, 4], "int32")
    np.testing.assert_array_equal(layer(X), layer(X, training=False, seed=seed))
    dropped = layer(X, seed=seed, training=True)
    assert np.abs(dropped - layer(X)).max() > 1e-3
    np.testing.assert_array_equal(dropped, layer(X, seed=seed, training=True))
    assert np.linalg.matrix_rank(np.asarray(dropped).reshape(-1, 8), tol=1e-4) == 5


def test_a_pooler_with_a_norm_is_a_layer():
    arguments = {"hidden_dim": 8, "initializer_range": 0.3, "activation": "gelu", "use_bias": False}
    layer = check_layer(Pooler, arguments | {"norm_epsilon": 1e-5, "norm_bias": False}, {"x": X}, (2, 6, 8), weights=2)
    x = ops.convert_to_numpy(X @ ops.convert_to_numpy(layer.dense.kernel)).astype("float64")
    x = x * np.vectorize(lambda v: 0.5 * (1 + math.erf(v / math.sqrt(2))))(x)
    x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(X)), x, atol=2e-5)


def test_pooler_is_a_layer():
    layer = check_layer(Pooler, {"hidden_dim": 8, "initializer_range": 0.3}, {"x": X}, (2, 6, 8), weights=2)
    kernel, bias = (ops.convert_to_numpy(weight) for weight in (layer.dense.kernel, layer.dense.bias))
    np.testing.assert_allclose(ops.convert_to_numpy(layer(X[:, 0])), np.tanh(X[:, 0] @ kernel + bias), atol=1e-6)


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ("quick_gelu", lambda x: x / (1 + math.exp(-1.702 * x))),
        ("mish", lambda x: x * math.tanh(math.log1p(math.exp(x)))),
        ("silu", lambda x: x / (1 + math.exp(-x))),
        ("relu", lambda x: max(x, 0.0)),
        ("tanh", math.tanh),
        ("linear", lambda x: x),
        ("gelu_tanh", lambda x: 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))),
    ],
)
def test_activations_are_what_their_names_say(activation, expected):
    np.testing.assert_allclose(activate(activation, ops.convert_to_tensor(GRID)), [*map(expected, GRID)], atol=1e-6)


@pytest.mark.parametrize("training", [False, True])
def test_gelu_is_the_exact_one(training):
    np.testing.assert_allclose(gelu(ops.convert_to_tensor(GRID), training=training), GRID * PHI, atol=1e-6)


@pytest.mark.parametrize("training", [False, True])
def test_gradient_of_gelu(training):
    x = tf.constant(GRID)
    with tf.GradientTape() as tape:
        tape.watch(x)
        out = gelu(x, training=training)
    expected = PHI + GRID * np.exp(-(GRID.astype("float64") ** 2) / 2) / math.sqrt(2 * math.pi)
    np.testing.assert_allclose(tape.gradient(out, x), expected, atol=2e-6)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("dtype", "rounding"), [("bfloat16", 2**-8), ("float16", 2**-10)])
def test_gelu_in_low_precision_is_the_exact_one_rounded(dtype, rounding, training):
    x = ops.cast(GRID, dtype)
    exact = np.array([v * 0.5 * math.erfc(-v / math.sqrt(2)) for v in np.array(ops.cast(x, "float32"), "float64")])
    out = gelu(x, training=training)
    assert out.dtype == dtype
    np.testing.assert_allclose(np.array(ops.cast(out, "float32")), exact, rtol=rounding, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"activation": "swish"},
            "`activation` must be one of gelu, gelu_tanh, quick_gelu, relu, silu, mish, tanh, linear.*'swish'",
        ),
        ({"intermediate_dim": 0}, "`intermediate_dim` must be an integer of at least 1.*intermediate_dim=0"),
        ({"hidden_dim": "8"}, "`hidden_dim`.*hidden_dim='8'"),
    ],
)
def test_bad_arguments_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        FeedForward(**({"hidden_dim": 8, "intermediate_dim": 5} | changes))
