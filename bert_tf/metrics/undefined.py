"""Scores that are undefined, such as the correlation of predictions that are all the same."""

from __future__ import annotations

import math
from collections.abc import Mapping


class Undefined(float):
    """Not a number, with the reason why; null in JSON.

    >>> from bert_tf.metrics import get_metric
    >>> import numpy as np
    >>> score = get_metric("pearson")(np.array([2.0, 2.0]), np.array([1.0, 3.0]))
    >>> score, score.reason
    (nan, 'all predictions are 2')
    """

    reason: str

    def __new__(cls, reason: str) -> Undefined:
        self = super().__new__(cls, "nan")
        self.reason = reason
        return self


def as_json(scores: Mapping[str, float]) -> dict[str, float | None]:
    """The scores as JSON can hold them: null for what is not a number."""
    return {name: None if math.isnan(value) else value for name, value in scores.items()}


def listed(scores: Mapping[str, float | None]) -> str:
    """The scores in one line, with the reasons of those that are undefined, which may be None as in `as_json`."""
    parts = []
    for name, value in scores.items():
        reason = f" ({value.reason})" if isinstance(value, Undefined) else ""
        parts.append(f"{name} undefined{reason}" if value is None or math.isnan(value) else f"{name} {value:.4f}")
    return ", ".join(parts)
