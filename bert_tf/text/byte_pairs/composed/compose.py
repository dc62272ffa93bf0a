"""Texts in Unicode's composed form (NFC), and where each of its characters is from, in TensorFlow ops."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from bert_tf.text.byte_pairs.classes import PAGE_BITS, in_pages
from bert_tf.text.byte_pairs.composed.compositions import LIMIT, load_rare, load_tables
from bert_tf.text.byte_pairs.hashing import KeyTable
from bert_tf.text.repeated import owners, repeat

ASCII = r"[\x00-\x7f]*"
NONE = -1


class Composed(NamedTuple):
    """strings [P]; row_splits int64 [P + 1] into their characters; starts, ends int32 [N]: where each of these is in
    the text that was given, in characters."""

    strings: Any
    row_splits: Any
    starts: Any
    ends: Any


class Composer:
    """Composes texts as the `tokenizers` library does, with the places that it gives.

    A character that others were composed into is where the first of them is. What a decomposition gives behind its
    first character is where the character before is.

    Reference: Unicode Standard Annex 15, https://www.unicode.org/reports/tr15
    """

    def __init__(self) -> None:
        tables = load_tables()
        classes, second = np.zeros(LIMIT, np.uint8), np.zeros(LIMIT, bool)
        classes[tables.marks], second[tables.pairs[:, 1]] = tables.classes, True
        joins = second & (classes == 0)  # what may become a part of the character before without being a mark
        self.rare, self.classes, self.joins = (_Paged(array) for array in (load_rare(), classes, joins))
        self.split = KeyTable(tables.split.astype(np.int64))
        # Of a character that is not decomposed the number is -1, which gathers the last entry.
        self.lengths = tf.constant([*tables.lengths, 1], tf.int32)
        self.firsts = tf.constant([*(np.cumsum(tables.lengths) - tables.lengths), 0], tf.int32)
        self.parts = tf.constant(tables.parts, tf.int32)
        left, right, whole = tables.pairs.T.astype(np.int64)
        self.pairs, self.wholes = KeyTable(left * LIMIT + right), tf.constant([*whole, NONE], tf.int32)

    def of_one(self, text: str) -> str:
        """A text, composed."""
        return self(tf.constant([text])).strings.numpy()[0].decode("utf-8")

    def __call__(self, strings) -> Composed:
        """string [P], valid UTF-8 -> Composed."""
        plain = tf.reduce_all(tf.strings.regex_full_match(strings, ASCII))
        return Composed(*tf.cond(plain, lambda: _as_it_is(strings), lambda: self._any(strings)))

    def _any(self, strings):
        ragged: Any = tf.strings.unicode_decode(strings, "UTF-8")
        points, splits = ragged.values, ragged.row_splits
        rare = tf.reduce_any(self.rare(points))
        return tf.cond(rare, lambda: self._composed(points, splits), lambda: _as_it_is(strings))

    def _composed(self, points, splits):
        texts = owners(splits[1:] - splits[:-1])  # [N], that each is of
        found = self.split(tf.cast(points, tf.int64))
        number = tf.where(found < 0, tf.size(self.lengths) - 1, found)
        counts = tf.gather(self.lengths, number)
        owner = owners(counts)
        within = tf.range(tf.size(owner)) - tf.gather(tf.cumsum(counts, exclusive=True), owner)
        part = tf.gather(
            self.parts,
            tf.where(tf.gather(found, owner) < 0, 0, tf.gather(self.firsts, tf.gather(number, owner)) + within),
        )
        values = tf.where(tf.gather(found, owner) < 0, tf.gather(points, owner), part)
        texts, more = (
            tf.gather(texts, owner),
            tf.cast(within > 0, tf.int32),
        )  # more: how many are put in, less those taken
        classes = tf.cast(self.classes(values), tf.int32)
        begins = tf.concat([[True], texts[1:] != texts[:-1]], axis=0)[: tf.size(texts)]
        segment = tf.cumsum(tf.cast(begins | (classes == 0), tf.int64))
        order = tf.argsort(segment * 256 + tf.cast(classes, tf.int64), stable=True)
        values, classes, more = (tf.gather(column, order) for column in (values, classes, more))
        values, more, is_taken = self._joined(values, classes, more, begins | ((classes == 0) & ~self.joins(values)))
        kept = tf.where(~is_taken)[:, 0]
        values, more, texts = (tf.gather(column, kept) for column in (values, more, texts))
        # What is put in takes none of the characters that were given; all else takes one, and those that it lacks.
        used = tf.where(more > 0, 0, 1 - more)
        place = tf.cumsum(used, exclusive=True) - tf.gather(tf.cast(splits, tf.int32), texts)
        place -= tf.cast(more > 0, tf.int32)
        row_splits = tf.searchsorted(texts, tf.range(tf.size(splits)), out_type=tf.int64)
        strings = tf.strings.unicode_encode(tf.RaggedTensor.from_row_splits(values, row_splits, False), "UTF-8")
        return strings, row_splits, tf.maximum(place, 0), place + 1

    def _joined(self, values, classes, more, begins):
        """Composes within chains: a character that joins none before it, and what may join it.

        Args:
            begins: bool [N], where a chain begins.
        Returns: values and `more` as they are then, and which characters have become a part of another one.
        """
        start = tf.cast(tf.where(begins)[:, 0], tf.int32)
        stop = tf.concat([start[1:], [tf.size(values)]], axis=0)[: tf.size(start)]
        long = tf.where(stop - start > 1)[:, 0]
        start, stop = tf.gather(start, long), tf.gather(stop, long)  # [C]
        first = tf.where(tf.gather(classes, start) == 0, tf.gather(values, start), NONE)
        nothing = tf.zeros([0], tf.int32)

        def step(place, stop, base, at, last, wrote_at, wrote, taken, taken_by):
            value, own = tf.gather(values, place), tf.gather(classes, place)
            key = tf.cast(base, tf.int64) * LIMIT + tf.cast(value, tf.int64)
            number = self.pairs(tf.where(base == NONE, tf.cast(NONE, tf.int64), key))
            whole = tf.gather(self.wholes, tf.where(number < 0, tf.size(self.wholes) - 1, number))
            joins = (whole != NONE) & (last < tf.where(last == NONE, 0, own))
            replaced = ~joins & (own == 0)
            done = replaced & (base != NONE)
            taken, taken_by = tf.concat([taken, place[joins]], axis=0), tf.concat([taken_by, at[joins]], axis=0)
            wrote_at, wrote = tf.concat([wrote_at, at[done]], axis=0), tf.concat([wrote, base[done]], axis=0)
            last = tf.where(joins, last, tf.where(replaced, NONE, own))
            base = tf.where(joins, whole, tf.where(replaced, value, base))
            at = tf.where(replaced, place, at)
            goes_on = place + 1 < stop
            done = ~goes_on & (base != NONE)
            wrote_at, wrote = tf.concat([wrote_at, at[done]], axis=0), tf.concat([wrote, base[done]], axis=0)
            left = [column[goes_on] for column in (place + 1, stop, base, at, last)]
            return *left, wrote_at, wrote, taken, taken_by

        any_length = tf.TensorShape([None])
        *_, wrote_at, wrote, taken, taken_by = tf.while_loop(
            lambda place, *_: tf.size(place) > 0,
            step,
            [start + 1, stop, first, start, tf.fill(tf.shape(start), NONE), nothing, nothing, nothing, nothing],
            shape_invariants=[any_length] * 9,
            parallel_iterations=1,
        )
        values = tf.tensor_scatter_nd_update(values, wrote_at[:, None], wrote)
        more = tf.tensor_scatter_nd_add(more, taken_by[:, None], tf.gather(more, taken) - 1)
        return values, more, tf.scatter_nd(taken[:, None], tf.ones_like(taken), tf.shape(values)) > 0


class _Paged:
    """A value for each code point."""

    def __init__(self, values: np.ndarray) -> None:
        self.pages, self.entries = (tf.constant(array) for array in in_pages(values))

    def __call__(self, points):
        page = tf.gather(self.pages, tf.bitwise.right_shift(points, PAGE_BITS))
        return tf.gather(self.entries, page + tf.bitwise.bitwise_and(points, (1 << PAGE_BITS) - 1))


def _as_it_is(strings):
    """The fields of a Composed where nothing changes."""
    lengths = tf.strings.length(strings, "UTF8_CHAR")
    row_splits = tf.pad(tf.cumsum(lengths), [[1, 0]])
    places = tf.range(row_splits[-1]) - repeat(row_splits[:-1], lengths)
    return strings, tf.cast(row_splits, tf.int64), places, places + 1
