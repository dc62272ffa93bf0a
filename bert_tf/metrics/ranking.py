"""How well documents were ranked for queries: nDCG, mean reciprocal rank, recall, precision, mean average precision.

As trec_eval has them: the gain of a document is its judgement, what is not judged has none, and queries without a
relevant document do not count. Of documents with equal scores the earlier comes first (trec_eval: the greater id).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

NAME = re.compile(r"(?:(ndcg|recall|precision|mrr|map)_at_([1-9][0-9]*))|mrr")
RANKED = 100
"""How far down metrics look that name no depth, and how many documents are ranked where they are wanted."""


def check_retrieval_metric(name: str) -> None:
    """Raises: ValueError if there is no metric of that name: ndcg_at_K, recall_at_K, mrr and others."""
    if not NAME.fullmatch(name):
        raise ValueError(
            "`metrics` must be of ndcg_at_K, recall_at_K, precision_at_K, map_at_K, mrr_at_K with a number K, mrr. "
            f"Received: {name!r}"
        )


def ranked_for(names: Sequence[str]) -> int:
    """How many documents must be ranked for metrics of these names."""
    return max(int(found[2] or RANKED) for found in map(NAME.fullmatch, names) if found)


def rank(queries: np.ndarray, documents: np.ndarray, depth: int, *, block: int = 1024) -> np.ndarray:
    """The documents nearest to each query by cosine, the nearest first and the earlier first among equals: by brute
    force, so exact.

    Args:
        queries: [Q, D].
        documents: [N, D].
        depth: how many documents to rank.
        block: queries at a time.
    Returns: int64 [Q, min(depth, N)].

    >>> rank(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0], [1.0, 0.1], [1.0, 1.0]]), 2).tolist()
    [[1, 2]]
    """
    units = documents / np.maximum(np.linalg.norm(documents, axis=-1, keepdims=True), 1e-12)
    found = [np.zeros((0, min(depth, len(documents))), np.int64)]
    for start in range(0, len(queries), block):  # the length of a query's vector changes no order
        scores = queries[start : start + block] @ units.T
        found.append(np.argsort(-scores, axis=-1, kind="stable")[:, :depth])
    return np.concatenate(found)


def without(ranked: Sequence[Sequence[int]], left_out: Sequence[int]) -> list[list[int]]:
    """The rankings, each without one document; -1: none."""
    return [[k for k in documents if k != own] for documents, own in zip(ranked, left_out, strict=True)]


def retrieval_scores(
    ranked: Sequence[Sequence[int]], judgements: Sequence[Mapping[int, float]], names: Sequence[str]
) -> dict[str, float]:
    """Each metric's mean over the queries that have a relevant document.

    Args:
        ranked: for each query the documents found, the best first.
        judgements: for each query the gain of each judged document; 0 or less: not relevant.
        names: ndcg_at_K, recall_at_K, precision_at_K, map_at_K and mrr_at_K for any K, which look at the first K
            documents, and mrr, which looks at the first `RANKED`.
    Raises: ValueError for an unknown name, arguments of different lengths, or no query with a relevant document.

    >>> retrieval_scores([[7, 3, 5]], [{3: 1.0}], ["mrr", "recall_at_1"])
    {'mrr': 0.5, 'recall_at_1': 0.0}
    """
    for name in names:
        check_retrieval_metric(name)
    if len(ranked) != len(judgements):
        raise ValueError(
            "`ranked` and `judgements` must be of the same queries. "
            f"Received: {len(ranked)} rankings, judgements of {len(judgements)} queries"
        )
    gains, ideals = [], []
    for documents, judged in zip(ranked, judgements, strict=True):
        ideal = np.array(sorted((gain for gain in judged.values() if gain > 0), reverse=True), np.float64)
        if len(ideal):
            ideals.append(ideal)
            gains.append(np.array([max(judged.get(document, 0.0), 0.0) for document in documents], np.float64))
    if not gains:
        raise ValueError(f"`judgements` must have a relevant document for one query at least. Received: {judgements}")
    return {name: float(np.mean([_score(name, *pair) for pair in zip(gains, ideals, strict=True)])) for name in names}


def _score(name: str, gains: np.ndarray, ideal: np.ndarray) -> float:
    """Of one query: the gains of the ranked documents, and those of all relevant ones, the greatest first."""
    found = NAME.fullmatch(name)
    assert found is not None
    depth = int(found[2] or RANKED)
    gains = gains[:depth]
    if found[1] == "ndcg":
        return _discounted(gains) / _discounted(ideal[:depth])
    if found[1] == "recall":
        return float(np.count_nonzero(gains)) / len(ideal)
    if found[1] == "precision":
        return float(np.count_nonzero(gains)) / depth
    if found[1] == "map":
        hits = np.flatnonzero(gains)
        return float(np.sum(np.arange(1, len(hits) + 1) / (hits + 1))) / len(ideal)
    return 1.0 / (1 + int(np.argmax(gains > 0))) if gains.any() else 0.0


def _discounted(gains: np.ndarray) -> float:
    return float(np.sum(gains / np.log2(np.arange(2, len(gains) + 2))))
