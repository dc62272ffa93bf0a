"""Text to words as BERT's reference normaliser and pre-tokeniser do it, in TensorFlow ops on code points."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from bert_tf.text.tables import (
    CLASS_BITS,
    EXPANDS,
    ISOLATED,
    KIND_BITS,
    MARK,
    PAGE_BITS,
    PLAIN,
    REMOVED,
    SPACE,
    NormalizationTable,
)
from bert_tf.text.vocabulary import MAX_WORD_CHARACTERS

MAX_WORD_BYTES = 4 * MAX_WORD_CHARACTERS
TOO_LONG = "a" * (MAX_WORD_BYTES + 1)  # Stands in for a longer word: longer than the model takes, so unknown.
CLASS_MASK = (1 << CLASS_BITS) - 1 << KIND_BITS
NAMED = 7  # The kind of a character inside a special token that the text names.
OPEN, CLOSE, HARMLESS = 1, 2, 3  # Control characters, which the normaliser removes; the first two mark named tokens.


class Words(NamedTuple):
    """strings [W]; row_splits int64 [B + 1] into them; character_splits int32 [W + 1] into the kept characters;
    positions int32 [N]: where each kept character came from, in characters of all the texts in a row;
    origins int32 [B]: where each text begins there."""

    strings: Any
    row_splits: Any
    character_splits: Any
    positions: Any
    origins: Any


class WordSplitter:
    """Splits texts into normalised words; special tokens that a text names stay whole and unchanged."""

    def __init__(self, table: NormalizationTable, special_tokens: Sequence[str]):
        names = "|".join(re.escape(token) for token in sorted(special_tokens, key=len, reverse=True))
        self.named = f"({names})"
        self.reorders = bool(np.any(table.entries & CLASS_MASK))
        self.pages = tf.constant(table.pages)
        self.entries = tf.constant(table.entries)
        self.expansion_splits = tf.constant(table.expansion_splits)
        self.expansion_points = tf.constant(table.expansion_points)
        self.expansion_classes = tf.constant(table.expansion_classes)

    def __call__(self, texts):
        """texts string [B] -> Words."""
        # Each text ends with a line break, so no word and no reordering crosses into the next text.
        texts = tf.strings.join([texts, "\n"])
        texts = tf.strings.regex_replace(texts, rf"[\x{OPEN:02}\x{CLOSE:02}]", chr(HARMLESS))
        texts = tf.strings.regex_replace(texts, self.named, rf"{chr(OPEN)}\1{chr(CLOSE)}")
        decoded = tf.strings.unicode_decode(texts, "UTF-8", errors="replace")
        points = decoded.flat_values
        entries = tf.gather(self.pages, tf.bitwise.right_shift(points, PAGE_BITS))
        entries = tf.bitwise.left_shift(entries, PAGE_BITS) + tf.bitwise.bitwise_and(points, (1 << PAGE_BITS) - 1)
        entries = tf.gather(self.entries, entries)
        kinds = tf.bitwise.bitwise_and(entries, (1 << KIND_BITS) - 1)
        values = points + tf.bitwise.right_shift(entries, KIND_BITS + CLASS_BITS)
        rare = (kinds == EXPANDS) | (points == OPEN)
        if self.reorders:
            rare |= (tf.bitwise.bitwise_and(entries, CLASS_MASK) > 0) & (kinds != MARK)
        rows = tf.cast(decoded.row_splits[:-1], tf.int32)
        values, kinds, sources, breaks, origins = tf.cond(
            tf.reduce_any(rare),
            lambda: self._rare(points, entries, values, kinds, rows),
            lambda: (values, kinds, tf.range(tf.size(points)), tf.zeros_like(points), rows),
        )

        # A word's characters share the number of breaks before them.
        isolated = tf.cast(kinds == ISOLATED, tf.int32)
        breaks += tf.cast(kinds == SPACE, tf.int32) + isolated + tf.concat([[0], isolated], axis=0)[:-1]
        kept = tf.where((kinds == PLAIN) | (kinds == ISOLATED) | (kinds == NAMED))[:, 0]
        values, sources, word_numbers = (tf.gather(v, kept) for v in (values, sources, tf.cumsum(breaks)))
        with_first = tf.concat([[-1], word_numbers], axis=0)
        starts = tf.cast(tf.where(with_first[1:] != with_first[:-1])[:, 0], tf.int32)
        character_splits = tf.concat([starts, [tf.size(values)]], axis=0)
        strings = tf.strings.unicode_encode(tf.RaggedTensor.from_row_splits(values, character_splits, False), "UTF-8")
        too_long = character_splits[1:] - character_splits[:-1] > MAX_WORD_CHARACTERS
        row_splits = tf.searchsorted(
            tf.gather(sources, starts), tf.concat([origins, [2**31 - 1]], axis=0), out_type=tf.int64
        )
        return Words(tf.where(too_long, TOO_LONG, strings), row_splits, character_splits, sources, origins)

    def _rare(self, points, entries, values, kinds, rows):
        """What few texts have: named special tokens, code points that become several, and reordering.

        Returns: values, kinds, sources (the place in all texts that each is from) and breaks (how many there are just
            before each), int32 [N]; and the place of each text, int32 [B].
        """
        # The markers around a named token are no characters of the text.
        opens, closes = tf.cast(points == OPEN, tf.int32), tf.cast(points == CLOSE, tf.int32)
        named = (tf.cumsum(opens - closes) > 0) & (opens == 0)
        kinds, values = tf.where(named, NAMED, kinds), tf.where(named, points, values)
        classes = tf.bitwise.right_shift(tf.bitwise.bitwise_and(entries, CLASS_MASK), KIND_BITS)
        classes = tf.where(named, 0, classes)
        sources = tf.cumsum(1 - opens - closes, exclusive=True)
        origins = tf.gather(sources, rows)
        x = self._expand(values, kinds, classes, sources, opens + closes)
        if self.reorders:
            y = x
            surviving = (y[2] > 0) & (y[1] != MARK) & (y[1] != REMOVED)
            x = tf.cond(tf.reduce_any(surviving), lambda: self._reorder(*y), lambda: y)
        values, kinds, _, sources, breaks = x
        return values, kinds, sources, breaks, origins

    def _expand(self, values, kinds, classes, sources, breaks):
        """Puts the several code points of each expansion in its place."""
        expands = kinds == EXPANDS
        rows = tf.where(expands, values, 0)
        first = tf.gather(self.expansion_splits, rows)
        counts = tf.where(expands, tf.gather(self.expansion_splits, rows + 1) - first, 1)
        owner = tf.repeat(tf.range(tf.size(values)), counts)
        within = tf.range(tf.size(owner)) - tf.gather(tf.cumsum(counts, exclusive=True), owner)
        expands = tf.gather(expands, owner)
        index = tf.where(expands, tf.gather(first, owner) + within, 0)
        return (
            tf.where(expands, tf.gather(self.expansion_points, index), tf.gather(values, owner)),
            tf.where(expands, PLAIN, tf.gather(kinds, owner)),
            tf.where(expands, tf.gather(self.expansion_classes, index), tf.gather(classes, owner)),
            tf.gather(sources, owner),
            tf.gather(breaks, owner),  # 0 where anything expands: these are the markers'
        )

    def _reorder(self, values, kinds, classes, sources, breaks):
        """Sorts combining characters by class. As in the reference, their positions stay behind: the nth character
        that begins a decomposition gets the nth position."""
        kept = tf.where((kinds != REMOVED) | (breaks > 0))[:, 0]  # of those removed, the markers of named tokens
        values, kinds, classes, sources, breaks = (
            tf.gather(v, kept) for v in (values, kinds, classes, sources, breaks)
        )
        markers = kinds == REMOVED
        previous = tf.concat([[-1], tf.where(markers, -1, sources)], axis=0)[:-1]
        begins = tf.cast((previous != sources) & ~markers, tf.int32)
        segments = tf.cumsum(tf.cast(classes == 0, tf.int64))
        order = tf.argsort(segments * (1 << CLASS_BITS) + tf.cast(classes, tf.int64), stable=True)
        distinct = tf.boolean_mask(sources, begins > 0)
        begins = tf.gather(begins, order)
        return (
            tf.gather(values, order),
            tf.gather(kinds, order),
            tf.gather(classes, order),
            tf.gather(distinct, tf.maximum(tf.cumsum(begins) - 1, 0)),
            tf.gather(breaks, order),
        )
