"""How many cores there are to work with. Needs no TensorFlow."""

from __future__ import annotations

import os


def cores() -> int:
    """Cores that this process may use, which can be fewer than there are; macOS has no such limit."""
    may_use = getattr(os, "sched_getaffinity", None)
    return len(may_use(0)) if may_use else os.cpu_count() or 1
