"""The sum of gradients over replicas, and how it comes from one to another."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from bert_tf.training.workers.peers import Peers
from bert_tf.training.workers.shared_sum import SharedSum

LARGE_TABLE = 4096
"""Tables of fewer rows, such as those of positions and segments, are summed up whole."""


class Reduction:
    """Sums of what the replicas found, the same on each of them.

    Args:
        precision: what dense gradients are sent in, by tf.distribute: "float32"; or "bfloat16": half as many bytes,
            and 8 instead of 24 bits of each number.
        keeps_rows: give and take the rows of large tables that have a gradient, instead of the tables.
    """

    name: str

    def __init__(self, precision: str = "float32", *, keeps_rows: bool = False) -> None:
        self.name, self.precision, self.keeps_rows = precision, precision, keeps_rows

    @tf.autograph.experimental.do_not_convert
    def to_send(self, gradient: Any, variable: Any) -> Any:
        """A gradient as it is to be summed up: of a large table as slices, each row once; else dense. Float32.

        Of a table that is looked up the rows of the tokens that occurred have a gradient, a few hundred of 30,000.
        There are as many slices as there were lookups, as on every replica; those left over add 0 to row 0.
        """
        if not self.keeps_rows or not isinstance(gradient, tf.IndexedSlices) or variable.shape[0] < LARGE_TABLE:
            # That of a table of positions does not know how many there are, where batches are of several lengths.
            return tf.ensure_shape(tf.cast(tf.convert_to_tensor(gradient), tf.float32), variable.shape)
        rows, place = tf.unique(gradient.indices)
        lookups = tf.size(place)
        values = tf.math.unsorted_segment_sum(tf.cast(gradient.values, tf.float32), place, lookups)
        rows = tf.pad(rows, [[0, lookups - tf.size(rows)]])
        return tf.IndexedSlices(values, rows, tf.constant(variable.shape.as_list(), rows.dtype))

    @tf.autograph.experimental.do_not_convert
    def __call__(self, losses: tf.Tensor, gradients: list[Any]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Called in replica context.

        Args:
            losses: float32; always sent as that.
            gradients: float32 tensors or `tf.IndexedSlices`, of `to_send`.
        Returns: the sum of the losses, and of the gradients, float32 and dense.
        """
        context = tf.distribute.get_replica_context()
        if context.num_replicas_in_sync > 1:
            losses, gradients = self._sums(context, losses, gradients)
        return losses, [tf.cast(tf.convert_to_tensor(each), tf.float32) for each in gradients]

    def _sums(self, context: Any, losses: tf.Tensor, gradients: list[Any]) -> tuple[tf.Tensor, list[Any]]:
        """Between workers TensorFlow joins dense gradients into one flat tensor; of slices it sends rows and their
        numbers, never in bfloat16."""
        if self.precision == "float32":
            losses, *gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, [losses, *gradients])
            return losses, gradients
        sent = [each if isinstance(each, tf.IndexedSlices) else tf.cast(each, self.precision) for each in gradients]
        losses = context.all_reduce(tf.distribute.ReduceOp.SUM, losses)
        return losses, context.all_reduce(tf.distribute.ReduceOp.SUM, sent)


class SharedReduction(Reduction):
    """The same between workers of one machine, in memory that they share, exact; sent in float32 if they share none.

    Args:
        peers: the workers, one replica each.
        keeps_rows: as of `Reduction`.
    """

    def __init__(self, peers: Peers, *, keeps_rows: bool) -> None:
        super().__init__(keeps_rows=keeps_rows)
        self.peers = peers
        self.shared: SharedSum | None = None
        self.is_open = False

    @tf.autograph.experimental.do_not_convert
    def _sums(self, context: Any, losses: tf.Tensor, gradients: list[Any]) -> tuple[tf.Tensor, list[Any]]:
        dense = [losses, *(each for each in gradients if not isinstance(each, tf.IndexedSlices))]
        tables = [each for each in gradients if isinstance(each, tf.IndexedSlices)]
        if not self.is_open:  # all workers trace their first update at the same time
            sizes = [(int(tf.get_static_value(each.dense_shape)[0]), each.values.shape[1]) for each in tables]
            self.shared = SharedSum.open(self.peers, [each.shape.num_elements() for each in dense], sizes)
            self.is_open = True
            self.name = self.name if self.shared is None else "shared_memory"
        if self.shared is None:
            return super()._sums(context, losses, gradients)
        rows = [part for each in tables for part in (tf.cast(each.indices, tf.int64), each.values)]
        types = [tf.float32] * len(dense) + [tf.int64, tf.float32] * len(tables)
        found = tf.numpy_function(self._called, [*dense, *rows], types)
        sums = iter(tf.reshape(flat, each.shape) for flat, each in zip(found, dense, strict=False))
        parts = zip(tables, found[len(dense) :: 2], found[len(dense) + 1 :: 2], strict=True)
        summed = iter(
            tf.IndexedSlices(
                tf.ensure_shape(values, [None, each.values.shape[1]]), numbers, tf.cast(each.dense_shape, tf.int64)
            )
            for each, numbers, values in parts
        )
        losses = next(sums)
        return losses, [next(summed if isinstance(each, tf.IndexedSlices) else sums) for each in gradients]

    def _called(self, *arrays: np.ndarray) -> list[np.ndarray]:
        """The losses are copied, as they are reported whenever TensorFlow comes to it. Gradients need not be: what is
        made of them is done before the next update's can be there, as those are of the weights that these change.
        """
        assert self.shared is not None
        losses, *others = self.shared(*arrays)
        return [losses.copy(), *others]
