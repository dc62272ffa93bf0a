"""A SentencePiece model's map of characters, applied as the `tokenizers` library does.

SentencePiece replaces the longest sequence at each place. The library cuts the text into clusters, which are what
people see as characters, such as a letter with its accents. A cluster of less than six bytes that begins with any
sequence of the map becomes what the shortest such one becomes, as a whole; of others each code point is looked up
alone. That is what models were fine-tuned with.
"""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from bert_tf.text.sentence_pieces import tables
from bert_tf.text.sentence_pieces.characters import Characters, OneText, PointMap, is_text
from bert_tf.text.sentence_pieces.files.charsmap import LONGEST
from bert_tf.text.sentence_pieces.trie import LIMIT, Trie

CARRIAGE_RETURN, LINE_FEED = 13, 10


class Precompiled:
    """Characters to normalised ones.

    Args:
        replacements: what each sequence of up to LONGEST bytes becomes.
    """

    def __init__(self, replacements: Mapping[str, str]):
        texts = list(replacements.values())
        self.map = PointMap({ord(key): text for key, text in replacements.items() if len(key) == 1}, texts)
        first = self.map.first_of_more
        self.trie = Trie(list(replacements), list(range(first, first + len(texts)))) if texts else None
        self.kinds = tables.numbers("clusters")
        self.joining = frozenset(map(chr, tables.points("joins") | tables.points("prepends")))
        self.touched = self.map.touched | self.joining if texts else frozenset()

    def __call__(self, x: Characters) -> Characters:
        if self.trie is None:
            return x
        joined = self._joined(x)
        return tf.cond(tf.reduce_any(joined), lambda: self._with_clusters(x, joined), lambda: self.map(x))

    def one(self, x: OneText) -> OneText | None:
        """A text alone, in Python; None for what the graph is needed for."""
        if self.trie is None:
            return x
        return self.map.one(x) if "\r\n" not in x.text and self.joining.isdisjoint(x.text) else None

    def _joined(self, x: Characters):
        """bool [N], the characters that are of the same cluster as the one before.

        Reference: https://www.unicode.org/reports/tr29/, of which the rules for syllables of Korean, conjuncts and
        sequences of emoji join only what is longer than LONGEST anyway.
        """
        kinds = tf.where(is_text(x), self.kinds(x.values), tables.CONTROL)
        before, here = kinds[:-1], kinds[1:]
        joined = ((here == tables.JOINS) & (before != tables.CONTROL)) | (
            (before == tables.PREPENDS) & (here != tables.CONTROL)
        )
        joined |= (x.values[:-1] == CARRIAGE_RETURN) & (x.values[1:] == LINE_FEED)
        return tf.concat([tf.zeros_like(x.values[:1], tf.bool), joined], axis=0)

    def _with_clusters(self, x: Characters, joined) -> Characters:
        assert self.trie is not None
        firsts = tf.cast(tf.where(~joined)[:, 0], tf.int32)
        sizes = tf.concat([firsts[1:], tf.shape(joined)], axis=0) - firsts
        width = 1 + sum(tf.cast(x.values >= limit, tf.int32) for limit in (0x80, 0x800, 0x10000))
        total = tf.math.segment_sum(width, tf.cumsum(tf.cast(~joined, tf.int32)) - 1)
        whole = tf.where((sizes > 1) & (total <= LONGEST))[:, 0]
        firsts, sizes = tf.gather(firsts, whole), tf.gather(sizes, whole)  # [C]
        places = tf.ragged.range(firsts, firsts + sizes)
        ends = tf.fill([tf.size(firsts), 1], LIMIT)
        points = tf.concat([places.with_values(tf.gather(x.values, places.values)), ends], axis=1)
        begins = tf.cast(points.row_splits[:-1], tf.int32)
        found = self.trie(points.values)
        row = tf.searchsorted(begins, found.starts, side="right") - 1
        at_begin = tf.gather(begins, row) == found.starts
        row, length, value = (tf.boolean_mask(v, at_begin) for v in (row, found.lengths, found.values))
        shortest = tf.gather(tf.math.unsorted_segment_min(length, row, tf.size(firsts)), row) == length
        row, value = tf.boolean_mask(row, shortest), tf.boolean_mask(value, shortest)
        first, size = tf.gather(firsts, row), tf.gather(sizes, row)
        swallowed = tf.ragged.range(first + 1, first + size).values
        single, rows = self.map.of_each(x)
        rows = tf.tensor_scatter_nd_update(rows, first[:, None], value)
        ones = tf.ones_like(rows)
        ones = tf.tensor_scatter_nd_update(ones, first[:, None], size)
        ones = tf.tensor_scatter_nd_update(ones, swallowed[:, None], tf.zeros_like(swallowed))
        return self.map.expand(single, rows, ones)
