import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from bert_tf.layers import SelfAttention, attention_bias, sight_of, turns_of
from bert_tf.layers import self_attention as module
from tests.checks import check_layer

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(2, 6, 8)).astype("float32")
MASK = np.array([[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]], "int32")
REAL = MASK.astype(bool)


def test_self_attention_is_a_layer():
    check_layer(
        SelfAttention,
        {"hidden_dim": 8, "num_heads": 2, "initializer_range": 0.3},
        {"x": X},
        (2, 6, 8),
        shorter=lambda x: x[:, :3],
        weights=8,
        call_arguments={"seed": np.array([1, 2], "int32")},
    )


def test_local_self_attention_is_a_layer():
    check_layer(
        SelfAttention,
        {"hidden_dim": 8, "num_heads": 2, "initializer_range": 0.3, "use_bias": False, "reach": 1},
        {"x": X},
        (2, 6, 8),
        shorter=lambda x: x[:, :3],
        weights=4,
        call_arguments={"seed": np.array([1, 2], "int32")},
    )


@pytest.mark.parametrize("reach", [0, 1, 2])
def test_a_sight_gives_what_its_bias_gives_however_long_a_row_is(reach, monkeypatch):
    monkeypatch.setattr(module, "WHOLE", 4)
    layer = SelfAttention(hidden_dim=8, num_heads=2, initializer_range=0.5, reach=reach)
    sight, turns = sight_of(np.zeros_like(MASK), MASK), turns_of(np.tile(np.arange(6), (2, 1)), 4, 100.0)
    plain = SelfAttention(hidden_dim=8, num_heads=2)
    plain.build(None)
    layer.build(None)
    plain.set_weights(layer.get_weights())
    expected = np.asarray(plain(X, sight.bias(reach), rotary=turns))
    np.testing.assert_allclose(np.asarray(layer(X, rotary=turns, sight=sight))[REAL], expected[REAL], atol=1e-6)
    run = tf.function(lambda x: layer(x, rotary=turns, sight=sight))
    run = run.get_concrete_function(tf.TensorSpec([None, None, 8], tf.float32))
    np.testing.assert_allclose(run(tf.constant(X)).numpy()[REAL], expected[REAL], atol=1e-6)
    places = np.array([[0, 3], [5, 5]], "int32")  # of real tokens
    some = layer(X, queries=np.take_along_axis(X, places[..., None], 1), rotary=turns, sight=sight.at(places))
    wanted = np.take_along_axis(expected, places[..., None], 1)
    np.testing.assert_allclose(some, wanted, atol=1e-6)


def test_a_token_sees_its_neighbours_alone():
    layer, far = SelfAttention(hidden_dim=8, num_heads=2, initializer_range=0.5, reach=2), X.copy()
    far[:, 3:] = 99.0
    np.testing.assert_array_equal(layer(X)[:, 0], layer(far)[:, 0])
    assert np.abs(layer(X)[:, 1] - layer(far)[:, 1]).max() > 1e-2
    with pytest.raises(ValueError, match="`sight` must have the places of `queries`"):
        layer(X, queries=X[:, :1])


def attend(x, layer):
    """The same in NumPy, float64, for one row without a mask."""

    def project(part):
        return x @ np.array(part.kernel, "float64") + np.array(part.bias, "float64")

    q, k, v = (project(part).reshape(len(x), 2, 4) for part in (layer.query, layer.key, layer.value))
    scores = np.einsum("tnh,snh->nts", q, k) / 2.0
    weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    out = np.einsum("nts,snh->tnh", weights, v).reshape(len(x), 8)
    return out @ np.array(layer.output_dense.kernel, "float64") + np.array(layer.output_dense.bias, "float64")


def test_against_numpy():
    layer = SelfAttention(hidden_dim=8, num_heads=2, initializer_range=0.5)
    out = layer(X)
    for row in range(2):
        np.testing.assert_allclose(out[row], attend(X[row].astype("float64"), layer), atol=1e-5)


