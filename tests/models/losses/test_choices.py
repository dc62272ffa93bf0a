"""The cross entropy of a choice, beside the same in NumPy, an example at a time."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.models.losses.choices import choice_cross_entropy

LOGITS = np.random.default_rng(5).normal(scale=2, size=(3, 4)).astype("float32")


def cross_entropy(logits, label, smoothing=0.0):
    """In float64, over all of `logits`."""
    log_p = logits.astype("float64") - np.log(np.exp(logits.astype("float64")).sum())
    return -(1 - smoothing) * log_p[label] - smoothing * log_p.mean()


def test_smoothing_spreads_over_the_choices_that_are_there():
    mask = np.array([[1, 1, 1, 1], [1, 1, 1, 0], [0, 0, 0, 0]])
    losses, counted = choice_cross_entropy(LOGITS, np.array([3, 1, 0]), mask, label_smoothing=0.2)
    assert float(losses[0]) == pytest.approx(cross_entropy(LOGITS[0], 3, 0.2), rel=1e-5)
    assert float(losses[1]) == pytest.approx(cross_entropy(LOGITS[1, :3], 1, 0.2), rel=1e-5)
    assert float(losses[2]) == 0.0
    np.testing.assert_array_equal(counted, [1.0, 1.0, 0.0])


def test_packed_rows_have_the_losses_of_each_example():
    labels = np.array([[1, 0], [0, 1], [1, -100]])
    losses, counted = choice_cross_entropy(LOGITS, labels)
    wanted = [
        [cross_entropy(LOGITS[i, :2], a), cross_entropy(LOGITS[i, 2:], max(b, 0))] for i, (a, b) in enumerate(labels)
    ]
    np.testing.assert_allclose(losses, np.where(labels < 0, 0, wanted), rtol=1e-5)
    np.testing.assert_array_equal(counted, labels >= 0)
    mask = np.array([[1, 1, 1, 0]] * 3)
    masked = [choice_cross_entropy(LOGITS, labels, given)[0] for given in (mask, mask.reshape(3, 2, 2))]
    np.testing.assert_array_equal(*masked)
    assert float(masked[0][0, 1]) == pytest.approx(0.0, abs=1e-6), "of a single choice there is nothing to learn"
    assert float(masked[0][1, 1]) == 0.0, "its label is of the choice that is not there"


def test_an_example_without_a_choice_has_a_gradient_of_zero():
    logits = tf.constant(LOGITS)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        losses, _ = choice_cross_entropy(logits, np.zeros(3, "int32"), np.zeros((3, 4)), label_smoothing=0.1)
    np.testing.assert_array_equal(tape.gradient(losses, logits), np.zeros_like(LOGITS))
