"""Texts as one row of code points, each with its place in the text as given, and what all steps do to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from bert_tf.text.repeated import owners, ranges
from bert_tf.text.sentence_pieces.trie import LIMIT, Pages, PointNumbers

END = LIMIT
"""What stands behind each text, in place of a character."""
NOWHERE = b"\xff"
"""A byte that UTF-8 does not have."""
NAMED = END + 1
"""What stands for the first of the added tokens; those of the others follow."""


class Characters(NamedTuple):
    """values int32 [N]: code points of all texts, each text followed by END, and added tokens that texts name; starts,
    ends int32 [N]: the characters that each is from, of all texts end to end, their ENDs counted. Where nobody asks for
    places, there are none: None."""

    values: Any
    starts: Any = None
    ends: Any = None


class OneText(NamedTuple):
    """A text of which each character is from one of the text that was given, in their order, but for `before` more at
    its beginning, which have the place of the first."""

    text: str
    before: int = 0


def decode(texts, *, with_places: bool) -> tuple[Characters, Any]:
    """Texts, string [B], as characters; and where each text's END is among them, int32 [B]."""
    content = tf.io.decode_raw(tf.strings.reduce_join(tf.strings.join([texts, NOWHERE])), tf.uint8)
    is_last = content >= 128  # if there are no more of these than texts
    values, last = tf.cond(
        tf.reduce_sum(tf.cast(is_last, tf.int32)) == tf.size(texts),
        lambda: (tf.where(is_last, END, tf.cast(content, tf.int32)), tf.cast(tf.where(is_last)[:, 0], tf.int32)),
        lambda: _decode_any(texts),
    )
    places = tf.range(tf.size(values)) if with_places else None
    return Characters(values) if places is None else Characters(values, places, places + 1), last


def _decode_any(texts):
    """The code points of texts, each followed by END; and where these are."""
    decoded: Any = tf.strings.unicode_decode(tf.strings.join([texts, "\n"]), "UTF-8", errors="replace")
    last = tf.cast(decoded.row_splits[1:], tf.int32) - 1
    return tf.where(mark(last, tf.size(decoded.flat_values)), END, decoded.flat_values), last


def mark(places, size):
    """bool [size], what stands at the places, int32 [M]. (A sum by segments takes a tenth of the time of a scatter.)"""
    return tf.math.unsorted_segment_sum(tf.ones_like(places), places, size) > 0


def take(x: Characters, places) -> Characters:
    """The characters at these places, int [M]."""
    return Characters(*(None if column is None else tf.gather(column, places) for column in x))


def drop(x: Characters, dropped) -> Characters:
    """The characters without those where `dropped`, bool [N]."""
    return tf.cond(tf.reduce_any(dropped), lambda: take(x, tf.where(~dropped)[:, 0]), lambda: x)


def insert(x: Characters, before, value: int) -> Characters:
    """One more character before each where `before`, bool [N], with the place of that one."""
    owner = owners(tf.where(before, 2, 1))
    first = tf.concat([tf.ones_like(owner[:1], tf.bool), owner[1:] != owner[:-1]], axis=0)
    y = take(x, owner)
    return y._replace(values=tf.where(first & tf.gather(before, owner), value, y.values))


def is_text(x: Characters):
    """bool [N], what is a character, and neither a text's end nor an added token."""
    return x.values < END


def begins_section(x: Characters):
    """bool [N], the first character of a text or behind an added token: what is between them is a text of its own."""
    text = is_text(x)
    return text & ~tf.concat([tf.zeros_like(text[:1]), text[:-1]], axis=0)


class PointMap:
    """Replaces single code points by none, one or several.

    Args:
        replacements: code point -> what it becomes; others stay.
        more: texts that `expand` can put in as well, by their rows from `first_of_more` on.
    """

    def __init__(self, replacements: Mapping[int, str], more: Sequence[str] = ()):
        points = np.array(sorted(replacements), np.int64)
        texts = [replacements[point] for point in points.tolist()]
        # A replacement by one is told by how far away it is, any other by its row.
        is_row = np.array([len(text) != 1 for text in texts], bool)
        rows = (np.cumsum(is_row) - 1).tolist()
        numbers = [
            row * 2 + 1 if by_row else (ord(text) - point) * 2
            for point, text, row, by_row in zip(points.tolist(), texts, rows, is_row, strict=True)
        ]
        others = [text for text in texts if len(text) != 1]
        self.first_of_more, others = len(others), [*others, *more]
        self.replacements = replacements
        self.touched = frozenset(map(chr, replacements))
        self.others = frozenset(chr(point) for point, text in replacements.items() if len(text) != 1)
        self.numbers = PointNumbers(Pages.of(points, np.array(numbers, np.int64)))
        self.lengths = tf.constant([len(text) for text in others] or [0], tf.int32)
        self.splits = tf.constant(np.cumsum([0, *(len(text) for text in others)]), tf.int32)
        self.points = tf.constant([ord(c) for text in others for c in text] or [0], tf.int32)

    def __call__(self, x: Characters) -> Characters:
        single, rows = self.of_each(x)
        return tf.cond(tf.reduce_any(rows >= 0), lambda: self.expand(single, rows), lambda: single)

    def one(self, x: OneText) -> OneText | None:
        """A text alone, in Python."""
        return x._replace(text=x.text.translate(self.replacements)) if self.others.isdisjoint(x.text) else None

    def of_each(self, x: Characters) -> tuple[Characters, Any]:
        """The characters with those replaced that become one; and the rows of others, int32 [N], or -1."""
        numbers = self.numbers(x.values)
        is_row, half = tf.bitwise.bitwise_and(numbers, 1) > 0, tf.bitwise.right_shift(numbers, 1)
        return x._replace(values=x.values + tf.where(is_row, 0, half)), tf.where(is_row, half, -1)

    def expand(self, x: Characters, rows, sizes=None) -> Characters:
        """Puts the text of a row in the place of each character that has one.

        Args:
            rows: int32 [N], -1 where there is none.
            sizes: int32 [N], how many characters the text stands for, the following ones; 0 at these. None: one.
        """
        safe = tf.maximum(rows, 0)
        counts = tf.where(rows >= 0, tf.gather(self.lengths, safe), 1)
        counts = counts if sizes is None else tf.where(sizes == 0, 0, counts)
        owner = owners(counts)
        within = ranges(0, counts)
        replaced = tf.gather(rows, owner) >= 0
        places = tf.where(replaced, tf.gather(self.splits, tf.gather(safe, owner)) + within, 0)
        y = take(x, owner if sizes is None else owner + tf.minimum(within, tf.gather(sizes, owner) - 1))
        return y._replace(values=tf.where(replaced, tf.gather(self.points, places), y.values))
