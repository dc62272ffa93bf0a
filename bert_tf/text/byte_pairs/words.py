"""Bytes of texts to words as GPT-2's pattern splits them, in TensorFlow ops.

The pattern is `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+`. Every character is
in one of its matches, and where a match begins is decided by the classes of a character and of its two neighbours, but
for the contractions:

- a letter, number or other character begins a word if the one before is of another class and no U+0020;
- white space begins one if there is none before it; or if it is the last of several before something else, which
  `(?!\\S)` leaves over;
- an apostrophe that begins a word takes the letters of a contraction, and the other letters begin a word of their own.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from bert_tf.text.byte_pairs.classes import (
    BLANK,
    BREAK,
    LETTER,
    NUMBER,
    OTHER,
    PAGE_BITS,
    SPACE,
    load_pages,
)

END = 0xFF
"""The byte behind each text, which UTF-8 has nowhere."""
APOSTROPHE = ord("'")
SHORT, LONG = "stmd", (("r", "e"), ("v", "e"), ("l", "l"))  # what an apostrophe takes with it
CLASSES = 6
# Lengths of characters in bytes by the first one, 0 for those in the middle; and the bits of that byte that count.
LENGTHS = np.repeat([1, 0, 2, 3, 4, 1], [0x80, 0x40, 0x20, 0x10, 0x08, 0x08]).astype(np.int32)
BITS = np.repeat([0x7F, 0, 0x1F, 0x0F, 0x07, 0xFF], [0x80, 0x40, 0x20, 0x10, 0x08, 0x08]).astype(np.int32)


class ByteWords(NamedTuple):
    """begins int32 [W]: the byte where each word begins, rising; what stands between two texts is one, too.
    characters int32 [N]: the number of the character that each byte is of."""

    begins: Any
    characters: Any


class ByteSplitter:
    """Splits texts, given as bytes with END behind each, into words.

    Args:
        by_pattern: as GPT-2's pattern does; False: a text is a word.
    """

    def __init__(self, *, by_pattern: bool) -> None:
        self.by_pattern = by_pattern
        pages, entries = load_pages()
        self.pages, self.entries = tf.constant(pages), tf.constant(entries)
        self.of_bytes = tf.constant(np.append(entries[pages[0] :][:0x80], np.full(0x80, BREAK, np.uint8)))
        self.lengths, self.bits = tf.constant(LENGTHS), tf.constant(BITS)
        self.begins = tf.constant(_table())

    def __call__(self, data) -> ByteWords:
        """data int32 [N], bytes of valid UTF-8, with END behind each text -> ByteWords."""
        plain = tf.reduce_all((data < 0x80) | (data == END))
        return ByteWords(*tf.cond(plain, lambda: self._ascii(data), lambda: self._any(data)))

    def _ascii(self, data):
        return self._split(data, tf.gather(self.of_bytes, data)), tf.range(tf.size(data))

    def _any(self, data):
        firsts = tf.cast(tf.where(tf.gather(self.lengths, data) > 0)[:, 0], tf.int32)  # [M], of each character
        characters = tf.cumsum(tf.cast(tf.gather(self.lengths, data) > 0, tf.int32)) - 1
        padded = tf.pad(data, [[0, 3]])
        first = tf.gather(data, firsts)
        length, points = tf.gather(self.lengths, first), tf.bitwise.bitwise_and(first, tf.gather(self.bits, first))
        for place in range(1, 4):
            more = tf.bitwise.bitwise_and(tf.gather(padded, firsts + place), 0x3F)
            points = tf.where(length > place, tf.bitwise.left_shift(points, 6) + more, points)
        page = tf.gather(self.pages, tf.bitwise.right_shift(points, PAGE_BITS))
        found = tf.gather(self.entries, page + tf.bitwise.bitwise_and(points, (1 << PAGE_BITS) - 1))
        found = tf.where(first == END, tf.constant(BREAK, tf.uint8), found)
        return tf.gather(firsts, self._split(points, found)), characters

    def _split(self, points, found):
        """points int32 and classes uint8 [M] of characters -> int32 [W], those that begin a word."""
        found = tf.cast(found, tf.int32)
        edge = tf.fill([1], BREAK)
        before, after = tf.concat([edge, found], axis=0)[:-1], tf.concat([found, edge], axis=0)[1:]
        if not self.by_pattern:
            return tf.cast(tf.where((before == BREAK) | (found == BREAK))[:, 0], tf.int32)
        begins = tf.gather(self.begins, (before * CLASSES + found) * CLASSES + after)
        apostrophes = begins & (points == APOSTROPHE)
        begins = tf.cond(
            tf.reduce_any(apostrophes), lambda: _contracted(begins, apostrophes, points, found), lambda: begins
        )
        return tf.cast(tf.where(begins)[:, 0], tf.int32)


def _contracted(begins, apostrophes, points, found):
    """Gives the apostrophes that begin a contraction its letters."""
    at = tf.cast(tf.where(apostrophes)[:, 0], tf.int32)
    points, found = tf.pad(points, [[0, 3]]), tf.pad(found, [[0, 3]], constant_values=BREAK)
    one, two = tf.gather(points, at + 1), tf.gather(points, at + 2)
    short = tf.reduce_any(one[:, None] == [ord(letter) for letter in SHORT], axis=1)
    long = tf.reduce_any(tf.stack([(one == ord(a)) & (two == ord(b)) for a, b in LONG]), axis=0)
    taken = tf.where(short, 1, tf.where(long, 2, 0))
    at, taken = tf.boolean_mask(at, taken > 0), tf.boolean_mask(taken, taken > 0)
    # The first letter no longer begins a word; the one behind the contraction does, if it is a letter at all.
    behind = tf.boolean_mask(at + taken + 1, tf.gather(found, at + taken + 1) == LETTER)
    begins = tf.tensor_scatter_nd_update(begins, at[:, None] + 1, tf.zeros_like(at, tf.bool))
    return tf.tensor_scatter_nd_update(begins, behind[:, None], tf.ones_like(behind, tf.bool))


def _table() -> np.ndarray:
    """bool [CLASSES ** 3]: whether a character begins a word, by the class of the one before, its own and the next."""
    before, own, after = np.indices((CLASSES,) * 3)

    def is_white(classes):
        return (classes == SPACE) | (classes == BLANK)

    solid = np.isin(own, (LETTER, NUMBER, OTHER)) & (before != own) & (before != SPACE)
    white = is_white(own) & (~is_white(before) | ~(is_white(after) | (after == BREAK)))
    return (solid | white | (own == BREAK)).ravel()
