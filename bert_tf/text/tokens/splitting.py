"""Texts cut at the added tokens that they name, as strings, for any algorithm that tokenises what is between them.

As in the `tokenizers` library the longest token is found first, from left to right; a match that its flags refuse is
passed over whole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import tensorflow as tf

from bert_tf.text.added_tokens import AddedToken
from bert_tf.text.wordpiece.tables import load_runs

MARK = b"\xff"  # UTF-8 has it nowhere
# What the library takes for white space: Unicode's White_Space.
WHITE = "[\\t-\\r \\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}]+"
HASHES = 2**62


class Parts(NamedTuple):
    """P parts of B texts, in their order.

    strings: string [P]; "" for a token.
    numbers: int32 [P], the number of a token, or -1 for what is no token.
    starts, ends: int32 [P], where each part is, in characters of its text; a token has the white space that is its own.
    left, right: int32 [P], how much white space beside its content a token has taken.
    row_splits: int64 [B + 1].
    """

    strings: Any
    numbers: Any
    starts: Any
    ends: Any
    left: Any
    right: Any
    row_splits: Any


def whole(texts) -> Parts:
    """string [B] as they are, one part each."""
    count = tf.size(texts)
    return Parts(
        texts,
        tf.fill([count], -1),
        tf.zeros([count], tf.int32),
        tf.strings.length(texts, "UTF8_CHAR"),
        tf.zeros([count], tf.int32),
        tf.zeros([count], tf.int32),
        tf.range(tf.cast(count, tf.int64) + 1),
    )


class TokenSplitter:
    """Cuts texts, in valid UTF-8, at the tokens that they name.

    Args:
        tokens: at least one; their contents are what is looked for, all different.
        ids: the number of each.
        passes_over_special: special tokens are found, so that nothing else is found in them, but are not cut out.
    """

    def __init__(self, tokens: Sequence[AddedToken], ids: Sequence[int], *, passes_over_special: bool) -> None:
        contents = [token.content for token in tokens]
        names = "|".join(re.escape(content) for content in sorted(contents, key=len, reverse=True))
        self.pattern = f"({names})"
        hashes = tf.strings.to_hash_bucket_fast(tf.constant(contents), HASHES).numpy()
        order = np.argsort(hashes)
        if len(np.unique(hashes)) < len(contents):
            raise ValueError(f"`tokens` must be different. Received: {contents}")
        dropped = [token.special and passes_over_special for token in tokens]
        flags = np.array([[d, t.single_word, t.lstrip, t.rstrip] for t, d in zip(tokens, dropped, strict=True)])
        self.hashes, self.ids = tf.constant(hashes[order]), tf.constant(np.array(ids, np.int32)[order])
        self.flags = tf.constant(flags[order])
        self.refuses, self.left, self.right = bool(flags[:, :2].any()), flags[:, 2].any(), flags[:, 3].any()
        self.word_runs = tf.constant(load_runs("word"))

    def __call__(self, texts) -> Parts:
        """string [B] -> Parts."""
        marked = tf.strings.regex_replace(texts, self.pattern, MARK + rb"\1" + MARK)
        named = tf.reduce_any(tf.strings.length(marked) != tf.strings.length(texts))
        return Parts(*tf.cond(named, lambda: self._split(marked), lambda: whole(texts)))

    def again(self, parts: Parts) -> Parts:
        """Cuts what is no token in parts that another splitter has made."""
        inner = self(parts.strings)
        owner = tf.repeat(tf.range(tf.size(parts.numbers)), inner.row_splits[1:] - inner.row_splits[:-1])
        is_token = tf.gather(parts.numbers, owner) >= 0
        start = tf.gather(parts.starts, owner)
        return Parts(
            inner.strings,
            tf.where(is_token, tf.gather(parts.numbers, owner), inner.numbers),
            start + inner.starts,
            tf.where(is_token, tf.gather(parts.ends, owner), start + inner.ends),
            tf.where(is_token, tf.gather(parts.left, owner), inner.left),
            tf.where(is_token, tf.gather(parts.right, owner), inner.right),
            tf.gather(inner.row_splits, parts.row_splits),
        )

    def _split(self, marked) -> Parts:
        ragged: Any = tf.strings.split(marked, MARK)  # what is between tokens, and tokens, in turn
        strings, row_splits = ragged.values, ragged.row_splits
        places = tf.range(tf.size(strings, tf.int64))
        within = places - tf.repeat(row_splits[:-1], row_splits[1:] - row_splits[:-1])
        is_token = within % 2 == 1
        found = tf.searchsorted(self.hashes, tf.strings.to_hash_bucket_fast(strings, HASHES))
        found = tf.minimum(found, tf.size(self.ids) - 1)  # of a token its own, of all else any
        dropped, single, left, right = (
            column & is_token for column in tf.unstack(tf.gather(self.flags, found), axis=1)
        )
        numbers = tf.where(is_token, tf.gather(self.ids, found), -1)
        if self.refuses:
            is_kept = is_token & ~dropped & ~(single & self._touches_word(strings, within, row_splits))
            begins = (within == 0) | is_kept | tf.concat([[False], is_kept], axis=0)[:-1]
            group = tf.cumsum(tf.cast(begins, tf.int32)) - 1
            count = tf.reduce_sum(tf.cast(begins, tf.int32))
            first = tf.where(begins)[:, 0]
            strings = tf.strings.unsorted_segment_join(strings, group, count)
            numbers = tf.gather(tf.where(is_kept, numbers, -1), first)
            left, right = (tf.gather(column & is_kept, first) for column in (left, right))
            row_splits = tf.searchsorted(first, row_splits)
        return self._placed(strings, numbers, left, right, tf.cast(row_splits, tf.int64))

    def _placed(self, strings, numbers, left, right, row_splits) -> Parts:
        """Where the parts are, with the white space beside a token given to it where its flags say so."""
        length = tf.strings.length(strings, "UTF8_CHAR")
        ends = tf.cumsum(length)
        ends -= tf.repeat(tf.gather(tf.pad(ends, [[1, 0]]), row_splits[:-1]), row_splits[1:] - row_splits[:-1])
        starts = ends - length
        is_token, nothing = numbers >= 0, tf.zeros_like(length)
        before, after = nothing, nothing
        if self.right:
            takes = tf.concat([[False], right], axis=0)[:-1] & ~is_token
            cut = tf.where(takes, tf.strings.regex_replace(strings, f"^{WHITE}", ""), strings)
            lost = length - tf.strings.length(cut, "UTF8_CHAR")
            strings, starts, length = cut, starts + lost, length - lost
            after = tf.concat([lost, [0]], axis=0)[1:]
        if self.left:
            takes = tf.concat([left, [False]], axis=0)[1:] & ~is_token
            cut = tf.where(takes, tf.strings.regex_replace(strings, f"{WHITE}$", ""), strings)
            lost = length - tf.strings.length(cut, "UTF8_CHAR")
            strings, ends = cut, ends - lost
            before = tf.concat([[0], lost], axis=0)[:-1]
        return Parts(tf.where(is_token, "", strings), numbers, starts - before, ends + after, before, after, row_splits)

    def _touches_word(self, strings, within, row_splits):
        """bool [P]: whether a letter, digit, mark or underscore stands right before or after each string."""
        ragged = cast(Any, tf.strings.unicode_decode(tf.strings.join(["\n", strings, "\n"]), "UTF-8"))
        is_word = tf.searchsorted(self.word_runs, ragged.values, side="right") % 2 == 1
        first, last = tf.gather(is_word, ragged.row_splits[:-1] + 1), tf.gather(is_word, ragged.row_splits[1:] - 2)
        empty, nothing = strings == "", tf.constant([False, False])
        behind = (tf.repeat(row_splits[1:] - row_splits[:-1], row_splits[1:] - row_splits[:-1]) - within) - 1
        before, further = tf.concat([nothing, last], axis=0)[1:-1], tf.concat([nothing, last], axis=0)[:-2]
        after, beyond = tf.concat([first, nothing], axis=0)[1:-1], tf.concat([first, nothing], axis=0)[2:]
        empty_before = tf.concat([[False], empty], axis=0)[:-1]
        empty_after = tf.concat([empty, [False]], axis=0)[1:]
        before = tf.where(empty_before, further & (within >= 2), before & (within >= 1))
        after = tf.where(empty_after, beyond & (behind >= 2), after & (behind >= 1))
        return before | after
