"""Metrics of one prediction an example: a class or a number."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from bert_tf.errors import did_you_mean

NO_POSITIVES: Any = 0.0  # F1 of a class that neither labels nor predictions have; Any: scikit-learn says str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Metric:
    """A number for how well predictions go with labels.

    Args:
        name: as the field names it.
        function: takes predictions [E] and labels [E], gives a float.
        greater_is_better: which of two values is the better one.
        of_numbers: whether predictions are numbers (regression) rather than indices of classes.
    """

    name: str
    function: Callable[[np.ndarray, np.ndarray], float]
    greater_is_better: bool = True
    of_numbers: bool = False

    def __call__(self, predictions: np.ndarray, labels: np.ndarray) -> float:
        """Raises: ValueError if there are not as many predictions as labels, or none."""
        predictions, labels = np.asarray(predictions), np.asarray(labels)
        if predictions.shape != labels.shape or predictions.ndim != 1 or not len(labels):
            raise ValueError(
                f"`predictions` and `labels` must have one shape [E], with E at least 1. "
                f"Received: {predictions.shape} and {labels.shape}"
            )
        return float(self.function(predictions, labels))


def get_metric(name: str) -> Metric:
    """The metric of that name. Raises: ValueError that lists the metrics."""
    if name not in METRICS:
        raise ValueError(f"`metrics` must be of {', '.join(METRICS)}. Received: {name!r}.{did_you_mean(name, METRICS)}")
    return METRICS[name]


def _accuracy(predictions: np.ndarray, labels: np.ndarray) -> float:
    return float(np.mean(predictions == labels))


def _f1(predictions: np.ndarray, labels: np.ndarray) -> float:
    """F1 of class 1, as GLUE reports for MRPC and QQP."""
    from sklearn.metrics import f1_score

    return float(f1_score(labels == 1, predictions == 1, zero_division=NO_POSITIVES))


def _f1_macro(predictions: np.ndarray, labels: np.ndarray) -> float:
    """Mean of the classes' F1, over the classes that occur among the labels or the predictions."""
    from sklearn.metrics import f1_score

    return float(f1_score(labels, predictions, average="macro", zero_division=NO_POSITIVES))


def _matthews_correlation(predictions: np.ndarray, labels: np.ndarray) -> float:
    """0 where either side is a single class, as the quotient is 0 / 0 then."""
    from sklearn.metrics import matthews_corrcoef

    if np.ptp(predictions) == 0 or np.ptp(labels) == 0:
        return 0.0
    return float(matthews_corrcoef(labels, predictions))


def _pearson(predictions: np.ndarray, labels: np.ndarray) -> float:
    from scipy.stats import pearsonr

    return _correlation(pearsonr, predictions, labels)


def _spearman(predictions: np.ndarray, labels: np.ndarray) -> float:
    from scipy.stats import spearmanr

    return _correlation(spearmanr, predictions, labels)


def _correlation(function: Callable[..., tuple[float, float]], predictions: np.ndarray, labels: np.ndarray) -> float:
    """0 where one side is constant or a single value: nothing is explained then, and the quotient is 0 / 0."""
    predictions, labels = predictions.astype(np.float64), labels.astype(np.float64)
    if len(labels) < 2 or np.ptp(predictions) == 0 or np.ptp(labels) == 0:
        return 0.0
    return float(function(predictions, labels)[0])


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(name="accuracy", function=_accuracy),
        Metric(name="f1", function=_f1),
        Metric(name="f1_macro", function=_f1_macro),
        Metric(name="matthews_correlation", function=_matthews_correlation),
        Metric(name="pearson", function=_pearson, of_numbers=True),
        Metric(name="spearman", function=_spearman, of_numbers=True),
    )
}
