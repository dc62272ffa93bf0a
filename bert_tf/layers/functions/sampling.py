"""Drawing one of many classes by its probability."""

from __future__ import annotations

from typing import Any

from keras import ops

BLOCK = 128
"""Classes whose shares are added up first: a place is then looked for among the blocks, and within one of them, which
takes a fraction of the time of all sums one after the other."""


def sample(logits, draws) -> Any:
    """A class for each row, drawn by the softmax of its logits: shares lie end to end in [0, 1), and a draw falls into
    one of them. The same draws give the same classes, however rows are put together.

    Args:
        logits: float [..., V]; the work is done in float32.
        draws: float [...], in [0, 1).
    Returns: int32 [...], in [0, V). No gradient comes from it.
    Reference: Devroye, 1986, Non-Uniform Random Variate Generation, section III.2.1

    Example:
        >>> import numpy as np
        >>> from bert_tf.layers.functions.sampling import sample
        >>> logits = np.log([[0.25, 0.5, 0.25]] * 4).astype("float32")
        >>> np.asarray(sample(logits, np.array([0.2, 0.3, 0.7, 0.8], "float32"))).tolist()
        [0, 1, 1, 2]
    """
    logits = ops.stop_gradient(ops.cast(logits, "float32"))
    draws = ops.cast(draws, "float32")
    size = logits.shape[-1]
    blocks = -(-size // BLOCK)
    shares = ops.exp(logits - ops.max(logits, axis=-1, keepdims=True))  # [..., V], of no sum yet
    shares = ops.pad(ops.reshape(shares, (-1, size)), [[0, 0], [0, blocks * BLOCK - size]])
    shares = ops.reshape(shares, (-1, blocks, BLOCK))  # [N, K, 128]
    sums = ops.sum(shares, axis=-1)  # [N, K]
    ends = ops.cumsum(sums, axis=-1)
    wanted = ops.reshape(draws, (-1,)) * ends[:, -1]  # [N]
    block = ops.minimum(_before(ends, wanted), blocks - 1)  # [N]
    row = ops.arange(ops.shape(block)[0], dtype="int32") * blocks + block
    begun = ops.take(ops.reshape(ends - sums, (-1,)), row)
    inside = ops.cumsum(ops.take(ops.reshape(shares, (-1, BLOCK)), row, axis=0), axis=-1)  # [N, 128]
    # Rounding may put a draw behind all shares of its block: it is then of the last class that has one.
    last = ops.sum(ops.cast(inside < inside[:, -1:], "int32"), axis=-1)
    found = block * BLOCK + ops.minimum(_before(inside, wanted - begun), last)
    return ops.reshape(found, ops.shape(draws))


def _before(ends, wanted):
    """int32 [N]: how many of the `ends` [N, K], which rise, lie before `wanted` [N] or at it."""
    return ops.sum(ops.cast(ends <= wanted[:, None], "int32"), axis=-1)
