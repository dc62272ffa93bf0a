"""Rows of unlike sizes, laid end to end: the row of each entry, and its place, in TensorFlow ops.

tf.repeat makes a matrix as wide as the largest count; these take the time of what they give, in one operator.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

ROW_BITS = 32  # of a number that has the row above and the place below


def ranges(starts, stops):
    """starts, stops int32 [R], either may be one number -> starts[0], ..., stops[0] - 1, starts[1], ...: int32 [S]."""
    return tf.raw_ops.RaggedRange(starts=starts, limits=stops, deltas=np.int32(1)).rt_dense_values


def owners(counts):
    """counts int [R] -> each row's number as often as its count says: int32 [S].

    >>> owners(tf.constant([2, 0, 3])).numpy().tolist()
    [0, 0, 2, 2, 2]
    """
    bits = tf.constant(ROW_BITS, tf.int64)
    starts = tf.bitwise.left_shift(tf.range(tf.size(counts, tf.int64)), bits)
    limits = starts + tf.cast(counts, tf.int64)
    numbers = tf.raw_ops.RaggedRange(starts=starts, limits=limits, deltas=np.int64(1)).rt_dense_values
    return tf.cast(tf.bitwise.right_shift(numbers, bits), tf.int32)


def repeat(values, counts):
    """values [R] and counts int [R] -> each value as often as its count says, [S]."""
    return tf.gather(values, owners(counts))
