"""Which vectors are alike, so that two ways to make them can be compared by what they are for."""

from __future__ import annotations

from typing import Any

import numpy as np

COMPARED = 1_000


def nearest(vectors: Any) -> list[str]:
    """For each of the first vectors the number of the one nearest to it, by cosine.

    Args:
        vectors: float [N, D].
    """
    some = np.asarray(vectors, np.float32)[:COMPARED]
    some = some / np.linalg.norm(some, axis=1, keepdims=True)
    cosines = some @ some.T  # [N, N]
    np.fill_diagonal(cosines, -np.inf)
    return [str(number) for number in cosines.argmax(axis=1)]
