"""Attention of long rows to all of their tokens, some queries at a time: scores of all pairs are never in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops

from bert_tf.layers.functions.gradients import upstream_of
from bert_tf.layers.functions.masks import Sight, hidden

CHUNK = 256
"""Queries at a time."""


def in_chunks(q, k, v, sight: Sight, *, rate: float, drop: Callable[..., Any], seed, chunk: int = CHUNK):
    """Attention of each token to all that `sight` lets it see. The gradient works the scores out again.

    Each round takes its queries out of the array that it then writes its answers to, so that no two run at once.

    Args:
        q, k, v: float [B, T, N, H], q scaled.
        sight: who sees whom.
        rate: share of attention weights that is dropped.
        drop: what drops them, of weights, rate and seed.
        seed: integer [2], of the first chunk's dropout; each further chunk has the next first number.
        chunk: most queries of a round.
    Returns: float [B, T, N, H].
    Reference: Rabe and Staats, 2021, https://arxiv.org/abs/2112.05682
    """
    length, heads = ops.shape(q)[1], q.shape[2:]
    size = min(chunk, q.shape[1]) if q.shape[1] is not None else ops.minimum(chunk, length)
    missing = -length % size
    rows = ops.shape(q)[0]
    queries = ops.pad(q, [[0, 0], [0, missing], [0, 0], [0, 0]])
    queries = ops.transpose(ops.reshape(queries, (rows, -1, size, *heads)), (1, 0, 3, 2, 4))  # [C, B, N, c, H]
    numbers = ops.pad(sight.queries, [[0, 0], [0, missing]])
    numbers = ops.transpose(ops.reshape(numbers, (rows, -1, size)), (1, 0, 2))  # [C, B, c]
    k, v = ops.transpose(k, (0, 2, 3, 1)), ops.transpose(v, (0, 2, 1, 3))  # [B, N, H, S], [B, N, S, H]
    out = _rounds(rate, drop)(queries, k, v, numbers, sight.keys, sight.masked, seed)  # [C, B, N, c, H]
    out = ops.reshape(ops.transpose(out, (1, 0, 3, 2, 4)), (rows, -1, *heads))
    return out[:, :length]


def in_slices(attend: Callable[..., Any], q, k, v, sight: Sight, *, chunk: int = CHUNK):
    """What `in_chunks` gives where nothing is dropped, without a loop: for graphs that hold none.

    Args:
        attend: attention of q, k, v and a bias float32 [B, 1, c, S].
        q, k, v: float [B, T, N, H] of a T that is known.
        sight, chunk: as above.
    """
    parts = [slice(first, first + chunk) for first in range(0, q.shape[1], chunk)]
    found = [attend(q[:, part], k, v, sight._replace(queries=sight.queries[:, part]).bias()) for part in parts]
    return ops.concatenate(found, axis=1)


def _rounds(rate: float, drop: Callable[..., Any]):
    def weights_of(q, k, numbers, keys, masked):
        """float32 [B, N, c, S]"""
        seen = ops.equal(ops.expand_dims(numbers, 2), ops.expand_dims(keys, 1))  # [B, c, S]
        return ops.softmax(ops.cast(ops.matmul(q, k), "float32") + hidden(ops.expand_dims(seen, 1), masked))

    def dropped(weights, seed, i):
        return drop(weights, rate, seed + ops.stack([ops.cast(i, seed.dtype), 0])) if rate else weights

    def put(x, i, part):
        """`x` [C, ...] with `part` [...] at `i`; TensorFlow writes into what is there."""
        return ops.scatter_update(x, ops.reshape(i, (1, 1)), ops.expand_dims(part, 0))

    @ops.custom_gradient
    def run(q, k, v, numbers, keys, masked, seed) -> Any:
        first, count = ops.zeros((), "int32"), ops.shape(q)[0]

        def forward(i, x):
            weights = weights_of(ops.take(x, i, axis=0), k, ops.take(numbers, i, axis=0), keys, masked)
            return i + 1, put(x, i, ops.matmul(ops.cast(dropped(weights, seed, i), v.dtype), v))

        _, found = ops.while_loop(lambda i, x: i < count, forward, (first, q))

        def gradient(*args, upstream=None):
            def backward(i, x, dk, dv):
                part, dy = ops.take(q, i, axis=0), ops.take(x, i, axis=0)  # [B, N, c, H]
                weights = weights_of(part, k, ops.take(numbers, i, axis=0), keys, masked)
                used = ops.cast(dropped(weights, seed, i), v.dtype)
                dv = dv + ops.cast(ops.matmul(ops.transpose(used, (0, 1, 3, 2)), dy), "float32")
                dused = ops.cast(ops.matmul(dy, ops.transpose(v, (0, 1, 3, 2))), "float32")
                dweights = dropped(dused, seed, i)  # the same are dropped, and the rest are scaled alike
                dscores = weights * (dweights - ops.sum(dweights * weights, axis=-1, keepdims=True))
                dscores = ops.cast(dscores, q.dtype)
                dk = dk + ops.cast(ops.matmul(ops.transpose(part, (0, 1, 3, 2)), dscores), "float32")
                return i + 1, put(x, i, ops.matmul(dscores, ops.transpose(k, (0, 1, 3, 2)))), dk, dv

            start = (first, upstream_of(args, upstream), ops.zeros_like(k, "float32"), ops.zeros_like(v, "float32"))
            _, dq, dk, dv = ops.while_loop(lambda i, *_: i < count, backward, start)
            return dq, ops.cast(dk, k.dtype), ops.cast(dv, v.dtype), None, None, None, None

        return found, gradient

    return run
