"""Arrays of a whole data set, looked at a block at a time: so they may be files that are mapped into memory."""

from __future__ import annotations

import mmap
from collections.abc import Iterator

import numpy as np

BLOCK = 1 << 20


def blocks(array: np.ndarray, size: int = BLOCK) -> Iterator[np.ndarray]:
    """Parts of an array, one after another, of `size` along the first axis. What is read of a mapped file is let go.

    >>> [block.tolist() for block in blocks(np.arange(5), 2)]
    [[0, 1], [2, 3], [4]]
    """
    file = array.base
    while isinstance(file, np.ndarray):  # a part of an array, or a view of it
        file = file.base
    for start in range(0, len(array), size):
        yield array[start : start + size]
        if isinstance(file, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            file.madvise(mmap.MADV_DONTNEED)  # the system still has it, but this process no longer
