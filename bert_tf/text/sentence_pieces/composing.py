"""Unicode's normal forms, as the `tokenizers` library makes them: decomposed, in order, and composed again.

Reference: https://www.unicode.org/reports/tr15/
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from bert_tf.text.sentence_pieces import tables
from bert_tf.text.sentence_pieces.characters import Characters, OneText, PointMap, take
from bert_tf.text.sentence_pieces.trie import LIMIT, Pages, PointNumbers

FORMS = ("NFC", "NFD", "NFKC", "NFKD")
CLASSES = 256  # more than there are combining classes


class NormalForm:
    """Characters to those of a normal form.

    Where several code points become others, the library counts how many of the text each of them takes: the first one
    of a decomposition takes one, and the others none. A code point has the place of the first that it takes, or of the
    last that was taken before it.

    Args:
        form: one of `FORMS`.
    """

    def __init__(self, form: str):
        self.composes = form.endswith("C")
        decomposed, canonical = tables.mapping("nfkd" if "K" in form else "nfd"), tables.mapping("nfd")
        self.map = PointMap(decomposed)
        points, classes = tables.combining()
        self.classes = PointNumbers(Pages.of(points, classes))
        pairs, composed = tables.pairs()
        order = np.argsort(pairs)
        self.pairs, self.composed = tf.constant(pairs[order]), tf.constant(composed[order], tf.int32)
        changed = {*decomposed, *points.tolist()}
        if self.composes:  # What is composed as it is stays so, if nothing follows that goes with it.
            changed -= {point for point in composed.tolist() if decomposed[point] == canonical[point]}
            changed |= {*(pairs % LIMIT).tolist(), *points.tolist()}
        self.touched = frozenset(map(chr, changed))
        changing = np.array(sorted(changed))
        self.may_change = PointNumbers(Pages.of(changing, np.ones(len(changing), np.int64)))

    def __call__(self, x: Characters) -> Characters:
        return tf.cond(tf.reduce_any(self.may_change(x.values) > 0), lambda: self._form(x), lambda: x)

    def one(self, x: OneText) -> OneText | None:
        """A text alone, in Python; None for what the graph is needed for."""
        return x if self.touched.isdisjoint(x.text) else None

    def _form(self, x: Characters) -> Characters:
        single, rows = self.map.of_each(x)
        places = tf.range(tf.size(x.values))
        # The place of each in the text until now; of what follows the first of a decomposition, the same.
        y = self.map.expand(single._replace(starts=places), rows)
        takes = tf.concat([tf.ones_like(places[:1]), tf.cast(y.starts[1:] != y.starts[:-1], tf.int32)], axis=0)
        classes = self.classes(y.values)
        segment = tf.cumsum(tf.cast(classes == 0, tf.int64))
        order = tf.argsort(segment * CLASSES + tf.cast(classes, tf.int64), stable=True)
        values, takes, classes = (tf.gather(column, order) for column in (y.values, takes, classes))
        if self.composes:
            values, takes = self._compose(values, takes, classes)
        before = tf.cumsum(takes, exclusive=True)
        source = tf.minimum(before - tf.cast(takes == 0, tf.int32), tf.size(places) - 1)
        return take(x, source)._replace(values=values)

    def _compose(self, values, takes, classes):
        """values and takes int32 [M], of what is left when characters are composed with those that follow."""
        for _ in range(2):  # First what begins no character by itself, but for its place: syllables of Korean, say.
            values, takes, classes = self._compose_starters(values, takes, classes)
        numbers = tf.range(tf.size(values))
        heads = tf.cast(tf.where(classes == 0)[:, 0], tf.int32)
        stops = tf.concat([heads[1:], tf.shape(values)], axis=0)
        nothing = tf.zeros_like(heads)

        def step(count, places, heads, stops, last, values, owners):
            more = tf.where(places < stops)[:, 0]
            places, heads, stops, last = (tf.gather(v, more) for v in (places, heads, stops, last))
            mark, head = tf.gather(values, places), tf.gather(values, heads)
            together = self._pair(head, mark)
            fits = (together > 0) & (last < tf.gather(classes, places))
            values = tf.tensor_scatter_nd_update(values, heads[:, None], tf.where(fits, together, head))
            owners = tf.tensor_scatter_nd_update(owners, places[:, None], tf.where(fits, heads, places))
            last = tf.where(fits, last, tf.gather(classes, places))
            return count + 1, places + 1, heads, stops, last, values, owners

        one = tf.TensorShape([None])
        *_, values, owners = tf.while_loop(
            lambda count, places, heads, stops, *_: tf.reduce_any(places < stops), step,
            (tf.constant(0), heads + 1, heads, stops, nothing, values, numbers),
            shape_invariants=(tf.TensorShape([]), one, one, one, one, one, one),
        )  # fmt: skip
        return self._merge(values, takes, owners)

    def _compose_starters(self, values, takes, classes):
        """What begins again, put together with what it follows, each at most once."""
        together = tf.concat([tf.zeros_like(values[:1]), self._pair(values[:-1], values[1:])], axis=0)
        fits = (together > 0) & (classes == 0)
        numbers = tf.range(tf.size(values))
        values = tf.where(tf.concat([fits[1:], fits[:1]], axis=0), tf.roll(together, -1, 0), values)
        owners = tf.where(fits, numbers - 1, numbers)
        kept = tf.where(~fits)[:, 0]
        values, takes = self._merge(values, takes, owners)
        return values, takes, tf.gather(classes, kept)

    def _merge(self, values, takes, owners) -> tuple[Any, Any]:
        """Leaves out what has another owner than itself, to which it gives what it takes."""
        takes = tf.math.unsorted_segment_sum(takes, owners, tf.size(values))
        kept = tf.where(owners == tf.range(tf.size(values)))[:, 0]
        return tf.gather(values, kept), tf.gather(takes, kept)

    def _pair(self, first, second):
        """int32 [M], what two characters are together, or 0."""
        text = (first < LIMIT) & (second < LIMIT)
        keys = tf.cast(first, tf.int64) * LIMIT + tf.cast(second, tf.int64)
        place = tf.minimum(tf.searchsorted(self.pairs, keys), self.pairs.shape[0] - 1)
        return tf.where(text & (tf.gather(self.pairs, place) == keys), tf.gather(self.composed, place), 0)
