"""One batch that two libraries are given alike."""

from __future__ import annotations

import numpy as np

LEARNING_RATE = 1e-5


def fixed_batch(vocabulary_size: int, batch: int, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Token ids and mask, int32 [B, T], and labels, int32 [B]; rows from half the length to all of it."""
    rng = np.random.default_rng(1)
    lengths = rng.integers(length // 2, length + 1, size=batch)
    mask = (np.arange(length) < lengths[:, None]).astype(np.int32)
    ids = rng.integers(5, vocabulary_size, size=(batch, length)).astype(np.int32) * mask
    return ids, mask, rng.integers(2, size=batch).astype(np.int32)
