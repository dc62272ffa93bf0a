"""Scores of attention for how far apart two tokens stand, where each distance has a vector and not just a number.

Distance d is a query's place less a key's. Every d from T - 1 down to -T is worked out for each token once, 2 T numbers
instead of one for each pair, and moved to where its pair stands by cutting the rows otherwise (`skewed`): nothing is
looked up for each pair, which would cost more than the products, in the gradient above all.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from keras import ops


class Distances(NamedTuple):
    """The vectors of the distances of a row, and which is whose.

    Args:
        vectors: float [R, D], of the distances that a row of this length has.
        rows: int32 [2 * S], the vector of each distance from S - 1 down to -S.
        places: int [B, M], where in its row each query stands; None: queries are the keys, or the first token alone.
    """

    vectors: Any
    rows: Any
    places: Any = None

    def at(self, places) -> Distances:
        """The same for the queries at `places`, int [B, M]; None: for the first token of each row."""
        return self._replace(places=places)


def buckets_of(distances: np.ndarray, num_buckets: int, farthest: int) -> np.ndarray:
    """The bucket of each distance, with its sign: near ones are their own, of far ones more and more share one.

    Args:
        distances: int [...].
        num_buckets: of each sign, at least 2; half of them are of one distance.
        farthest: the distance before which they end, above `num_buckets // 2 + 1` where a distance is.
    Returns: int32 [...]; beyond `farthest` they go on as they came.
    Reference: He et al., 2021, https://arxiv.org/abs/2111.09543 (the released code, `make_log_bucket_position`)
    """
    alone = num_buckets // 2
    size = np.abs(distances)
    if size.max(initial=0) <= alone:
        return distances.astype(np.int32)
    # In float32, as the models were trained: powers lie right at a bucket's edge.
    whole = np.log(np.float32((farthest - 1) / alone))
    share = np.log(np.maximum(size, alone).astype(np.float32) / np.float32(alone)) / whole
    far = np.ceil(share * np.float32(alone - 1)).astype(np.int32) + alone
    return np.where(size <= alone, distances, np.sign(distances) * far).astype(np.int32)


def distance_scores(q, k, distances: Distances, keys, queries, *, first: bool = False):
    """What attention adds to its scores for distances, from what tokens and distances are to one another.

    Args:
        q, k: float [B, T, N, H] and [B, S, N, H]; q is scaled.
        distances: whose each vector is.
        keys: float [R, N, H], the vectors as keys, which queries look at (content to position); None: they do not.
        queries: float [R, N, H], the vectors as queries, scaled, which look at keys (position to content); None.
        first: whether `q` is of each row's first token alone.
    Returns: float32 [B, N, T, S].
    """
    length = k.shape[1] if k.shape[1] is not None else ops.shape(k)[1]
    places, found = distances.places, []
    if first:
        rows = distances.rows[length - 1 : 2 * length - 1]  # of 0, -1, ..., 1 - S
        if keys is not None:
            found.append(_products(q, ops.take(keys, rows, axis=0)))
        if queries is not None:
            scores = ops.sum(k * ops.take(queries, rows, axis=0), axis=-1)  # [B, S, N]
            found.append(ops.expand_dims(ops.transpose(scores, (0, 2, 1)), 2))
        return sum(ops.cast(scores, "float32") for scores in found)
    if keys is not None:
        scores = _products(q, ops.take(keys, distances.rows, axis=0))  # [B, N, T, 2 * S]
        if places is None:
            scores = skewed(scores, length - 1, length)
        else:
            columns = length - 1 - ops.cast(places, "int32")[..., None] + ops.arange(length, dtype="int32")
            scores = ops.take_along_axis(scores, columns[:, None], axis=-1)  # [B, N, M, S]
        found.append(scores)
    if queries is not None:
        scores = _products(k, ops.take(queries, ops.flip(distances.rows), axis=0))  # [B, N, S, 2 * S]
        scores = ops.transpose(skewed(scores, length, length), (0, 1, 3, 2))  # [B, N, S, S], queries first
        if places is not None:
            scores = ops.take_along_axis(scores, ops.cast(places, "int32")[:, None, :, None], axis=2)
        found.append(scores)
    return sum(ops.cast(scores, "float32") for scores in found)


def scores_of_new(q, source, past, keys, queries, rows):
    """The same for one new token of each of K sequences that begin with the same source.

    Args:
        q: float [B, N, K, H], scaled.
        source: float [B, N, H, S], the source's keys.
        past: float [B * K, N, P, H], the keys of each sequence's own tokens.
        keys, queries: as above.
        rows: int [B, P + S], the vector of each distance: those of the sequence's own tokens come first.
    Returns: float32 [B, N, K, P + S].
    """
    found, heads, number, own = [], q.shape[1], q.shape[2], past.shape[2]
    if keys is not None:
        found.append(ops.matmul(q, ops.transpose(ops.take(keys, rows, axis=0), (0, 2, 3, 1))))  # [B, N, K, P + S]
    if queries is not None:
        of_rows = ops.transpose(ops.take(queries, rows, axis=0), (0, 2, 1, 3))  # [B, N, P + S, H]
        of_source = ops.sum(ops.transpose(source, (0, 1, 3, 2)) * of_rows[:, :, own:], axis=-1)  # [B, N, S]
        past = ops.reshape(past, (-1, number, heads, own, past.shape[3]))  # [B, K, N, P, H]
        of_past = ops.transpose(ops.sum(past * of_rows[:, None, :, :own], axis=-1), (0, 2, 1, 3))  # [B, N, K, P]
        of_source = ops.expand_dims(of_source, 2) + ops.zeros_like(of_past[..., :1])  # [B, N, K, S]
        found.append(ops.concatenate([of_past, of_source], axis=-1))
    return sum(ops.cast(scores, "float32") for scores in found)


def _products(x, vectors):
    """float [B, T, N, H] and [R, N, H] -> [B, N, T, R]"""
    return ops.matmul(ops.transpose(x, (0, 2, 1, 3)), ops.transpose(vectors, (1, 2, 0)))


def skewed(x, start, length):
    """Row i of each matrix, from `start` - i on: out[..., i, j] = x[..., i, start - i + j].

    A row of 2 T numbers has the next one's beginning behind it, so rows that are one shorter begin one earlier each.

    Args:
        x: [B, N, T, 2 * T].
        start: T - 1 or T.
        length: T.
    Returns: [B, N, T, T].

    >>> skewed(np.arange(8).reshape(1, 1, 2, 4), 1, 2)[0, 0].numpy().tolist()
    [[1, 2], [4, 5]]
    """
    heads, rows = x.shape[1], ops.shape(x)[0]
    # By `slice`, whose gradient takes TensorFlow a tenth of the time of that of an index.
    flat = ops.reshape(x, (-1, heads, length * length * 2))
    flat = ops.slice(flat, (0, 0, start), (rows, heads, length * (2 * length - 1)))
    flat = ops.reshape(flat, (-1, heads, length, 2 * length - 1))
    return ops.slice(flat, (0, 0, 0, 0), (rows, heads, length, length))
