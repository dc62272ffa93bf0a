from typing import Any

import numpy as np
import pytest
from keras import ops

from bert_tf.layers import Embeddings, Table
from bert_tf.layers.embeddings import sinusoids
from tests.checks import check_layer

RANDOM = np.random.default_rng(0)
IDS = RANDOM.integers(0, 11, (2, 6)).astype("int32")
SEGMENTS = RANDOM.integers(0, 2, (2, 6)).astype("int32")
SIZES: dict[str, Any] = {"vocabulary_size": 11, "hidden_dim": 8, "max_positions": 6}


@pytest.mark.parametrize(
    ("changes", "weights"),
    [
        ({"first_position": 2}, 5),
        ({}, 5),
        ({"position_kind": "sinusoidal"}, 4),
        ({"embedding_dim": 3}, 7),
        ({"embedding_dim": 8}, 5),
        ({"position_kind": "rotary", "norm_bias": False}, 3),
        ({"projects": True}, 7),
        ({"tells_segments": False}, 5),
        ({"embedding_dim": 3, "projects_tokens": True, "norm_kind": "no_norm"}, 7),
        ({"embedding_dim": 3, "projects_tokens": True, "trigram": True}, 7),
    ],
)
def test_embeddings_are_a_layer(changes, weights):
    check_layer(
        Embeddings,
        SIZES | changes,
        {"token_ids": IDS, "segment_ids": SEGMENTS},
        (2, 6, 8),
        shorter=lambda x: x[:, :3],
        weights=weights,
        call_arguments={"seed": np.array([1, 2], "int32")},
    )


def test_table_is_a_layer():
    check_layer(Table, {"size": 11, "dim": 4}, {"ids": IDS}, (2, 6, 4), output_dtype="float32", weights=1)


def test_output_is_the_normalised_sum_of_three_vectors():
    layer = Embeddings(**SIZES)
    out = layer(IDS, segment_ids=SEGMENTS)
    parts: Any = (layer.token, layer.segment, layer.position)
    token, segment, position = (np.array(part.table) for part in parts)
    total = token[IDS] + segment[SEGMENTS] + position[None, :6]
    total = (total - total.mean(-1, keepdims=True)) / np.sqrt(total.var(-1, keepdims=True) + 1e-12)
    np.testing.assert_allclose(out, total, atol=1e-5)


def test_rotary_positions_are_not_added():
    layer = Embeddings(**SIZES, position_kind="rotary")
    out = layer(IDS, position_ids=np.zeros_like(IDS) + 3)
    assert layer.segment is not None
    token = np.array(layer.token.table)[IDS] + np.array(layer.segment.table)[0]
    token = (token - token.mean(-1, keepdims=True)) / np.sqrt(token.var(-1, keepdims=True) + 1e-12)
    np.testing.assert_allclose(out, token, atol=1e-5)
    with pytest.raises(ValueError, match=r"`max_positions`.*shape \(2, 7\), max_positions=6"):
        layer(np.zeros((2, 7), "int32"))


def test_narrow_tables_are_brought_to_the_width_after_their_norm_and_dropout():
    sizes: dict[str, Any] = SIZES | {"hidden_dim": 3}
    layer, narrow = Embeddings(**SIZES, embedding_dim=3, dropout=0.5), Embeddings(**sizes)
    layer(IDS)
    narrow(IDS)
    narrow.set_weights(layer.get_weights()[: len(narrow.weights)])
    kernel, bias = layer.get_weights()[len(narrow.weights) :]
    assert kernel.shape == (3, 8)
    np.testing.assert_allclose(
        layer(IDS, segment_ids=SEGMENTS), narrow(IDS, segment_ids=SEGMENTS) @ kernel + bias, atol=1e-6
    )
    dropped = layer(IDS, training=True, seed=np.array([1, 2], "int32"))  # not of what comes out
    assert np.linalg.matrix_rank(np.asarray(dropped).reshape(-1, 8) - bias, tol=1e-5) == 3


def test_positions_that_begin_at_another_row_count_real_tokens():
    layer, plain = Embeddings(**SIZES, first_position=2), Embeddings(**SIZES)
    layer(IDS)
    plain(IDS)
    token, segment, position, *norm = layer.get_weights()
    assert position.shape == (8, 8)
    plain.set_weights([token, segment, position[2:], *norm])
    ids = np.where(IDS == 1, 3, IDS)
    np.testing.assert_allclose(layer(ids), plain(ids), atol=1e-6)
    places = np.array([[3, 0, 5, 1, 2, 4]] * 2, "int32")
    np.testing.assert_allclose(layer(ids, position_ids=places), plain(ids, position_ids=places), atol=1e-6)
    ids[0, :2] = 1  # padding, on the left
    np.testing.assert_allclose(layer(ids)[0, 2:], plain(ids[:, 2:])[0], atol=1e-6)


def test_tokens_that_have_one_segment_all_have_the_first_vector():
    layer = Embeddings(**SIZES, tells_segments=False)
    np.testing.assert_array_equal(layer(IDS, segment_ids=SEGMENTS), layer(IDS))
    one = Embeddings(**SIZES, num_segments=1)
    one(IDS)
    token, segment, *others = layer.get_weights()
    one.set_weights([token, segment[:1], *others])
    np.testing.assert_array_equal(layer(IDS, segment_ids=SEGMENTS), one(IDS))


def trigrams(**changes: Any) -> Any:
    layer = Embeddings(**SIZES, embedding_dim=3, projects_tokens=True, trigram=True, initializer_range=0.5, **changes)
    layer.build(None)
    return layer


