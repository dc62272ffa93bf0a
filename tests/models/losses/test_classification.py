"""Losses of classes, labels and numbers, compared with the same in float64, one at a time."""

from __future__ import annotations

import numpy as np
import pytest

from bert_tf.models.losses.classification import (
    binary_cross_entropy,
    cross_entropy,
    multi_label_cross_entropy,
    squared_error,
)
from bert_tf.sentinels import IGNORED_LABEL

RNG = np.random.default_rng(1)
WEIGHTS = (0.5, 2.0, 1.5)
LOGITS = RNG.normal(scale=4, size=(2, 4, 3)).astype("float32")
CLASSES = np.array([[0, 2, IGNORED_LABEL, 1], [IGNORED_LABEL, 1, 1, 0]], "int32")
HELD = np.where(CLASSES[..., None] == np.arange(3), 1, np.array([0, 1, IGNORED_LABEL]))


def of_class(logits, label, smoothing, weights):
    log_p = logits.astype("float64") - np.log(np.exp(logits.astype("float64")).sum())
    target = (1 - smoothing) * (np.arange(3) == label) + smoothing / 3
    return -(target @ log_p) * (weights or (1, 1, 1))[label]


def of_label(logit, label, smoothing, weight):
    p, target = 1 / (1 + np.exp(-float(logit))), (1 - smoothing) * label + smoothing / 2
    return -weight * target * np.log(p) - (1 - target) * np.log(1 - p)


options = pytest.mark.parametrize(("smoothing", "weights"), [(0.0, None), (0.2, None), (0.0, WEIGHTS), (0.1, WEIGHTS)])


@options
def test_a_choice_among_classes(smoothing, weights):
    losses, counted = cross_entropy(LOGITS, CLASSES, label_smoothing=smoothing, class_weights=weights)
    np.testing.assert_array_equal(counted, CLASSES != IGNORED_LABEL)
    for at in np.ndindex(2, 4):
        wanted = 0.0 if CLASSES[at] == IGNORED_LABEL else of_class(LOGITS[at], CLASSES[at], smoothing, weights)
        assert float(losses[at]) == pytest.approx(wanted, rel=1e-5, abs=1e-7)


@options
def test_labels_that_hold_or_not(smoothing, weights):
    losses, counted = binary_cross_entropy(LOGITS, HELD, label_smoothing=smoothing, class_weights=weights)
    np.testing.assert_array_equal(counted, HELD != IGNORED_LABEL)
    wanted = np.zeros(HELD.shape)
    for at in zip(*np.nonzero(HELD != IGNORED_LABEL), strict=True):
        wanted[at] = of_label(LOGITS[at], HELD[at], smoothing, (weights or (1, 1, 1))[at[-1]])
    np.testing.assert_allclose(losses, wanted, rtol=1e-4, atol=1e-7)
    means, counted = multi_label_cross_entropy(LOGITS, HELD, label_smoothing=smoothing, class_weights=weights)
    np.testing.assert_allclose(means, wanted.mean(axis=-1), rtol=1e-4)
    np.testing.assert_array_equal(counted, np.ones((2, 4)))


def test_numbers():
    wanted = RNG.normal(size=LOGITS.shape).astype("float32")
    losses, counted = squared_error(LOGITS, wanted)
    np.testing.assert_allclose(losses, np.square(LOGITS - wanted).mean(axis=-1), rtol=1e-5)
    np.testing.assert_array_equal(counted, np.ones((2, 4)))


def test_a_wrong_shape_is_named():
    with pytest.raises(ValueError, match=r"`pair_labels` must have the shape \[2, 4\]. Received: .* of shape \[2\]"):
        cross_entropy(LOGITS, np.zeros(2, "int32"), name="pair_labels")
    for loss in (binary_cross_entropy, squared_error):
        with pytest.raises(ValueError, match=r"`labels` must have the shape \[2, 4, 3\]. Received: .* \[2, 4\]"):
            loss(LOGITS, CLASSES)
