"""Where texts name added tokens: the longest first, from left to right, in TensorFlow ops.

A `regex_replace` puts marks around all that could be one. What the marks say is then judged by the flags of the token:
as in the `tokenizers` library, a match that its flags refuse is passed over whole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from bert_tf.text.added_tokens import AddedToken
from bert_tf.text.wordpiece.lookup import build_model, lookup
from bert_tf.text.wordpiece.tables import load_runs

OPEN, CLOSE, HARMLESS = 1, 2, 3  # Control characters, which the normaliser removes; the first two mark named tokens.
KEY = chr(OPEN)  # before a content, so that one that begins with ## is looked up as it is


class Marked(NamedTuple):
    """What the marks among N code points mean.

    opens, closes: int32 [N], 1 at the marks of a token that is named indeed; characters: bool [N], what is no mark.
    sources: int32 [N], the place of each character among the characters; at a token's opening mark and its last
        character, of the first and last that belong to it, white space included.
    taken: bool [N], white space that belongs to a token beside it; or None if no token takes any.
    """

    opens: Any
    closes: Any
    characters: Any
    sources: Any
    taken: Any


class Matcher:
    """Finds tokens in texts that hold none of the marks.

    Args:
        tokens: at least one; their contents are what is looked for.
        passes_over_special: special tokens are found, so that nothing else is found in them, but are not named.
    """

    def __init__(self, tokens: Sequence[AddedToken], *, passes_over_special: bool):
        contents = [token.content for token in tokens]
        names = "|".join(re.escape(content) for content in sorted(contents, key=len, reverse=True))
        self.pattern = f"({names})"
        dropped = [token.special and passes_over_special for token in tokens]
        flags = [[d, t.single_word, t.lstrip, t.rstrip] for t, d in zip(tokens, dropped, strict=True)]
        self.plain = not np.any(flags)
        self.single, self.strips = any(t.single_word for t in tokens), any(t.lstrip or t.rstrip for t in tokens)
        self.flags = tf.constant([[False] * 4, *flags])  # the first is of no token
        keys = [KEY, *(KEY + content for content in contents)]
        self.model = build_model(keys, 4 * max(map(len, keys)), KEY, pretokenized=True)
        self.word_runs, self.space_runs = (tf.constant(load_runs(name)) for name in ("word", "space"))

    def mark(self, texts):
        """string [B] with OPEN and CLOSE around each place that could be a token."""
        return tf.strings.regex_replace(texts, self.pattern, rf"{chr(OPEN)}\1{chr(CLOSE)}")

    def __call__(self, points) -> Marked:
        """points int32 [N], of marked texts end to end. If not `plain`, texts begin and end with HARMLESS."""
        opens, closes = points == OPEN, points == CLOSE
        characters = ~(opens | closes)
        sources = tf.cumsum(tf.cast(characters, tf.int32), exclusive=True)
        if self.plain:
            return Marked(tf.cast(opens, tf.int32), tf.cast(closes, tf.int32), characters, sources, None)
        first, last = (tf.cast(tf.where(marks)[:, 0], tf.int32) for marks in (opens, closes))  # [M]
        contents = tf.strings.unicode_encode(tf.gather(points, tf.ragged.range(first + 1, last)), "UTF-8")
        numbers = lookup(self.model, tf.strings.join([KEY, contents]))[0].values
        drop, single, left, right = tf.unstack(tf.gather(self.flags, numbers), axis=1)
        keep = ~drop
        if self.single:
            padded = tf.pad(points, [[2, 2]], constant_values=HARMLESS)
            before, beyond = tf.gather(padded, first + 1), tf.gather(padded, first)
            after, further = tf.gather(padded, last + 3), tf.gather(padded, last + 4)
            before, after = tf.where(before == CLOSE, beyond, before), tf.where(after == OPEN, further, after)
            keep &= ~(single & (is_in(self.word_runs, before) | is_in(self.word_runs, after)))
        first, last, left, right = (tf.boolean_mask(column, keep) for column in (first, last, left, right))
        ones = tf.ones_like(first)
        opens, closes = (tf.scatter_nd(place[:, None], ones, tf.shape(points)) for place in (first, last))
        if not self.strips:
            return Marked(opens, closes, characters, sources, None)
        start, stop = tf.gather(sources, first), tf.gather(sources, last)
        new_start, new_stop = self._with_space(tf.boolean_mask(points, characters), start, stop, left, right)
        changed = tf.concat([first, last - 1], axis=0)[:, None]
        new_sources = tf.tensor_scatter_nd_update(sources, changed, tf.concat([new_start, new_stop - 1], axis=0))
        edges = tf.concat([new_start, stop, start, new_stop], axis=0)[:, None]
        steps = tf.concat([ones, ones, -ones, -ones], axis=0)
        taken = tf.cumsum(tf.scatter_nd(edges, steps, [tf.size(points) + 1])) > 0
        return Marked(opens, closes, characters, new_sources, tf.gather(taken, sources) & characters)

    def _with_space(self, characters, start, stop, left, right):
        """start, stop int32 [M], moved over the white space before and after where `left` and `right` say so."""
        solid = ~is_in(self.space_runs, characters)
        places = tf.cast(tf.where(solid)[:, 0], tf.int32)
        counts = tf.cumsum(tf.pad(tf.cast(solid, tf.int32), [[1, 0]]))  # how many there are before each character
        next_solid = tf.gather(tf.pad(places, [[0, 1]]), tf.gather(counts, stop))
        stop = tf.where(right, next_solid, stop)
        previous_solid = tf.gather(tf.pad(places, [[1, 0]], constant_values=-1), tf.gather(counts, start))
        before = tf.pad(stop, [[1, 0]])[:-1]  # What the token before has taken is gone.
        return tf.where(left, tf.maximum(previous_solid + 1, before), start), stop


def is_in(runs, points):
    """Whether each of the code points is in the set whose runs these are: int32, where it begins and ends, in turn."""
    return tf.searchsorted(runs, points, side="right") % 2 == 1
