"""Made-up data sets for these tests."""

from __future__ import annotations

import numpy as np

from bert_tf.data.batching.features import Features
from bert_tf.data.batching.plan import Plan


def film_lengths(count: int, seed: int = 0) -> np.ndarray:
    """Lengths like SST-2's (mean 13, from 3 to 64, many of 3 to 8)."""
    rng = np.random.default_rng(seed)
    return np.clip(rng.lognormal(2.15, 0.85, count).astype(np.int64) + 2, 3, 64)


def features_of(lengths: np.ndarray, *, labels: bool = True, **more) -> Features:
    """Token n of the whole set has id n + 1, so that every token can be told from every other."""
    lengths = np.asarray(lengths)
    size = int(lengths.sum())
    return Features(
        token_ids=np.arange(1, size + 1, dtype=np.int32),
        segment_ids=(np.arange(size) % 2).astype(np.int8),
        splits=np.append(0, np.cumsum(lengths)),
        labels=np.arange(10, 10 + len(lengths), dtype=np.int32) if labels else None,
        **more,
    )


def padding_share(plan: Plan) -> float:
    """Share of the epoch's token positions that hold no token."""
    return 1.0 - float(plan.tokens.sum()) / (plan.layout.rows * float(plan.lengths.sum()))
