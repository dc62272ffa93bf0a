"""Integrals along a line, in as many parts as it takes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

logger = logging.getLogger(__name__)

NODES = 6
"""Points in a part of the line: exact for polynomials up to degree 11."""
PARTS = 4
"""Parts of the line to begin with."""
ROUNDS = 10
"""How often parts are halved at most."""

Along = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Places on a line, float64 [P], 0 its beginning and 1 its end, to the outputs there [P], and how fast each of T
coordinates changes them, [P, T]: together that is the derivative of the output along the line."""


@dataclass(frozen=True)
class Integral:
    """What `integrate` finds: of each coordinate its share float64 [T], the outputs at both ends, and its work."""

    attributions: np.ndarray
    baseline: float
    value: float
    points: int


def integrate(along: Along, *, tolerance: float, where: str = "") -> Integral:
    """Integrated gradients along a line.

    Args:
        along: what there is at places of it.
        tolerance: most that the sum of the parts' errors may be; if `ROUNDS` do not reach it, a warning says so.
        where: of the text, for that warning.

    >>> import numpy as np
    >>> end = np.array([1.0, 3.0])  # the sum of squares, from 0 to there
    >>> found = integrate(lambda at: (at**2 * np.sum(end**2), 2 * at[:, None] * end**2), tolerance=1e-9)
    >>> found.attributions.round(6).tolist(), round(found.value - found.baseline, 6)
    ([1.0, 9.0], 10.0)
    """
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    nodes, weights = (nodes + 1) / 2, weights / 2  # on [0, 1]
    outputs: dict[float, float] = {}
    done: dict[tuple[float, float], tuple[np.ndarray, float]] = {}  # a part -> attributions, and its error
    waiting = [(k / PARTS, (k + 1) / PARTS) for k in range(PARTS)]
    points, missed = 0, 0.0
    for rounds_left in range(ROUNDS, -1, -1):
        edges = sorted({edge for part in waiting for edge in part} - outputs.keys())
        at = np.concatenate([edges, *(low + (high - low) * nodes for low, high in waiting)])
        values, rates = along(at)
        points += len(at)
        outputs |= dict(zip(edges, values[: len(edges)].tolist(), strict=True))
        for k, (low, high) in enumerate(waiting):
            own = rates[len(edges) + k * NODES : len(edges) + (k + 1) * NODES]
            added = (high - low) * weights @ own
            done[low, high] = added, abs(float(added.sum()) - (outputs[high] - outputs[low]))
        errors = {part: error for part, (_, error) in done.items()}
        missed = sum(errors.values())
        if missed <= tolerance or not rounds_left:
            break
        waiting = [part for part, error in errors.items() if error > tolerance / (2 * len(errors))]
        for part in waiting:
            del done[part]
        waiting = [half for low, high in waiting for half in ((low, (low + high) / 2), ((low + high) / 2, high))]
    if missed > tolerance:
        logger.warning("%s: attributions are right to %.1e only", where, missed)
    attributions = np.sum([added for added, _ in done.values()], axis=0)
    return Integral(attributions, outputs[0.0], outputs[1.0], points)
