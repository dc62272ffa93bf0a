"""What the `tensors` signature refuses, read from the saved file."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.exporting.saved_model.graph_checks import checked
from bert_tf.inference.pipeline import Pipeline

LIMITS = {"token_ids": 50, "segment_ids": 2, "padding_mask": 2}


@pytest.fixture(scope="module")
def saved(served):
    return tf.saved_model.load(str(served))


@pytest.fixture(scope="module")
def positions(classifier) -> int:
    return Pipeline(classifier).model.config.max_positions


def row(tokens: int, **changes: int) -> dict[str, np.ndarray]:
    """One row, whose last number is another in some of the inputs."""
    columns = {"token_ids": 5, "segment_ids": 0, "padding_mask": 1}
    found = {name: np.full((1, tokens), value, np.int32) for name, value in columns.items()}
    for name, value in changes.items():
        found[name][0, -1] = value
    return found


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"token_ids": -1}, r"expected token_ids from 0 to \d+\. Received the least and the greatest:\] \[-1\] \[5\]"),
        ({"token_ids": 100_000}, r"expected token_ids from 0 to \d+\. .*\[100000\]"),
        ({"segment_ids": 2}, r"expected segment_ids from 0 to 1\. .*\[2\]"),
        ({"padding_mask": -3}, r"expected padding_mask from 0 to 1\. .*\[-3\]"),
    ],
)
def test_a_number_out_of_range_is_an_error_that_names_the_rule(saved, changes, rule):
    assert saved.signatures["tensors"](**row(4))["logits"].shape == (1, 2)
    with pytest.raises(tf.errors.InvalidArgumentError, match=rule):
        saved.signatures["tensors"](**row(4, **changes))


def test_the_last_token_and_the_last_position_are_in_range(saved, classifier, positions):
    words = Pipeline(classifier).tokenizer.vocabulary_size
    assert np.isfinite(saved.signatures["tensors"](**row(positions, token_ids=words - 1))["logits"]).all()
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"expected token_ids from 0 to {words - 1}"):
        saved.signatures["tensors"](**row(3, token_ids=words))


def test_more_tokens_than_positions(saved, positions):
    rule = rf"expected 1 to {positions} tokens a row\. Received:\] \[{positions + 1}\]"
    with pytest.raises(tf.errors.InvalidArgumentError, match=rule):
        saved.signatures["tensors"](**row(positions + 1))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"tokens a row\. Received:\] \[0\]"):
        saved.signatures["tensors"](**row(0))


def test_shapes_that_differ_are_no_broadcast(saved):
    inputs = row(4) | {"padding_mask": np.ones((2, 4), np.int32)}
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected padding_mask of the shape of token_ids"):
        saved.signatures["tensors"](**inputs)


def test_no_rows_are_in_range():
    empty = {name: tf.zeros([0, 3], tf.int32) for name in LIMITS}
    found = checked(empty, limits=LIMITS, most_tokens=8)
    assert [value.shape for value in found.values()] == [(0, 3)] * 3