def test_a_token_stands_between_its_neighbours_and_the_others_are_added_to_what_is_made_of_them():
    layer = trigrams(norm_kind="no_norm")
    token, nothing = np.array(layer.token.table)[IDS], np.zeros((2, 1, 3), "float32")
    both = [np.concatenate([token[:, 1:], nothing], axis=1), token, np.concatenate([nothing, token[:, :-1]], axis=1)]
    expected = layer.projection(np.concatenate(both, axis=-1)) + layer.segment.table[0] + layer.position.table[None, :6]
    np.testing.assert_allclose(layer(IDS), expected, atol=1e-6)


def test_neighbours_are_of_the_same_example_and_padding_is_one_unless_it_is_not_to_be_seen():
    layer = trigrams()
    one, other = IDS[:1, :2], IDS[:1, 2:5]
    padded = np.concatenate([other, [[0, 0]]], axis=1).astype("int32")
    mask = np.array([[1, 1, 1, 0, 0]], "int32")
    apart = [np.array(layer(ids)) for ids in (one, other)]
    together = {
        "token_ids": np.concatenate([one, padded], axis=1)[:, :6],
        "example_ids": np.array([[1, 1, 2, 2, 2, 0]], "int32"),
        "position_ids": np.array([[0, 1, 0, 1, 2, 0]], "int32"),
    }
    found = np.array(layer(**together))
    np.testing.assert_allclose(found[:, :5], np.concatenate(apart, axis=1), atol=1e-6)
    seen = np.array(layer(padded, padding_mask=mask))  # as Transformers: the last of them sees the padding
    assert np.abs(seen[:, :2] - apart[1][:, :2]).max() < 1e-6
    assert np.abs(seen[:, 2] - apart[1][:, 2]).max() > 1e-2
    layer.sees_padding = False
    np.testing.assert_allclose(layer(padded, padding_mask=mask)[:, :3], apart[1], atol=1e-6)
    np.testing.assert_array_equal(layer(**together), found)


def test_absent_segments_are_zeros_and_absent_positions_count_up():
    layer = Embeddings(**SIZES)
    full = layer(IDS, segment_ids=np.zeros_like(IDS), position_ids=np.tile(np.arange(6, dtype="int32"), (2, 1)))
    np.testing.assert_allclose(layer(IDS), full, atol=1e-6)


def test_positions_may_start_from_sinusoids():
    layer = Embeddings(**SIZES, initializer_range=0.05, position_initializer="sinusoidal")
    layer.build(None)
    assert layer.position is not None
    table = np.array(layer.position.table)
    np.testing.assert_allclose(table, 0.05 * 2**0.5 * sinusoids(*table.shape), rtol=1e-6)
    assert np.sqrt(np.mean(table**2)) == pytest.approx(0.05, rel=1e-5)
    assert any(weight is layer.position.table for weight in layer.trainable_weights)


def test_position_ids_choose_the_position_vector():
    layer = Embeddings(**SIZES)
    twice = layer(np.tile(IDS[:, :3], (1, 2)), position_ids=np.tile(np.arange(3, dtype="int32"), (2, 2)))
    np.testing.assert_allclose(twice[:, :3], twice[:, 3:], atol=1e-6)
    np.testing.assert_allclose(twice[:, :3], layer(IDS[:, :3]), atol=1e-6)


def test_sinusoids_are_those_of_the_paper():
    table = sinusoids(50, 8)
    for position, column in [(0, 0), (0, 1), (7, 2), (49, 7)]:
        angle = position / 10000 ** ((column - column % 2) / 8)
        assert table[position, column] == pytest.approx(np.cos(angle) if column % 2 else np.sin(angle), abs=1e-6)


def test_a_longer_row_than_there_are_positions_is_refused_where_its_length_is_known():
    layer = Embeddings(**SIZES)
    with pytest.raises(ValueError, match=r"`max_positions`.*shape \(2, 7\), max_positions=6"):
        layer(np.zeros((2, 7), "int32"))
    # A packed row may be longer: its positions restart.
    layer(np.zeros((2, 7), "int32"), position_ids=np.zeros((2, 7), "int32"))


def test_tables_are_gathered_in_float32():
    layer = Embeddings(**SIZES, dtype="mixed_bfloat16")
    assert layer.token(IDS).dtype == "float32"
    np.testing.assert_array_equal(layer.token(IDS), np.array(layer.token.table)[IDS])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vocabulary_size": 0}, "`vocabulary_size` must be an integer of at least 1.*vocabulary_size=0"),
        ({"hidden_dim": 2.5}, "`hidden_dim`.*hidden_dim=2.5"),
        ({"max_positions": -1}, "`max_positions`.*max_positions=-1"),
        ({"num_segments": True}, "`num_segments`.*num_segments=True"),
        ({"embedding_dim": 0}, "`embedding_dim` must be an integer of at least 1.*embedding_dim=0"),
        ({"dropout": 1.0}, r"`dropout` must be a number in \[0, 1\).*dropout=1.0"),
        ({"trigram": True}, "`projects_tokens` must be True with `trigram`. Received: projects_tokens=False"),
        ({"position_kind": "spiral"}, "`position_kind` must be one of learned, sinusoidal, rotary.*'spiral'"),
        ({"position_initializer": "ones"}, "`position_initializer` must be one of random, sinusoidal.*'ones'"),
    ],
)
def test_bad_arguments_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        Embeddings(**(SIZES | changes))


def test_dropout_is_active_only_in_training():
    layer = Embeddings(**SIZES, dropout=0.5)
    np.testing.assert_array_equal(layer(IDS), layer(IDS, training=False))
    dropped = layer(IDS, training=True, seed=np.array([1, 2], "int32"))
    assert float(ops.mean(ops.cast(dropped == 0.0, "float32"))) == pytest.approx(0.5, abs=0.2)
