"""Where texts name added tokens: of those that begin at a place the longest, from left to right.

As in the `tokenizers` library, a token that its flags refuse at a place is passed over whole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from bert_tf.text.added_tokens import AddedToken
from bert_tf.text.sentence_pieces import tables
from bert_tf.text.sentence_pieces.characters import NAMED, Characters, OneText, take
from bert_tf.text.sentence_pieces.trie import Pages, PointNumbers, Trie


class Names:
    """Puts one value in the place of each added token that a text names, in TensorFlow ops.

    Args:
        tokens: what to look for.
        numbers: for each, how far its value is from NAMED.
        passes_over_special: special tokens are found, so that nothing else is found in them, but are not named.
    """

    def __init__(self, tokens: Sequence[AddedToken], numbers: Sequence[int], *, passes_over_special: bool):
        self.trie = Trie([token.content for token in tokens], list(range(len(tokens))))
        self.search = re.compile("|".join(re.escape(token.content) for token in tokens)).search
        firsts = sorted({ord(token.content[0]) for token in tokens})
        self.firsts = PointNumbers(Pages.of(np.array(firsts), np.ones(len(firsts), np.int64)))
        dropped = [token.special and passes_over_special for token in tokens]
        flags = [[d, t.single_word, t.lstrip, t.rstrip] for t, d in zip(tokens, dropped, strict=True)]
        self.flags, self.numbers = tf.constant(flags), tf.constant(list(numbers), tf.int32)
        self.word, self.white = tables.numbers("word"), tables.numbers("white")

    def __call__(self, x: Characters) -> Characters:
        return tf.cond(tf.reduce_any(self.firsts(x.values) > 0), lambda: self._name(x), lambda: x)

    def one(self, x: OneText) -> OneText | None:
        """A text alone, in Python; None for one that names a token, which the graph is needed for."""
        return x if self.search(x.text) is None else None

    def _name(self, x: Characters) -> Characters:
        found = self.trie(x.values)
        longest = tf.math.unsorted_segment_max(found.lengths, found.starts, tf.size(x.values))
        keep = tf.gather(longest, found.starts) == found.lengths
        starts, order = tf.boolean_mask(found.starts, keep), tf.argsort(tf.boolean_mask(found.starts, keep))
        starts, tokens = tf.gather(starts, order), tf.gather(tf.boolean_mask(found.values, keep), order)
        stops = starts + tf.gather(longest, starts)
        first = first_of_overlapping(starts, stops)
        starts, stops, tokens = (tf.gather(v, first) for v in (starts, stops, tokens))
        drop, single, left, right = tf.unstack(tf.gather(self.flags, tokens), axis=1)
        is_word = tf.pad(self.word(x.values) > 0, [[1, 1]])
        beside = tf.gather(is_word, starts) | tf.gather(is_word, stops + 1)
        keep = tf.where(~drop & ~(single & beside))[:, 0]
        starts, stops, tokens, left, right = (tf.gather(v, keep) for v in (starts, stops, tokens, left, right))
        starts, stops = self._with_space(x, starts, stops, left, right)
        steps = tf.concat([tf.ones_like(starts), -tf.ones_like(stops)], axis=0)
        edges = tf.concat([starts + 1, stops], axis=0)
        behind = tf.cumsum(tf.scatter_nd(edges[:, None], steps, [tf.size(x.values) + 1]))[:-1] > 0
        values = tf.tensor_scatter_nd_update(x.values, starts[:, None], NAMED + tf.gather(self.numbers, tokens))
        x = x._replace(values=values)
        if x.ends is not None:
            x = x._replace(ends=tf.tensor_scatter_nd_update(x.ends, starts[:, None], tf.gather(x.ends, stops - 1)))
        return take(x, tf.where(~behind)[:, 0])

    def _with_space(self, x: Characters, starts, stops, left, right):
        """starts, stops int32 [M], moved over the white space before and after where `left` and `right` say so."""
        solid = self.white(x.values) == 0
        places = tf.cast(tf.where(solid)[:, 0], tf.int32)
        counts = tf.cumsum(tf.pad(tf.cast(solid, tf.int32), [[1, 0]]))  # how many there are before each character
        stops = tf.where(right, tf.gather(places, tf.gather(counts, stops)), stops)
        previous = tf.gather(tf.pad(places, [[1, 0]], constant_values=-1), tf.gather(counts, starts))
        taken = tf.pad(stops, [[1, 0]])[:-1]  # What the token before has taken is gone.
        return tf.where(left, tf.maximum(previous + 1, taken), starts), stops


def first_of_overlapping(starts, stops) -> Any:
    """The numbers of the spans that are left when each, from left to right, removes those that begin within it.

    Args:
        starts, stops: int32 [M], sorted.
    """
    everything = tf.range(tf.size(starts))

    def choose():
        following = tf.searchsorted(starts, stops)
        chosen = tf.TensorArray(tf.int32, 0, dynamic_size=True)
        _, _, chosen = tf.while_loop(
            lambda number, *_: number < tf.size(starts),
            lambda number, count, chosen: (following[number], count + 1, chosen.write(count, number)),
            (tf.constant(0), tf.constant(0), chosen),
        )
        return chosen.stack()

    return tf.cond(tf.reduce_any(starts[1:] < stops[:-1]), choose, lambda: everything)
