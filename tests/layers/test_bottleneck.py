from typing import Any

import numpy as np
import pytest

from bert_tf.layers import Bottleneck, EncoderBlock
from tests.checks import check_layer
from tests.rest_slow import rest_slow

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(2, 6, 8)).astype("float32")
SEED = np.array([1, 2], "int32")
NARROW: dict[str, Any] = {
    "hidden_dim": 8, "num_heads": 2, "intermediate_dim": 5, "initializer_range": 0.3, "bottleneck_dim": 4,
    "num_feed_forwards": 3, "norm_kind": "no_norm", "activation": "relu",
}  # fmt: skip


@pytest.mark.parametrize("norm_kind", ["layer_norm", "no_norm"])
def test_bottlenecks_are_layers(norm_kind):
    base = {"x": X, "base": X[..., :3]}
    for inputs in ({"x": X}, base):
        arguments = {"input_dim": 8, "output_dim": 3, "norm_kind": norm_kind, "initializer_range": 0.3}
        check_layer(Bottleneck, arguments, inputs, (2, 6, 3), shorter=lambda x: x[:, :3], weights=4)


def test_what_is_added_to_comes_before_the_norm_and_is_not_dropped():
    layer, base = Bottleneck(8, 3, dropout=0.5, norm_kind="layer_norm"), X[..., :3]
    layer.build()
    np.testing.assert_allclose(layer(X, base), layer.norm(base + layer.dense(X)), atol=1e-6)
    layer.dense.kernel.assign(np.zeros((8, 3)))
    np.testing.assert_allclose(layer(X, base, training=True), layer.norm(base), atol=1e-6)


BLOCKS: list[tuple[dict[str, Any], int]] = [
    ({"shared_bottleneck": True}, 8 + 12 + 3 * 6 + 2),
    ({"bottleneck_attention": True}, 8 + 8 + 3 * 6 + 2),
    ({"bottleneck_dim": 8}, 8 + 8 + 3 * 6 + 2),
    ({"bottleneck_dim": 0}, 8 + 3 * 6 + 2),
    ({"shared_bottleneck": True, "norm_kind": "layer_norm", "num_feed_forwards": 1}, 8 + 12 + 6 + 2),
]


@pytest.mark.parametrize("case", rest_slow(BLOCKS, BLOCKS[0]))
def test_blocks_with_bottlenecks_and_several_feed_forwards_are_layers(case):
    changes, weights = case
    options: dict[str, Any] = {"shorter": lambda x: x[:, :3], "call_arguments": {"seed": SEED}}
    check_layer(EncoderBlock, NARROW | changes, {"x": X}, (2, 6, 8), weights=weights, **options)


def test_queries_and_keys_are_of_their_own_bottleneck_and_values_of_the_whole_input():
    block: Any = EncoderBlock(**NARROW, shared_bottleneck=True)
    block.build()
    narrow, seen = block.bottleneck(X), block.attention_bottleneck(X)
    inner = block.attention_norm(narrow + block.attention(seen, values=X))
    for feed_forward, norm in zip(block.first_feed_forwards, block.first_norms, strict=True):
        inner = norm(inner + feed_forward(inner))
    inner = block.feed_forward_norm(inner + block.feed_forward(inner))
    np.testing.assert_allclose(block(X), block.output_bottleneck(inner, X), atol=1e-6)
    np.testing.assert_allclose(block(X, queries=X[:, 2:4]), block(X)[:, 2:4], atol=1e-6)


def test_attention_may_see_what_is_narrow_alone():
    block: Any = EncoderBlock(**NARROW, bottleneck_attention=True)
    block.build()
    narrow = block.bottleneck(X)
    np.testing.assert_allclose(
        block.attention(narrow), block.attention_norm(narrow + block.attention(narrow)) - narrow, atol=1e-6
    )
    np.testing.assert_allclose(block(X, queries=X[:, :1]), block(X)[:, :1], atol=1e-6)
    assert block.attention.value.kernel.shape == (4, 4)


@pytest.mark.parametrize(("bottleneck", "dropped"), [(4, False), (0, True)])
def test_values_are_dropped_once_where_a_block_ends(bottleneck, dropped):
    """Within a bottleneck none is: with nothing left on the way out, training changes nothing."""
    changes = {"bottleneck_dim": bottleneck, "shared_bottleneck": bool(bottleneck)}
    block: Any = EncoderBlock(**(NARROW | changes), hidden_dropout=0.5, attention_dropout=0.0)
    found = np.abs(block(X, training=True, seed=SEED) - block(X)).max()
    assert found > 1e-3
    if bottleneck:
        block.output_bottleneck.dense.kernel.assign(np.zeros((4, 8)))
        np.testing.assert_array_equal(block(X, training=True, seed=SEED), block(X))


def test_the_last_norm_may_have_an_epsilon_of_its_own():
    block: Any = EncoderBlock(**(NARROW | {"norm_kind": "layer_norm", "bottleneck_attention": True}), last_epsilon=1e-5)
    assert block.feed_forward_norm.epsilon == 1e-5
    norms = [block.attention_norm, *block.first_norms, block.output_bottleneck.norm, block.bottleneck.norm]
    assert {norm.epsilon for norm in norms} == {1e-12}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"norm_first": True}, "`norm_first` must be False with a bottleneck.* bottleneck_dim=4, num_feed_forwards=3"),
        ({"bottleneck_dim": -1}, "`bottleneck_dim` must be an integer of at least 1.*=-1"),
        ({"num_feed_forwards": 0}, "`num_feed_forwards` must be an integer of at least 1.*=0"),
        ({"num_heads": 3}, "`num_heads` must divide `hidden_dim`.*hidden_dim=4"),
        ({"bottleneck_attention": True, "shared_bottleneck": True}, "exclude one another"),
        ({"bottleneck_dim": 0, "shared_bottleneck": True}, "need `bottleneck_dim`. Received: False, True, .*=0"),
    ],
)
def test_bad_arguments_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        EncoderBlock(**(NARROW | changes))