def test_padding_content_never_reaches_a_real_token():
    layer, other = SelfAttention(hidden_dim=8, num_heads=2, initializer_range=0.5), np.where(REAL[..., None], X, 99.0)
    bias = attention_bias(MASK)
    np.testing.assert_array_equal(np.array(layer(X, bias))[REAL], np.array(layer(other, bias))[REAL])
    np.testing.assert_allclose(layer(X, bias)[:1, :4], layer(X[:1, :4]), atol=1e-6)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_masked_rows_stay_finite_in_low_precision(policy):
    layer = SelfAttention(hidden_dim=8, num_heads=2, dtype=policy)
    nothing = attention_bias(np.zeros((2, 6), "int32"))
    assert np.isfinite(np.array(ops.cast(layer(X, nothing), "float32"))).all()


def test_packed_tokens_see_only_their_own_example():
    layer = SelfAttention(hidden_dim=8, num_heads=2, initializer_range=0.5)
    ids = np.array([[1, 1, 2, 2, 2, 0]], "int32")
    packed = layer(X[:1], attention_bias(example_ids=ids))
    np.testing.assert_allclose(packed[:, :2], layer(X[:1, :2]), atol=1e-6)
    np.testing.assert_allclose(packed[:, 2:5], layer(X[:1, 2:5]), atol=1e-6)


def test_some_queries_get_what_they_get_among_all():
    layer = SelfAttention(hidden_dim=8, num_heads=2, initializer_range=0.5)
    bias = attention_bias(MASK)
    np.testing.assert_allclose(layer(X, bias, queries=X[:, 1:3]), layer(X, bias)[:, 1:3], atol=1e-6)


def test_dropout_drops_attention_weights_in_training_only():
    layer = SelfAttention(hidden_dim=8, num_heads=2, dropout=0.5, initializer_range=0.5)
    seed = np.array([3, 4], "int32")
    np.testing.assert_array_equal(layer(X), layer(X, training=False, seed=seed))
    assert np.abs(layer(X, training=True, seed=seed) - layer(X)).max() > 1e-3
    np.testing.assert_array_equal(layer(X, training=True, seed=seed), layer(X, training=True, seed=seed))
    assert np.abs(layer(X, training=True, seed=seed) - layer(X, training=True, seed=seed + 1)).max() > 1e-3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hidden_dim": 8, "num_heads": 3}, "`num_heads` must divide `hidden_dim`.*num_heads=3, hidden_dim=8"),
        ({"hidden_dim": 0, "num_heads": 1}, "`hidden_dim` must be an integer of at least 1.*hidden_dim=0"),
        ({"hidden_dim": 8, "num_heads": 0}, "`num_heads`.*num_heads=0"),
        ({"hidden_dim": 8, "num_heads": 2, "dropout": -0.1}, "`dropout`.*dropout=-0.1"),
        ({"hidden_dim": 8, "num_heads": 2, "reach": -1}, "`reach` must be an integer of at least 1.*reach=-1"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        SelfAttention(**arguments)


def test_one_token_at_a_time_is_the_same_as_all_at_once():
    # Rows of a source of 2 or 4 tokens, and 2 sequences of 3 tokens each that come after it.
    layer = SelfAttention(hidden_dim=8, num_heads=2, initializer_range=0.5)
    layer.build(None)
    source, own = X[:, :4], RANDOM.normal(size=(2, 2, 3, 8)).astype("float32")
    mask = np.array([[1, 1, 0, 0], [1, 1, 1, 1]], "int32")
    past = (np.zeros((4, 2, 5, 4), "float32"), np.zeros((4, 2, 5, 4), "float32"))
    found = []
    for place in range(3):
        kept = layer.keys_and_values(ops.convert_to_tensor(source))
        out, past = layer.decode(own[:, :, place], kept, past, place, attention_bias(mask))
        found.append(np.array(out))
    for row in range(2):
        for k in range(2):
            whole = np.concatenate([source[row][mask[row] == 1], own[row, k]])[None]
            expected = [layer(whole[:, : len(whole[0]) - 2 + i], queries=own[row, k, i][None, None]) for i in range(3)]
            for place in range(3):
                np.testing.assert_allclose(found[place][row, k], np.array(expected[place])[0, 0], atol=1e-6)
