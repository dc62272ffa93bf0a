from __future__ import annotations

import doctest
import json
import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sklearn

from bert_tf.metrics import METRICS, get_metric, undefined
from bert_tf.metrics.classification import per_class
from bert_tf.metrics.undefined import Undefined, as_json, listed

LABELS = np.array([1, 0, 1, 1, 0, 0, 1, 0])
PREDICTIONS = np.array([1, 0, 0, 1, 1, 0, 1, 0])  # 3 true and 1 false positives, 1 false and 3 true negatives
MEASURES = ("f1", "precision", "recall")


def test_by_hand():
    assert METRICS["accuracy"](PREDICTIONS, LABELS) == 0.75
    assert METRICS["f1"](PREDICTIONS, LABELS) == pytest.approx(0.75)
    assert METRICS["f1_macro"](PREDICTIONS, LABELS) == pytest.approx(0.75)
    assert METRICS["matthews_correlation"](PREDICTIONS, LABELS) == pytest.approx(0.5)


def test_f1_is_of_the_last_of_two_classes_or_of_the_positive_one():
    labels, predictions = np.array([1, 1, 1, 0]), np.array([1, 0, 0, 0])
    assert METRICS["f1"](predictions, labels) == METRICS["f1"](predictions, labels, positive=1) == pytest.approx(0.5)
    assert METRICS["f1"](predictions, labels, positive=0) == pytest.approx(0.5)
    assert METRICS["precision"](predictions, labels) == 1.0
    assert METRICS["precision"](predictions, labels, positive=0) == pytest.approx(1 / 3)
    assert METRICS["recall"](predictions, labels) == pytest.approx(1 / 3)
    assert METRICS["recall"](predictions, labels, positive=0) == 1.0


@pytest.mark.parametrize("name", [*MEASURES, "roc_auc", "average_precision"])
def test_of_two_classes_is_not_of_three(name):
    for classes, labels in ((None, [0, 1, 2]), (3, [0, 1, 1])):
        with pytest.raises(
            ValueError, match=rf"'{name}' is of two classes, .* 3 classes: {name}_m.* Received: '{name}'"
        ):
            METRICS[name](np.array([0, 1, 1]), np.array(labels), classes=classes)
    with pytest.raises(ValueError, match=rf"`metrics` must be of labels: accuracy, f1_macro, .* Received: '{name}'"):
        METRICS[name].check("labels", 2)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_averages_are_scikit_learns_over_all_classes_of_the_task(classes):
    """Some of the classes occur nowhere in a small sample."""
    rng = np.random.default_rng(classes)
    for _ in range(60):
        size = int(rng.integers(2, 8))
        ours, right = rng.integers(0, classes, size), rng.integers(0, classes, size)
        options = {"labels": range(classes), "zero_division": 0}
        for measure in MEASURES:
            function = getattr(sklearn, f"{measure}_score")
            for average in ("macro", "micro", "weighted"):
                found = get_metric(f"{measure}_{average}")(ours, right, classes=classes)
                assert found == pytest.approx(function(right, ours, average=average, **options)), (measure, average)
        report: Any = sklearn.classification_report(right, ours, output_dict=True, **options)
        found = per_class(ours, right, [str(k) for k in range(classes)])
        for k in range(classes):
            theirs = report[str(k)]
            assert found[str(k)]["support"] == theirs["support"] == Counter(right.tolist())[k]
            for ours_name, theirs_name in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score")):
                assert (found[str(k)][ours_name] or 0.0) == pytest.approx(theirs[theirs_name])
            assert (found[str(k)]["recall"] is None) == (k not in right)
            assert (found[str(k)]["precision"] is None) == (k not in ours)


@pytest.mark.parametrize("labels", [1, 2, 4])
def test_averages_of_several_labels_are_scikit_learns(labels):
    rng = np.random.default_rng(labels)
    for _ in range(40):
        ours, right = (rng.random((6, labels)) < 0.4).astype(int), (rng.random((6, labels)) < 0.4).astype(int)
        ours[0] = right[0] = 1
        for measure in MEASURES:
            function = getattr(sklearn, f"{measure}_score")
            columns = [function(right[:, k], ours[:, k]) for k in range(labels)]
            found = {name: get_metric(f"{measure}_{name}")(ours, right) for name in ("macro", "micro", "weighted")}
            assert found["macro"] == pytest.approx(np.mean(columns))
            assert found["weighted"] == pytest.approx(np.average(columns, weights=right.sum(axis=0)))
            assert found["micro"] == pytest.approx(function(right.ravel(), ours.ravel()))


def test_scores_of_probabilities_are_scikit_learns():
    rng = np.random.default_rng(5)
    for _ in range(40):
        right = np.append(rng.integers(0, 3, 9), [0, 1, 2])
        scores = rng.dirichlet(np.ones(3), len(right)).round(1)  # with ties
        scores /= scores.sum(axis=1, keepdims=True)
        ours = scores.argmax(axis=1)
        expected = sklearn.roc_auc_score(right, scores, multi_class="ovr", average="macro")
        assert get_metric("roc_auc_macro")(ours, right, scores=scores, classes=3) == pytest.approx(expected)
        expected = sklearn.average_precision_score(np.eye(3)[right], scores, average="macro")
        assert get_metric("average_precision_macro")(ours, right, scores=scores, classes=3) == pytest.approx(expected)
        two, pair = right % 2, np.stack([1 - scores[:, 0], scores[:, 0]], axis=1)
        for name, function in (
            ("roc_auc", sklearn.roc_auc_score),
            ("average_precision", sklearn.average_precision_score),
        ):
            assert get_metric(name)(ours % 2, two, scores=pair) == pytest.approx(function(two, scores[:, 0]))
            found = get_metric(name)(ours % 2, two, scores=pair, positive=0)
            assert found == pytest.approx(function(1 - two, 1 - scores[:, 0]))
    for scores in (None, np.zeros((3, 3))):
        with pytest.raises(ValueError, match=r"`scores` must be probabilities \[3, 2\], for roc_auc. Received: "):
            get_metric("roc_auc")(np.zeros(3), np.ones(3), scores=scores)


