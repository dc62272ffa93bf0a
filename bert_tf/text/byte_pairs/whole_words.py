"""Words that are tokens as they are, looked up whole, in TensorFlow ops on bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from bert_tf.text.byte_pairs.hashing import KeyTable

LONGEST = 48  # bytes: longer tokens are no words of texts, but lines of dashes and the like


class WholeWords:
    """The number of each word that is in a list.

    A word's key is the sum of one random number for each of its bytes at its place, modulo 2**64 (Zobrist hashing).
    What the key finds is then compared byte by byte.

    Args:
        words: at most `LONGEST` bytes each, all different.
        numbers: what each stands for.
    """

    def __init__(self, words: Sequence[bytes], numbers: Sequence[int]) -> None:
        longest = max(map(len, words), default=1)
        lengths = np.array([len(word) for word in words], np.int32)
        data = np.frombuffer(b"".join(words), np.uint8)
        starts = np.cumsum(lengths) - lengths
        within = np.arange(len(data)) - np.repeat(starts, lengths)
        terms = np.random.default_rng(0).integers(-(2**63), 2**63, (longest, 256), dtype=np.int64)
        with np.errstate(over="ignore"):
            sums = np.append(0, np.cumsum(terms[within, data]))
            keys = sums[starts + lengths] - sums[starts]
        kept = np.sort(np.unique(keys, return_index=True)[1])  # Of equal keys, which nobody has seen yet, the first.
        keys, lengths, starts = keys[kept], lengths[kept], starts[kept]
        self.longest, self.terms, self.table = longest, tf.constant(terms.ravel()), KeyTable(keys)
        # A word that is not found has the number -1, which gathers an entry of no length.
        self.lengths, self.starts = tf.constant([*lengths, 0], tf.int32), tf.constant([*starts, 0], tf.int32)
        self.numbers = tf.constant([*(numbers[i] for i in kept), -1], tf.int32)
        self.data = tf.constant([*data, *[0] * longest], tf.int32)

    def __call__(self, data, begins, ends) -> tuple[Any, Any]:
        """
        Args:
            data: int32 [N], the bytes of all words, one after the other.
            begins, ends: int32 [W], where each word begins and ends; together they cover all of `data`.
        Returns: int32 [W], -1 for a word that is not in the list; and int64 [W], equal for equal words.
        """
        lengths = ends - begins
        within = tf.minimum(tf.range(tf.size(data)) - tf.repeat(begins, lengths), self.longest - 1)
        sums = tf.pad(tf.cumsum(tf.gather(self.terms, within * 256 + data)), [[1, 0]])
        keys = tf.gather(sums, ends) - tf.gather(sums, begins)
        found = self.table(keys)
        found = tf.where(found < 0, tf.size(self.numbers) - 1, found)
        found = tf.where(tf.gather(self.lengths, found) == lengths, found, tf.size(self.numbers) - 1)
        differs = tf.gather(self.data, tf.repeat(tf.gather(self.starts, found), lengths) + within) != data
        wrong = tf.pad(tf.cumsum(tf.cast(differs, tf.int32)), [[1, 0]])
        is_right = tf.gather(wrong, ends) == tf.gather(wrong, begins)
        return tf.where(is_right, tf.gather(self.numbers, found), -1), keys
