"""A table of vectors, looked up by number."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from bert_tf.layers.dense import truncated_normal
from bert_tf.layers.dropout import check_positive


@keras.saving.register_keras_serializable(package="bert_tf")
class Table(keras.layers.Layer):
    """Vectors by number. The table itself is never cast: rows are gathered first, then brought to the compute dtype.

    Args:
        size: number V of rows.
        dim: width D.
        initializer_range: deviation of the truncated normal the rows start from.
    Call arguments:
        ids: int32 or int64, any shape, each in [0, V).
    Returns: float [..., D] in the table's own dtype (float32 under a mixed policy); the caller casts.
    Raises: ValueError if `size` or `dim` is not an integer of at least 1.

    >>> import numpy as np
    >>> table = Table(size=9, dim=8)
    >>> table(np.array([[2, 5, 3]])).shape, table.table.shape
    (TensorShape([1, 3, 8]), TensorShape([9, 8]))
    """

    def __init__(self, size: int, dim: int, *, initializer_range: float = 0.02, **kwargs):
        super().__init__(**kwargs)
        self.size = check_positive("size", size)
        self.dim = check_positive("dim", dim)
        self.initializer_range = initializer_range
        # A converter to 8 bits may set rows whose columns are alike in size, float32 [V, D], and what each column is to
        # be multiplied with, [D]: a table has one scale for all its numbers, which its largest column decides.
        self.split: tuple[Any, Any] | None = None

    def build(self, input_shape=None):
        start = truncated_normal(self.initializer_range)
        self.table = self.add_weight(shape=(self.size, self.dim), initializer=start, name="table", autocast=False)

    def call(self, ids):
        if self.split is not None:
            rows, columns = self.split
            return ops.take(rows, ids, axis=0) * columns  # [..., D]
        return ops.take(self.table, ids, axis=0)  # [..., D]

    def compute_output_spec(self, ids):
        return keras.KerasTensor((*ids.shape, self.dim), dtype=self.variable_dtype)

    def get_config(self):
        return super().get_config() | {"size": self.size, "dim": self.dim, "initializer_range": self.initializer_range}
