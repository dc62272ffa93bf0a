"""Vectors of how far apart two tokens stand, which attention looks at as it looks at tokens."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from bert_tf.layers.dense import truncated_normal
from bert_tf.layers.dropout import check_positive
from bert_tf.layers.functions.distances import buckets_of
from bert_tf.layers.norms.layer_norm import LayerNorm
from bert_tf.layers.trainable import Composite


@keras.saving.register_keras_serializable(package="bert_tf")
class RelativeVectors(Composite):
    """A vector for each distance of two tokens, or for each bucket of distances, with or without a norm.

    Args:
        hidden_dim: width D.
        farthest: the distance from which on they share a vector, or before which the buckets end.
        num_buckets: buckets of each sign (`functions.distances.buckets_of`), at least 2; 0: a vector for each distance.
        longest: the most tokens of an example: farther ones do not see each other, and may share a vector.
        norm_epsilon: of a norm over each vector; None: there is none.
        initializer_range: deviation of the truncated normal the vectors start from.
    Call arguments:
        x: [B, S, ...], the tokens, which stand at 0, 1, 2, ... in their rows.
    Returns: vectors, float [R, D] in the compute dtype, those alone that S tokens need, and rows, int32 [2 * S], as a
        `functions.distances.Distances` has them.
    Raises: ValueError for a bad argument.
    Reference: He et al., 2020, section 3.1, https://arxiv.org/abs/2006.03654

    >>> layer = RelativeVectors(hidden_dim=8, farthest=12, num_buckets=4, longest=12)
    >>> vectors, rows = layer(keras.random.normal((3, 5, 8)))
    >>> vectors.shape, [int(row) for row in rows]
    (TensorShape([7, 8]), [6, 6, 5, 4, 3, 2, 1, 0, 0, 0])
    """

    def __init__(
        self,
        hidden_dim: int,
        farthest: int,
        *,
        num_buckets: int = 0,
        longest: int = 512,
        norm_epsilon: float | None = None,
        initializer_range: float = 0.02,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.hidden_dim = check_positive("hidden_dim", hidden_dim)
        self.farthest, self.longest = check_positive("farthest", farthest), check_positive("longest", longest)
        if num_buckets != 0 and check_positive("num_buckets", num_buckets) < 2:
            raise ValueError(f"`num_buckets` must be 0, or at least 2. Received: num_buckets={num_buckets}")
        if num_buckets and farthest - 1 <= num_buckets // 2 < longest - 1:
            raise ValueError(
                "`farthest` must be above `num_buckets // 2 + 1`, or `longest` at most that. Received: "
                f"farthest={farthest}, num_buckets={num_buckets}, longest={longest}"
            )
        self.num_buckets, self.norm_epsilon, self.initializer_range = num_buckets, norm_epsilon, initializer_range
        self.span = num_buckets or farthest  # vectors of each sign
        self.norm = None
        if norm_epsilon is not None:
            self.norm = LayerNorm(hidden_dim, epsilon=norm_epsilon, name="norm", dtype=self.dtype_policy)
        # The vector of each distance from -longest to longest.
        every = np.arange(-longest, longest + 1)
        every = buckets_of(every, num_buckets, farthest) if num_buckets else every
        self.numbers = np.clip(every + self.span, 0, 2 * self.span - 1).astype(np.int32)
        self.parts_are_made()

    def build(self, input_shape=None):
        start = truncated_normal(self.initializer_range)
        shape = (2 * self.span, self.hidden_dim)
        self.table = self.add_weight(shape=shape, initializer=start, name="table", autocast=False)
        if self.norm is not None:
            self.norm.build((None, self.hidden_dim))

    def call(self, x, training=None):
        length = x.shape[1]
        if length is not None:
            rows = self._rows(length - 1 - np.arange(2 * length), np)  # they fall, and end at the least
            least, most = int(rows[-1]), int(rows[0])
            vectors = ops.convert_to_tensor(self.table)[least : most + 1]  # [R, D]
        else:
            length = ops.shape(x)[1]
            rows = self._rows(length - 1 - ops.arange(2 * length, dtype="int32"), ops)
            least, most = rows[-1], rows[0]
            vectors = ops.slice(self.table, (least, 0), (most + 1 - least, self.hidden_dim))
        vectors = ops.cast(vectors, self.compute_dtype) if self.norm is None else self.norm(vectors, training=training)
        return vectors, ops.convert_to_tensor(rows - least, "int32")

    def all(self):
        """Every vector there is, float [R, D]; `rows_of` says whose each is."""
        x = ops.convert_to_tensor(self.table)
        return ops.cast(x, self.compute_dtype) if self.norm is None else self.norm(x)

    def rows_of(self, distances):
        """int32 [...], the row of `all` for each distance, int32 [...], a query's place less a key's."""
        return self._rows(distances, ops)

    def _rows(self, distances, of):
        return of.take(self.numbers, of.clip(distances, -self.longest, self.longest) + self.longest, axis=0)

    def compute_output_spec(self, x, training=None):
        length = x.shape[1]
        vectors = keras.KerasTensor((None, self.hidden_dim), dtype=self.compute_dtype)
        return vectors, keras.KerasTensor((None if length is None else 2 * length,), dtype="int32")

    def get_config(self):
        names = ("hidden_dim", "farthest", "num_buckets", "longest", "norm_epsilon", "initializer_range")
        return super().get_config() | {name: getattr(self, name) for name in names}