def test_correlations_by_hand():
    labels = np.array([1.0, 2.0, 3.0, 4.0])
    assert METRICS["pearson"](2 * labels - 7, labels) == pytest.approx(1.0)
    assert METRICS["spearman"](-np.exp(labels), labels) == pytest.approx(-1.0)
    assert METRICS["pearson"](np.array([1.0, 3.0, 2.0, 4.0]), labels) == pytest.approx(0.8)
    assert METRICS["spearman"](np.array([1.0, 3.0, 2.0, 40.0]), labels) == pytest.approx(0.8)


ZEROS, ONES = np.zeros(4, int), np.ones(4, int)
SOME = np.array([0, 1, 0, 1])
NONE = np.zeros((3, 2), int)
UNDEFINED = [
    ("pearson", ONES, SOME, "all predictions are 1"),
    ("spearman", ONES * 0.5, SOME, "all predictions are 0.5"),
    ("spearman", SOME, ONES, "all labels are 1"),
    ("pearson", ONES[:1], SOME[:1], "all predictions are 1"),
    ("spearman", np.array([np.nan, 1, 2, 3]), SOME, "not all predictions are numbers"),
    ("pearson", np.array([[1, 2], [1, 3]]), np.array([[1, 2], [2, 3]]), "number 0: all predictions are 1"),
    ("matthews_correlation", ONES, SOME, "all predictions are of class 1"),
    ("matthews_correlation", SOME, ZEROS, "all labels are of class 0"),
    ("f1", ZEROS, ZEROS, "no example has the positive class, and none is given it"),
    ("precision", ZEROS, SOME, "no example is given the positive class"),
    ("recall", SOME, ZEROS, "no example has the positive class"),
    ("f1_micro", NONE, NONE, "no example has any label, and none is given it"),
    ("f1_macro", NONE, NONE, "no example has any label, and none is given it"),
    ("f1_weighted", NONE + 1, NONE, "no example has any label"),
    ("precision_micro", NONE, NONE + 1, "no example is given any label"),
    ("recall_macro", NONE + 1, NONE, "no example has any label"),
]


@pytest.mark.parametrize(("name", "predictions", "labels", "reason"), UNDEFINED)
def test_a_score_that_there_is_none_of_says_why(name, predictions, labels, reason):
    found = get_metric(name)(predictions, labels)
    assert math.isnan(found)
    assert isinstance(found, Undefined)
    assert found.reason == reason


def test_scores_of_probabilities_that_there_are_none_of():
    scores = np.full((4, 2), 0.5)
    assert get_metric("roc_auc")(ZEROS, SOME, scores=scores) == 0.5  # scikit-learn's: ties count half
    for labels, reason in ((ZEROS, "no example has class 1"), (ONES, "every example has class 1")):
        for name in ("roc_auc", "average_precision"):
            assert getattr(get_metric(name)(ZEROS, labels, scores=scores), "reason", None) == reason
    found = get_metric("roc_auc_macro")(ZEROS, SOME, scores=np.full((4, 3), 1 / 3), classes=3)
    assert getattr(found, "reason", None) == "no example has class 2"


@pytest.mark.parametrize("name", list(METRICS))
def test_a_score_of_wrong_answers_is_a_number(name):
    labels = np.array([0, 1, 1, 0])
    value = METRICS[name](1 - labels, labels, scores=np.array([[0.3, 0.7], [0.6, 0.4], [0.7, 0.3], [0.4, 0.6]]))
    assert type(value) is float
    assert -1.0 <= value <= 0.5


def test_undefined_scores_in_json_and_in_a_line():
    scores = {"pearson": get_metric("pearson")(ONES, SOME), "accuracy": 0.5, "loss": math.nan}
    assert json.loads(json.dumps(as_json(scores))) == {"pearson": None, "accuracy": 0.5, "loss": None}
    assert listed(scores) == "pearson undefined (all predictions are 1), accuracy 0.5000, loss undefined"
    assert doctest.testmod(undefined).failed == 0


def test_nearly_constant_predictions_are_a_number_without_a_warning():
    predictions = np.array([1e8, 1e8 + 1, 1e8 + 2, 1e8 + 3]) * 1e7
    assert get_metric("pearson")(predictions, np.arange(4.0)) == pytest.approx(1.0)


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
    averages = {f"{name}_{average}" for name in MEASURES for average in ("macro", "micro", "weighted")}
    of_labels = {"accuracy", "roc_auc_macro", "average_precision_macro", *averages}
    assert {name for name, metric in METRICS.items() if "labels" in metric.of} == of_labels
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
    assert per_class(predictions, labels, "abc")["c"] == {"precision": None, "recall": None, "f1": None, "support": 0}
    assert per_class(predictions, labels, "abc")["b"] == {
        "precision": 0.5,
        "recall": 1.0,
        "f1": pytest.approx(2 / 3),
        "support": 1,
    }


def test_of_several_numbers_is_the_mean():
    labels = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    assert METRICS["pearson"](labels * [1, -1], labels) == pytest.approx(0.0)
    assert METRICS["spearman"](labels[:, :1], labels[:, :1]) == pytest.approx(1.0)


def test_of_classes_takes_one_axis():
    with pytest.raises(ValueError, match=r"must have one shape \[E\], .* Received: \(2, 2\) and \(2, 2\)"):
        METRICS["f1"](np.zeros((2, 2)), np.zeros((2, 2)))
