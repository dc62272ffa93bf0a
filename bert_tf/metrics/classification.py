"""Metrics of what is predicted for each example: a class, several labels, or numbers."""

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
        function: takes predictions and labels, gives a float.
        of: what it is of: "classes", indices [E]; "labels", 0 or 1 for each label [E, C]; "numbers", [E] or [E, C], of
            which it is the mean over C.
        greater_is_better: which of two values is the better one.
    """

    name: str
    function: Callable[[np.ndarray, np.ndarray], float]
    of: tuple[str, ...] = ("classes",)
    greater_is_better: bool = True

    @property
    def of_numbers(self) -> bool:
        """Whether predictions are numbers rather than classes or labels."""
        return "numbers" in self.of

    def __call__(self, predictions: np.ndarray, labels: np.ndarray) -> float:
        """Raises: ValueError if there are not as many predictions as labels, or none, or they have too many axes."""
        predictions, labels = np.asarray(predictions), np.asarray(labels)
        axes = (1,) if self.of == ("classes",) else (1, 2)
        if predictions.shape != labels.shape or predictions.ndim not in axes or not labels.size:
            wanted = "[E]" if axes == (1,) else "[E] or [E, C]"
            raise ValueError(
                f"`predictions` and `labels` must have one shape {wanted}, with E at least 1. "
                f"Received: {predictions.shape} and {labels.shape}"
            )
        if self.of_numbers and labels.ndim == 2:
            pairs = zip(predictions.T, labels.T, strict=True)
            return float(np.mean([self.function(*pair) for pair in pairs]))
        return float(self.function(predictions, labels))


def get_metric(name: str) -> Metric:
    """The metric of that name. Raises: ValueError that lists the metrics."""
    if name not in METRICS:
        raise ValueError(f"`metrics` must be of {', '.join(METRICS)}. Received: {name!r}.{did_you_mean(name, METRICS)}")
    return METRICS[name]


def _accuracy(predictions: np.ndarray, labels: np.ndarray) -> float:
    """Share of the examples with the right class, or with all labels right."""
    same = predictions == labels
    return float(np.mean(same if same.ndim == 1 else same.all(axis=1)))


def _f1(predictions: np.ndarray, labels: np.ndarray) -> float:
    """F1 of class 1, as GLUE reports for MRPC and QQP."""
    from sklearn.metrics import f1_score

    return float(f1_score(labels == 1, predictions == 1, zero_division=NO_POSITIVES))


def _f1_macro(predictions: np.ndarray, labels: np.ndarray) -> float:
    """Mean of the F1 of each class that occurs among the labels or the predictions, or of each label."""
    from sklearn.metrics import f1_score

    return float(f1_score(labels, predictions, average="macro", zero_division=NO_POSITIVES))


def _f1_micro(predictions: np.ndarray, labels: np.ndarray) -> float:
    """F1 of all decisions taken together; of classes it is the accuracy."""
    from sklearn.metrics import f1_score

    return float(f1_score(labels, predictions, average="micro", zero_division=NO_POSITIVES))


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
        Metric(name="accuracy", function=_accuracy, of=("classes", "labels")),
        Metric(name="f1", function=_f1),
        Metric(name="f1_macro", function=_f1_macro, of=("classes", "labels")),
        Metric(name="f1_micro", function=_f1_micro, of=("classes", "labels")),
        Metric(name="matthews_correlation", function=_matthews_correlation),
        Metric(name="pearson", function=_pearson, of=("numbers",)),
        Metric(name="spearman", function=_spearman, of=("numbers",)),
    )
}
