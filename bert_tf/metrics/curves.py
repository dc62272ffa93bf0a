"""What is drawn of a classifier's answers: which classes are taken for which, precision against recall, calibration.

All by scikit-learn, but for the expected calibration error, which it lacks.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class PrecisionRecall(NamedTuple):
    """A curve over all thresholds of a score.

    Args:
        precision, recall: float [N], from the lowest threshold (recall 1) to none (precision 1, recall 0).
        average: the average precision, the area under the steps.
    """

    precision: np.ndarray
    recall: np.ndarray
    average: float


class Calibration(NamedTuple):
    """How often answers of some confidence are right, in bins of equal width; bins without an answer are left out.

    Args:
        confidence: float [B], the mean confidence of a bin.
        accuracy: float [B], the share of right answers.
        counts: int [B], how many answers there are.
        expected_error: the mean distance of the two, weighted by the counts (Naeini et al., 2015; Guo et al., 2017).
    """

    confidence: np.ndarray
    accuracy: np.ndarray
    counts: np.ndarray
    expected_error: float


def confusion_matrix(predictions: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """int64 [C, C]: row, the right class; column, the one that was answered.

    Args:
        predictions, labels: indices [E].
        classes: how many classes there are, C.

    >>> confusion_matrix(np.array([0, 1, 1]), np.array([0, 1, 0]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    from sklearn import metrics

    return metrics.confusion_matrix(labels, predictions, labels=np.arange(classes))


def precision_recall(scores: np.ndarray, held: np.ndarray) -> PrecisionRecall | None:
    """The curve of one class or label; None where no example has it.

    Args:
        scores: float [E], its probability.
        held: bool [E], which examples have it.

    >>> curve = precision_recall(np.array([0.9, 0.8, 0.1]), np.array([True, False, True]))
    >>> curve.recall.tolist(), round(curve.average, 4)
    ([1.0, 0.5, 0.5, 0.0], 0.8333)
    """
    from sklearn import metrics

    held = np.asarray(held, bool)
    if not held.any():
        return None
    precision, recall, _ = metrics.precision_recall_curve(held, scores)
    return PrecisionRecall(precision, recall, float(metrics.average_precision_score(held, scores)))


def calibration(confidences: np.ndarray, right: np.ndarray, *, bins: int = 10) -> Calibration:
    """Compares how sure answers were with how often they are right.

    Args:
        confidences: float [N] in [0, 1].
        right: bool [N].
        bins: how many bins [0, 1] is cut into.
    Raises: ValueError without an answer, or for confidences outside of [0, 1].
    Reference: Guo et al., 2017, https://arxiv.org/abs/1706.04599

    >>> found = calibration(np.array([0.95, 0.95, 0.55]), np.array([True, False, True]))
    >>> found.accuracy.tolist(), found.counts.tolist(), round(found.expected_error, 4)
    ([1.0, 0.5], [1, 2], 0.45)
    """
    from sklearn.calibration import calibration_curve

    sure, is_right = np.asarray(confidences, np.float64), np.asarray(right, bool)
    if not sure.size or sure.shape != is_right.shape or not (sure.min() >= 0 and sure.max() <= 1):
        raise ValueError(
            "`confidences` and `right` must have one shape [N], with N at least 1 and confidences in [0, 1]. "
            f"Received: {sure.shape} and {is_right.shape}" + (f", {sure.min()} to {sure.max()}" if sure.size else "")
        )
    accuracy, confidence = calibration_curve(is_right, sure, n_bins=bins)
    edges = np.linspace(0.0, 1.0, bins + 1)
    counts = np.bincount(np.searchsorted(edges[1:-1], sure), minlength=bins)  # as calibration_curve takes them
    counts = counts[counts > 0]
    error = float(np.sum(counts * np.abs(accuracy - confidence)) / counts.sum())
    return Calibration(confidence, accuracy, counts, error)
