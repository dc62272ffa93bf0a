"""What attention adds to its scores for how far apart two tokens stand."""

from __future__ import annotations

import math

import keras
import numpy as np
from keras import ops

from bert_tf.layers.dense import truncated_normal
from bert_tf.layers.dropout import check_positive

FARTHEST = 128
"""From this many tokens on all distances are one."""


def buckets_of(distances: np.ndarray, num_buckets: int, farthest: int = FARTHEST) -> np.ndarray:
    """The bucket of each distance, a key's place less a query's: near ones each have their own, far ones share it.

    Args:
        distances: int [...].
        num_buckets: half of them for keys before the query or at it, half for keys after it.
        farthest: from this distance on there is one bucket.
    Returns: int32 [...], in [0, num_buckets).
    Reference: Raffel et al., 2020, section 2.1, https://arxiv.org/abs/1910.10683
    """
    half = num_buckets // 2
    alone = half // 2  # distances that have a bucket each
    size = np.abs(distances)
    # In float32, as the models were trained: powers of two lie right at a bucket's edge.
    log = np.log(np.maximum(size, 1).astype(np.float32) / np.float32(alone)) / np.float32(math.log(farthest / alone))
    shared = np.minimum(alone + (log * np.float32(half - alone)).astype(np.int32), half - 1)
    return (np.where(size < alone, size, shared) + half * (distances > 0)).astype(np.int32)


@keras.saving.register_keras_serializable(package="bert_tf")
class RelativeBias(keras.layers.Layer):
    """A number for each head and each bucket of distances.

    Args:
        num_heads: number N of heads.
        num_buckets: of distances, even and at least 4, see `buckets_of`.
        initializer_range: deviation of the truncated normal the numbers start from.
    Call arguments:
        x: [B, S, ...], the keys, which stand at 0, 1, 2, ... in their rows.
        queries: int [B, T], where in its row each query stands; None: all that the keys are.
    Returns: float32 [B, N, T, S], or [1, N, S, S] without `queries`, to be added to scores.
    Raises: ValueError for a bad argument.
    Reference: Song et al., 2020, https://arxiv.org/abs/2004.09297 (the released code, `relative_attention_bias`)

    >>> import numpy as np
    >>> layer, x = RelativeBias(num_heads=2, num_buckets=8), keras.random.normal((3, 5, 4))
    >>> layer(x).shape, layer(x, keras.ops.zeros((3, 1), "int32")).shape
    (TensorShape([1, 2, 5, 5]), TensorShape([3, 2, 1, 5]))
    """

    def __init__(self, num_heads: int, num_buckets: int = 32, *, initializer_range: float = 0.02, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = check_positive("num_heads", num_heads)
        self.num_buckets = check_positive("num_buckets", num_buckets)
        if num_buckets < 4 or num_buckets % 2:
            raise ValueError(f"`num_buckets` must be even and at least 4. Received: num_buckets={num_buckets}")
        self.initializer_range = initializer_range

    def build(self, input_shape=None):
        start = truncated_normal(self.initializer_range)
        shape = (self.num_buckets, self.num_heads)
        self.table = self.add_weight(shape=shape, initializer=start, name="table", autocast=False)

    def call(self, x, queries=None):
        keys = ops.arange(ops.shape(x)[1], dtype="int32")[None]  # [1, S]
        return self.of(keys[:, None] - ops.cast(keys if queries is None else queries, "int32")[:, :, None])

    def of(self, distances):
        """float32 [B, N, T, S] for int32 [B, T, S], each key's place less the query's."""
        every = buckets_of(np.arange(-FARTHEST, FARTHEST + 1), self.num_buckets)
        values = ops.take(ops.transpose(self.table), every, axis=1)  # [N, 2 * FARTHEST + 1]
        found = ops.take(values, ops.clip(distances, -FARTHEST, FARTHEST) + FARTHEST, axis=1)  # [N, B, T, S]
        return ops.cast(ops.transpose(found, (1, 0, 2, 3)), "float32")  # [B, N, T, S]

    def compute_output_spec(self, x, queries=None):
        rows, length = (1, x.shape[1]) if queries is None else queries.shape
        return keras.KerasTensor((rows, self.num_heads, length, x.shape[1]), dtype="float32")

    def get_config(self):
        names = ("num_heads", "num_buckets", "initializer_range")
        return super().get_config() | {name: getattr(self, name) for name in names}
