"""Text to words as BERT's reference normaliser and pre-tokeniser do it, in TensorFlow ops on code points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from bert_tf.text.added_tokens import MAX_CHARACTERS, AddedToken
from bert_tf.text.vocabulary import MAX_WORD_CHARACTERS
from bert_tf.text.wordpiece.matching import CLOSE, HARMLESS, OPEN, Matcher
from bert_tf.text.wordpiece.tables import (
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

MAX_WORD_BYTES = 4 * MAX_WORD_CHARACTERS
CLASS_MASK = (1 << CLASS_BITS) - 1 << KIND_BITS
NAMED = 7  # The kind of a character inside an added token that the text names.


class Words(NamedTuple):
    """strings [W]; row_splits int64 [B + 1] into them; character_splits int32 [W + 1] into the kept characters;
    positions int32 [N]: where each kept character came from, in characters of all the texts in a row;
    origins int32 [B]: where each text begins there."""

    strings: Any
    row_splits: Any
    character_splits: Any
    positions: Any
    origins: Any


class Characters(NamedTuple):
    """values, kinds int32 [N]: code points, and what they are; sources int32 [N]: the place in all texts that each is
    from; breaks int32 [N]: how many word breaks there are just before each; origins int32 [B]: where each text begins.
    """

    values: Any
    kinds: Any
    sources: Any
    breaks: Any
    origins: Any


class WordSplitter:
    """Splits texts into normalised words; added tokens that a text names stay whole.

    Args:
        table: how to normalise.
        max_word_characters: a longer word becomes one that no vocabulary has.
        raw, normal: added tokens to look for in the text as given, and in the normalised text.
        keeps_marks: the word of a named token begins with OPEN, or with CLOSE if it was found in the normalised text.
        split_special_tokens: special ones are found but not named.
    """

    def __init__(
        self,
        table: NormalizationTable,
        *,
        max_word_characters: int = MAX_WORD_CHARACTERS,
        raw: Sequence[AddedToken] = (),
        normal: Sequence[AddedToken] = (),
        keeps_marks: bool = False,
        split_special_tokens: bool = False,
    ):
        self.max_word_characters, self.keeps_marks = max_word_characters, keeps_marks
        self.raw = Matcher(raw, passes_over_special=split_special_tokens) if raw else None
        self.normal = Matcher(normal, passes_over_special=split_special_tokens) if normal else None
        # Each text ends with a line break, so no word and no reordering crosses into the next text.
        self.end = "\n" if self.raw is None or self.raw.plain else f"{chr(HARMLESS)}\n{chr(HARMLESS)}"
        self.too_long = "a" * (4 * max(max_word_characters, MAX_CHARACTERS + 1) + 1)
        self.spaced = tf.constant(table.spaced)
        self.reorders = bool(np.any(table.entries & CLASS_MASK))
        self.pages = tf.constant(table.pages)
        self.entries = tf.constant(table.entries)
        self.expansion_splits = tf.constant(table.expansion_splits)
        self.expansion_points = tf.constant(table.expansion_points)
        self.expansion_classes = tf.constant(table.expansion_classes)

    def __call__(self, texts):
        """texts string [B] -> Words."""
        x = self._normalize(texts)
        kinds, breaks = x.kinds, x.breaks
        # A word's characters share the number of breaks before them.
        isolated = tf.cast(kinds == ISOLATED, tf.int32)
        breaks += tf.cast(kinds == SPACE, tf.int32) + isolated + tf.concat([[0], isolated], axis=0)[:-1]
        values, sources, word_numbers = x.values, x.sources, tf.cumsum(breaks)
        kept = (kinds == PLAIN) | (kinds == ISOLATED) | (kinds == NAMED)
        if self.normal is not None:
            values, sources, word_numbers, kept = self._named_when_normalized(x, word_numbers, kept)
        kept = tf.where(kept)[:, 0]
        values, sources, word_numbers = (tf.gather(v, kept) for v in (values, sources, word_numbers))
        with_first = tf.concat([[-1], word_numbers], axis=0)
        starts = tf.cast(tf.where(with_first[1:] != with_first[:-1])[:, 0], tf.int32)
        character_splits = tf.concat([starts, [tf.size(values)]], axis=0)
        strings = tf.strings.unicode_encode(tf.RaggedTensor.from_row_splits(values, character_splits, False), "UTF-8")
        too_long = character_splits[1:] - character_splits[:-1] > self.max_word_characters
        if self.keeps_marks:
            too_long &= tf.gather(values, starts) > CLOSE
        row_splits = tf.searchsorted(
            tf.gather(sources, starts), tf.concat([x.origins, [2**31 - 1]], axis=0), out_type=tf.int64
        )
        return Words(tf.where(too_long, self.too_long, strings), row_splits, character_splits, sources, x.origins)

    def normalized(self, text: str) -> str:
        """A text as the reference normaliser leaves it, before it is split into words."""
        values, _, _ = self._search_text(self._normalize(tf.constant([text])))
        return "".join(map(chr, values.numpy()[:-1]))  # without what stands for the end

    def _normalize(self, texts) -> Characters:
        """texts string [B] -> their normalised characters, with what is needed to split them."""
        texts = tf.strings.regex_replace(texts, rf"[\x{OPEN:02}\x{CLOSE:02}]", chr(HARMLESS))
        if self.raw is not None:
            texts = self.raw.mark(texts)
        texts = tf.strings.join([texts, self.end])
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
        x = tf.cond(
            tf.reduce_any(rare),
            lambda: self._rare(points, entries, values, kinds, rows),
            lambda: (values, kinds, tf.range(tf.size(points)), tf.zeros_like(points), rows),
        )
        return Characters(*x)

    def _rare(self, points, entries, values, kinds, rows):
        """What few texts have: named special tokens, code points that become several, and reordering.

        Returns: the fields of Characters.
        """
        if self.raw is None:
            nothing = tf.zeros_like(points)
            opens, closes, sources, taken = nothing, nothing, tf.range(tf.size(points)), None
        else:
            opens, closes, _, sources, taken = self.raw(points)
        named = (tf.cumsum(opens - closes) > 0) & (opens == 0)
        if self.keeps_marks:
            named |= opens > 0
        kinds, values = tf.where(named, NAMED, kinds), tf.where(named, points, values)
        if taken is not None:
            kinds = tf.where(taken, REMOVED, kinds)
        classes = tf.bitwise.right_shift(tf.bitwise.bitwise_and(entries, CLASS_MASK), KIND_BITS)
        classes = tf.where(named, 0, classes)
        origins = tf.gather(sources, rows)
        x = self._expand(values, kinds, classes, sources, opens + closes)
        if self.reorders:
            y = x
            surviving = (y[2] > 0) & (y[1] != MARK) & (y[1] != REMOVED)
            x = tf.cond(tf.reduce_any(surviving), lambda: self._reorder(*y), lambda: y)
        values, kinds, _, sources, breaks = x
        return values, kinds, sources, breaks, origins

    def _search_text(self, x: Characters):
        """The normalised texts, with HARMLESS for each character of a named token and for each text's end.

        Returns: code points int32 [E]; the character that each is of, int32 [E]; and its text's number, int32 [E].
        """
        shown = tf.cast(tf.where((x.kinds != REMOVED) & (x.kinds != MARK))[:, 0], tf.int32)
        values, kinds, sources = (tf.gather(v, shown) for v in (x.values, x.kinds, x.sources))
        row = tf.searchsorted(x.origins, sources, side="right") - 1
        ends = tf.concat([row[1:] != row[:-1], [True]], axis=0)
        # The reference puts spaces around each Chinese character; all else that stands alone it splits off later.
        page = tf.bitwise.left_shift(tf.gather(self.pages, tf.bitwise.right_shift(values, PAGE_BITS)), PAGE_BITS)
        spaced = tf.gather(self.spaced, page + tf.bitwise.bitwise_and(values, (1 << PAGE_BITS) - 1))
        counts = tf.where(spaced & (kinds == ISOLATED), 3, 1)
        values = tf.where(kinds == SPACE, ord(" "), values)
        values = tf.where((kinds == NAMED) | ends, HARMLESS, values)
        owner = tf.repeat(tf.range(tf.size(shown)), counts)
        within = tf.range(tf.size(owner)) - tf.gather(tf.cumsum(counts, exclusive=True), owner)
        around = (tf.gather(counts, owner) == 3) & (within != 1)
        return tf.where(around, ord(" "), tf.gather(values, owner)), tf.gather(shown, owner), tf.gather(row, owner)

    def _named_when_normalized(self, x: Characters, word_numbers, kept):
        """Finds the tokens that are looked for in the normalised texts.

        Args:
            word_numbers, kept: int32 and bool [N], the word that each character is of, and whether it is of any.
        Returns: values, sources, word_numbers and kept, of other characters.
        """
        assert self.normal is not None
        values, owner, row = self._search_text(x)
        first = tf.searchsorted(row, tf.range(tf.size(x.origins) + 1))
        texts = tf.strings.unicode_encode(tf.RaggedTensor.from_row_splits(values, first, False), "UTF-8")
        decoded: Any = tf.strings.unicode_decode(self.normal.mark(texts), "UTF-8")
        points = decoded.flat_values
        found = self.normal(points)
        # A Chinese character's own place is kept, the spaces around it are not.
        is_own = tf.gather(x.values, owner) == values
        kept = tf.gather(kept, owner) & (is_own | (values == HARMLESS))
        values = tf.where(values == HARMLESS, tf.gather(x.values, owner), values)
        numbers = tf.gather(word_numbers, owner)
        steps = tf.cast(numbers != tf.concat([[-1], numbers], axis=0)[:-1], tf.int32)

        place = tf.cumsum(tf.cast(found.characters, tf.int32), exclusive=True)  # of each point in what was searched
        place = tf.minimum(place, tf.size(values) - 1)
        begins = found.opens > 0
        inside = (tf.cumsum(found.opens - found.closes) > 0) & ~begins
        outside = found.characters & ~inside
        steps = tf.where(outside, tf.gather(steps, place), found.opens + found.closes)
        points = tf.where(begins, CLOSE, tf.where(inside, points, tf.gather(values, place)))
        sources = tf.gather(tf.gather(x.sources, owner), found.sources)
        return points, sources, tf.cumsum(steps), begins | inside | (outside & tf.gather(kept, place))

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
