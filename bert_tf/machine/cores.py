"""How many cores there are to work with. Needs no TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Sequence


def cores() -> int:
    """Cores that this process may use, which can be fewer than there are; macOS has no such limit."""
    may_use = getattr(os, "sched_getaffinity", None)
    return len(may_use(0)) if may_use else os.cpu_count() or 1


def share_of(cores: Sequence[int], number: int, workers: int) -> list[int]:
    """The cores of one of several workers, neighbours; none where there are fewer cores than workers.

    >>> share_of([0, 1, 2, 3, 4], 1, 2)
    [2, 3, 4]
    """
    if len(cores) < workers:
        return []
    return list(cores[number * len(cores) // workers : (number + 1) * len(cores) // workers])
