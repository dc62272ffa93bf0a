"""Words that are tokens as they are, looked up whole, in TensorFlow ops on bytes or code points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from bert_tf.text.byte_pairs.hashing import KeyTable
from bert_tf.text.repeated import ranges

LONGEST = 48  # bytes or characters: longer tokens are no words of texts, but lines of dashes and the like


class WholeWords:
    """The number of each word that is in a list.

    A word's key is the sum of its bytes or code points, each multiplied by a random number for its place, modulo 2**64.
    What the key finds is then compared one by one.

    Args:
        words: at most `LONGEST` bytes or code points each, all different, none empty.
        numbers: what each stands for.
    """

    def __init__(self, words: Sequence[Sequence[int]], numbers: Sequence[int]) -> None:
        lengths = np.array([len(word) for word in words], np.int32)
        data = np.array([value for word in words for value in word], np.int64)
        starts = np.cumsum(lengths) - lengths
        within = np.arange(len(data)) - np.repeat(starts, lengths)
        factors = np.random.default_rng(0).integers(-(2**63), 2**63, LONGEST, dtype=np.int64) | 1
        with np.errstate(over="ignore"):
            sums = np.append(0, np.cumsum(factors[within] * data))
            keys = sums[starts + lengths] - sums[starts]
        kept = np.sort(np.unique(keys, return_index=True)[1])  # Of equal keys, which nobody has seen yet, the first.
        keys, lengths, starts = keys[kept], lengths[kept], starts[kept]
        self.factors, self.table = tf.constant(factors), KeyTable(keys)
        # A word that is not found has the number -1, which gathers an entry of no length.
        self.lengths, self.starts = tf.constant([*lengths, 0], tf.int32), tf.constant([*starts, 0], tf.int32)
        self.numbers = tf.constant([*(numbers[i] for i in kept), -1], tf.int32)
        self.data = tf.constant(np.append(data, np.zeros(LONGEST, np.int64)), tf.int32)

    def __call__(self, data, begins, ends) -> tuple[Any, Any]:
        """
        Args:
            data: int32 [N], the bytes or code points of all words, one after the other.
            begins, ends: int32 [W], where each word begins and ends; together they cover all of `data`.
        Returns: int32 [W], -1 for a word that is not in the list; and int64 [W], equal for equal words.
        """
        lengths = ends - begins
        within = tf.minimum(ranges(0, lengths), LONGEST - 1)
        sums = tf.pad(tf.cumsum(tf.gather(self.factors, within) * tf.cast(data, tf.int64)), [[1, 0]])
        keys = tf.gather(sums, ends) - tf.gather(sums, begins)
        found = self.table(keys)
        found = tf.where(found < 0, tf.size(self.numbers) - 1, found)
        found = tf.where(tf.gather(self.lengths, found) == lengths, found, tf.size(self.numbers) - 1)
        starts = tf.gather(self.starts, found)
        own = tf.gather(self.data, tf.minimum(ranges(starts, starts + lengths), tf.size(self.data) - 1))
        wrong = tf.pad(tf.cumsum(tf.cast(own != data, tf.int32)), [[1, 0]])
        is_right = tf.gather(wrong, ends) == tf.gather(wrong, begins)
        return tf.where(is_right, tf.gather(self.numbers, found), -1), keys


def first_equal(data, begins, lengths, keys):
    """int32 [R], the number of the first word that is equal to each. A word with the key of another is itself.

    Args:
        data: int32 [N].
        begins, lengths, keys: of R words in it, as `WholeWords` has them.
    """
    number = tf.range(tf.size(begins))
    group = tf.unique(keys).idx
    first = tf.gather(tf.math.unsorted_segment_min(number, group, tf.size(number)), group)
    other = tf.gather(begins, first)
    places = tf.minimum(ranges(other, other + lengths), tf.size(data) - 1)
    differs = tf.gather(data, places) != tf.gather(data, ranges(begins, begins + lengths))
    wrong, ends = tf.pad(tf.cumsum(tf.cast(differs, tf.int32)), [[1, 0]]), tf.cumsum(lengths)
    differs = tf.gather(wrong, ends) != tf.gather(wrong, ends - lengths)
    return tf.where(differs | (tf.gather(lengths, first) != lengths), number, first)
