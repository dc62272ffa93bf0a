"""Precision against recall, as TensorBoard's tab of that name reads it."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from tensorboard.plugins.pr_curve import metadata

THRESHOLDS = 201


def write_curve(tag: str, scores: np.ndarray, held: np.ndarray, *, step: int, description: str) -> None:
    """The curve of a class against the others, into the writer that is the default one.

    Args:
        tag: its name.
        scores: float [N], the probability of the class.
        held: bool [N], where it is right.
    """
    about = metadata.create_summary_metadata(display_name=tag, description=description, num_thresholds=THRESHOLDS)
    tf.summary.write(tag, tf.constant(counts(scores, held), tf.float32), step=step, metadata=about)


def counts(scores: np.ndarray, held: np.ndarray) -> np.ndarray:
    """float64 [6, 201]: true and false positives, true and false negatives, precision and recall, where an example is
    taken for one of the class from a threshold on, which rises from 0 to 1 in equal steps.

    >>> found = counts(np.array([0.9, 0.2]), np.array([True, True]))
    >>> found[:4, 100].tolist(), found[4:, 100].tolist()
    ([1.0, 0.0, 0.0, 1.0], [1.0, 0.5])
    """
    held = np.asarray(held, bool)
    bins = np.floor(np.clip(scores, 0.0, 1.0) * (THRESHOLDS - 1)).astype(int)

    def from_threshold(which: np.ndarray) -> np.ndarray:
        return np.cumsum(np.bincount(bins[which], minlength=THRESHOLDS)[::-1])[::-1].astype(np.float64)

    true, false = from_threshold(held), from_threshold(~held)
    missed, left = held.sum() - true, (~held).sum() - false
    precision = true / np.maximum(true + false, 1e-7)
    return np.stack([true, false, left, missed, precision, true / max(held.sum(), 1e-7)])
