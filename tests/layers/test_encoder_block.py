from typing import Any

import numpy as np
import pytest

from bert_tf.layers import EncoderBlock, attention_bias
from tests.checks import check_layer

X = np.random.default_rng(0).normal(size=(2, 6, 8)).astype("float32")
MASK = np.array([[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]], "int32")
SIZES: dict[str, Any] = {"hidden_dim": 8, "num_heads": 2, "intermediate_dim": 16, "initializer_range": 0.3}
SEED = np.array([1, 2], "int32")


def test_encoder_block_is_a_layer():
    check_layer(
        EncoderBlock,
        SIZES,
        {"x": X},
        (2, 6, 8),
        shorter=lambda x: x[:, :3],
        weights=16,
        call_arguments={"seed": SEED},
    )


def test_the_norm_comes_after_the_sum():
    block = EncoderBlock(**SIZES)
    block.build(X.shape)
    inner = block.attention_norm(X + block.attention(X))
    np.testing.assert_allclose(block(X), block.feed_forward_norm(inner + block.feed_forward(inner)), atol=1e-6)
    np.testing.assert_allclose(np.array(block(X)).mean(-1), 0.0, atol=1e-5)


def test_pre_norm_is_a_layer_that_hands_on_the_sum():
    arguments: dict[str, Any] = SIZES | {"norm_first": True, "norm_bias": False, "gated": True, "reach": 2}
    arguments |= {"attention_bias": False, "feed_forward_bias": False}
    options: dict[str, Any] = {"shorter": lambda x: x[:, :3], "call_arguments": {"seed": SEED}}
    check_layer(EncoderBlock, arguments, {"x": X}, (2, 6, 8), output_dtype="float32", weights=8, **options)
    block = EncoderBlock(**arguments)
    block.build(X.shape)
    inner = X + block.attention(block.attention_norm(X))
    np.testing.assert_allclose(block(X), inner + block.feed_forward(block.feed_forward_norm(inner)), atol=1e-6)
    first = EncoderBlock(**arguments, normalizes_input=False)
    first.build(X.shape)
    assert len(first.weights) == 7
    inner = X + first.attention(X)
    np.testing.assert_allclose(first(X), inner + first.feed_forward(first.feed_forward_norm(inner)), atol=1e-6)


@pytest.mark.parametrize(
    ("which", "drops"), [("hidden_dropout", False), ("attention_dropout", True), ("feed_forward_dropout", True)]
)
def test_pre_norm_drops_within_and_not_what_the_feed_forward_adds(which, drops):
    off: dict[str, Any] = {"hidden_dropout": 0.0, "attention_dropout": 0.0, which: 0.5}
    block = EncoderBlock(**(SIZES | off), norm_first=True)
    found = np.abs(block(X, training=True, seed=SEED) - block(X)).max()
    assert (found > 1e-3) == drops
    if which == "attention_dropout":  # of what attention adds, too: some of it is exactly 0
        block.feed_forward.output_dense.kernel.assign(np.zeros((16, 8)))
        kept = np.asarray(block(X, training=True, seed=SEED))
        assert 0.3 < (kept == X).mean() < 0.7


def test_padding_content_never_reaches_a_real_token():
    block, real = EncoderBlock(**SIZES), MASK.astype(bool)
    bias, other = attention_bias(MASK), np.where(real[..., None], X, 99.0)
    np.testing.assert_array_equal(np.array(block(X, bias))[real], np.array(block(other, bias))[real])


def test_some_queries_get_what_they_get_among_all():
    block, bias = EncoderBlock(**SIZES), attention_bias(MASK)
    np.testing.assert_allclose(block(X, bias, queries=X[:, :2]), block(X, bias)[:, :2], atol=1e-6)


@pytest.mark.parametrize("which", ["hidden_dropout", "attention_dropout"])
def test_each_dropout_is_active_only_in_training(which):
    off: dict[str, Any] = {"hidden_dropout": 0.0, "attention_dropout": 0.0}
    dropping: dict[str, Any] = {**SIZES, **off, which: 0.5}
    block = EncoderBlock(**dropping)
    np.testing.assert_array_equal(block(X), block(X, training=False, seed=SEED))
    assert np.abs(block(X, training=True, seed=SEED) - block(X)).max() > 1e-3
    still = EncoderBlock(**(SIZES | off))
    np.testing.assert_allclose(still(X, training=True, seed=SEED), still(X), atol=1e-5)


def test_a_bad_argument_is_named():
    with pytest.raises(ValueError, match=r"`hidden_dropout` must be a number in \[0, 1\).*hidden_dropout=1"):
        EncoderBlock(**SIZES, hidden_dropout=1)
    with pytest.raises(ValueError, match="`normalizes_input` must be True without `norm_first`"):
        EncoderBlock(**SIZES, normalizes_input=False)
