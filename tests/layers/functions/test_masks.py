from typing import Any

import numpy as np
import pytest

from bert_tf.layers import attention_bias, sequence_to_sequence_bias, take_positions
from bert_tf.layers.functions.masks import MASKED, sight_of

MASK = np.array([[1, 1, 0], [1, 1, 1]], "int32")


def test_padding_mask_becomes_a_bias():
    expected = np.where(MASK == 1, 0.0, MASKED)[:, None, None, :]
    bias: Any = attention_bias(MASK)
    np.testing.assert_array_equal(bias, expected)
    assert bias.dtype == "float32"


def test_nothing_to_mask_is_no_bias():
    assert attention_bias() is None


def test_example_ids_let_a_token_see_its_own_example():
    ids = np.array([[1, 2, 2, 0]], "int32")
    seen = np.array([[1, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 1]])
    np.testing.assert_array_equal(np.array(attention_bias(example_ids=ids))[0, 0] == 0.0, seen == 1)
    # A mask that repeats what the ids say changes nothing, and one that says more hides more.
    same = attention_bias((ids > 0).astype("int32"), ids)
    np.testing.assert_array_equal(same, attention_bias(example_ids=ids))
    hidden = attention_bias(np.array([[1, 1, 0, 0]], "int32"), ids)
    np.testing.assert_array_equal(np.array(hidden)[0, 0, 1] == 0.0, [False, True, False, False])


def test_every_query_of_a_packed_row_sees_a_key():
    ids = np.array([[1, 2, 2, 0]], "int32")
    for mask in (None, (ids > 0).astype("int32")):
        assert (np.array(attention_bias(mask, ids)) == 0.0).any(-1).all()


def test_queries_may_be_other_tokens_than_the_keys():
    ids = np.array([[1, 2, 2, 0]], "int32")
    some = attention_bias(example_ids=ids, query_ids=ids[:, 1:2])
    np.testing.assert_array_equal(some, np.array(attention_bias(example_ids=ids))[:, :, 1:2])


def test_the_mask_value_can_be_made_smaller_for_int8():
    assert np.array(attention_bias(MASK, masked=-50.0)).min() == -50.0
    assert float(np.float16(MASKED)) == MASKED
    assert np.exp(np.float32(MASKED)) == 0.0


@pytest.mark.parametrize("masks", [{}, {"padding_mask"}, {"example_ids"}, {"padding_mask", "example_ids"}])
def test_a_sight_says_what_the_bias_says(masks):
    token_ids = np.zeros((2, 4), "int32")
    both = {"padding_mask": [[1, 1, 0, 0], [1, 0, 1, 1]], "example_ids": [[1, 2, 2, 0], [1, 1, 1, 3]]}
    given = {name: np.array(both[name], "int32") for name in masks}
    seen = sight_of(token_ids, **given, masked=-50.0)
    expected = attention_bias(**given, masked=-50.0)
    expected = np.zeros((2, 1, 4, 4)) if expected is None else np.broadcast_to(expected, (2, 1, 4, 4))
    np.testing.assert_array_equal(seen.bias(), expected)
    near = np.abs(np.arange(4)[:, None] - np.arange(4)) <= 1
    np.testing.assert_array_equal(seen.bias(1), np.where(near, expected, -50.0))
    places = np.array([[3, 0], [2, 2]], "int32")
    for reach in (0, 1):
        some = np.array(seen.at(places).bias(reach))
        for row in range(2):
            np.testing.assert_array_equal(some[row], np.array(seen.bias(reach))[row][:, places[row]])


@pytest.mark.parametrize("tail", [(), (3,)])
def test_take_positions(tail):
    x = np.random.default_rng(0).normal(size=(2, 5, *tail)).astype("float32")
    positions = np.array([[0, 4, 4], [2, 0, 1]], "int32")
    np.testing.assert_array_equal(take_positions(x, positions), np.stack([x[b][positions[b]] for b in range(2)]))


def test_a_target_sees_its_source_and_its_own_past():
    # Two packed examples, of 2 and 1 source tokens with 2 targets each, and padding.
    ids, segments = np.array([[1, 1, 1, 1, 2, 2, 2, 0]], "int32"), np.array([[0, 0, 1, 1, 0, 1, 1, 0]], "int32")
    seen = np.zeros((8, 8), int)
    seen[:4, :2] = seen[4:7, 4] = 1
    seen[2, 2] = seen[3, 2] = seen[3, 3] = seen[5, 5] = seen[6, 5] = seen[6, 6] = seen[7, 7] = 1
    found = sequence_to_sequence_bias(segments, attention_bias(example_ids=ids))
    np.testing.assert_array_equal(np.array(found)[0, 0] == 0.0, seen == 1)
    # One example of its own: the same, with a padding mask or without.
    alone = np.array(sequence_to_sequence_bias(segments[:, :4]))[0, 0]
    np.testing.assert_array_equal(alone == 0.0, seen[:4, :4] == 1)
    padded = sequence_to_sequence_bias(segments[:, [0, 1, 2, 3, 7]], attention_bias(np.array([[1, 1, 1, 1, 0]])))
    np.testing.assert_array_equal(np.array(padded)[0, 0, :4] == 0.0, np.pad(seen[:4, :4], [(0, 0), (0, 1)]) == 1)
