from __future__ import annotations

import numpy as np
import pytest

from bert_tf.metrics import METRICS, get_metric

LABELS = np.array([1, 0, 1, 1, 0, 0, 1, 0])
PREDICTIONS = np.array([1, 0, 0, 1, 1, 0, 1, 0])  # 3 true and 1 false positives, 1 false and 3 true negatives


def test_by_hand():
    assert METRICS["accuracy"](PREDICTIONS, LABELS) == 0.75
    assert METRICS["f1"](PREDICTIONS, LABELS) == pytest.approx(0.75)
    assert METRICS["f1_macro"](PREDICTIONS, LABELS) == pytest.approx(0.75)
    assert METRICS["matthews_correlation"](PREDICTIONS, LABELS) == pytest.approx(0.5)


def test_f1_is_of_class_one_and_not_symmetric():
    labels, predictions = np.array([1, 1, 1, 0]), np.array([1, 0, 0, 0])
    assert METRICS["f1"](predictions, labels) == pytest.approx(0.5)
    assert METRICS["f1"](1 - predictions, 1 - labels) == pytest.approx(0.5)
    assert METRICS["f1_macro"](predictions, labels) == pytest.approx(0.5)
    assert METRICS["f1"](np.array([2, 1, 1]), np.array([2, 1, 2])) == pytest.approx(2 / 3)


def test_correlations_by_hand():
    labels = np.array([1.0, 2.0, 3.0, 4.0])
    assert METRICS["pearson"](2 * labels - 7, labels) == pytest.approx(1.0)
    assert METRICS["spearman"](-np.exp(labels), labels) == pytest.approx(-1.0)
    assert METRICS["pearson"](np.array([1.0, 3.0, 2.0, 4.0]), labels) == pytest.approx(0.8)
    assert METRICS["spearman"](np.array([1.0, 3.0, 2.0, 40.0]), labels) == pytest.approx(0.8)


@pytest.mark.parametrize("name", list(METRICS))
def test_degenerate_predictions_are_a_number_without_a_warning(name):
    zeros, ones = np.zeros(4), np.ones(4)
    for predictions, labels in ((zeros, zeros), (ones, zeros), (zeros, ones), (zeros[:1], zeros[:1])):
        value = METRICS[name](predictions, labels)
        assert type(value) is float
        assert -1.0 <= value <= 1.0


@pytest.mark.parametrize("name", list(METRICS))
def test_shapes_must_agree(name):
    with pytest.raises(
        ValueError, match=r"`predictions` and `labels` must have one shape .* Received: \(2,\) and \(3,\)"
    ):
        METRICS[name](np.zeros(2), np.zeros(3))
    with pytest.raises(ValueError, match=r"Received: \(0,\) and \(0,\)"):
        METRICS[name](np.zeros(0), np.zeros(0))


def test_names():
    assert all(name == metric.name and metric.greater_is_better for name, metric in METRICS.items())
    assert {name for name, metric in METRICS.items() if metric.of_numbers} == {"pearson", "spearman"}
    assert {name for name, metric in METRICS.items() if "labels" in metric.of} == {"accuracy", "f1_macro", "f1_micro"}
    assert get_metric("accuracy") is METRICS["accuracy"]
    with pytest.raises(
        ValueError, match=r"`metrics` must be of accuracy, f1, .* Received: 'acuracy'. Did you mean 'accuracy'"
    ):
        get_metric("acuracy")


def test_of_several_labels_by_hand():
    """Label 0 is found once of twice, label 1 always and once too often, label 2 never occurs."""
    labels = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0]])
    predictions = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0]])
    assert METRICS["f1_micro"](predictions, labels) == pytest.approx(2 * 2 / (3 + 3))
    assert METRICS["f1_macro"](predictions, labels) == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    assert METRICS["accuracy"](predictions, labels) == pytest.approx(2 / 3)


def test_of_several_numbers_is_the_mean():
    labels = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    assert METRICS["pearson"](labels * [1, -1], labels) == pytest.approx(0.0)
    assert METRICS["spearman"](labels[:, :1], labels[:, :1]) == pytest.approx(1.0)


def test_of_classes_takes_one_axis():
    with pytest.raises(ValueError, match=r"must have one shape \[E\], .* Received: \(2, 2\) and \(2, 2\)"):
        METRICS["f1"](np.zeros((2, 2)), np.zeros((2, 2)))
