import numpy as np
import pytest

from bert_tf.layers import LayerNorm, NoNorm
from bert_tf.layers.norms.no_norm import norm_of_kind
from tests.checks import check_layer

X = np.random.default_rng(0).normal(size=(2, 6, 8)).astype("float32")


def test_no_norm_is_a_layer():
    check_layer(NoNorm, {"dim": 8}, {"x": X}, (2, 6, 8), shorter=lambda x: x[:, :3], weights=2)


def test_columns_are_scaled_and_shifted_and_nothing_else():
    layer, plain = NoNorm(8), NoNorm(8, use_bias=False)
    np.testing.assert_array_equal(layer(X), X)
    gamma, beta = np.linspace(-1, 2, 8).astype("float32"), np.arange(8, dtype="float32")
    layer.set_weights([gamma, beta])
    np.testing.assert_allclose(layer(X, training=True), X * gamma + beta, rtol=1e-6)
    plain.build()
    plain.set_weights([gamma])
    np.testing.assert_allclose(plain(X), X * gamma, rtol=1e-6)


def test_sums_of_large_numbers_are_not_rounded_before_they_are_scaled():
    layer = NoNorm(8, dtype="mixed_bfloat16")
    layer.build()
    layer.set_weights([np.full(8, 2.0**-8), np.zeros(8)])
    x = np.full((1, 1, 8), 256.5, "float32")  # 256 or 258 in bfloat16
    np.testing.assert_allclose(np.array(layer(x), "float32"), 256.5 / 256, rtol=2**-8)


def test_the_kind_is_chosen_by_its_name():
    options = {"epsilon": 0.5, "use_bias": False, "name": "x"}
    norm = norm_of_kind("layer_norm", 8, **options)
    assert isinstance(norm, LayerNorm)
    assert (norm.epsilon, norm.use_bias) == (0.5, False)
    assert isinstance(norm_of_kind("no_norm", 8, **options), NoNorm)
    with pytest.raises(ValueError, match=r"`norm_kind` must be one of layer_norm, no_norm. Received: .*'batch_norm'"):
        norm_of_kind("batch_norm", 8, **options)
