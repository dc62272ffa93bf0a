"""Texts in Unicode's composed form (NFC), and where each of their characters is from, in TensorFlow ops."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from bert_tf.text.repeated import repeat
from bert_tf.text.sentence_pieces.characters import END, Characters, decode, take
from bert_tf.text.sentence_pieces.composing import NormalForm

ASCII = r"[\x00-\x7f]*"


class Composed(NamedTuple):
    """strings [P]; row_splits int64 [P + 1] into their characters; starts, ends int32 [N]: where each of these is in
    the text that was given, in characters."""

    strings: Any
    row_splits: Any
    starts: Any
    ends: Any


class Composer:
    """Composes texts as the `tokenizers` library does, with the places that it gives: see `NormalForm`."""

    def __init__(self) -> None:
        self.form = NormalForm("NFC")

    def of_one(self, text: str) -> str:
        """A text, composed."""
        return self(tf.constant([text])).strings.numpy()[0].decode("utf-8")

    def __call__(self, strings) -> Composed:
        """string [P], valid UTF-8 -> Composed."""
        plain = tf.reduce_all(tf.strings.regex_full_match(strings, ASCII))
        return Composed(*tf.cond(plain, lambda: _as_it_is(strings), lambda: self._any(strings)))

    def _any(self, strings):
        x, stops = decode(strings, with_places=True)
        may_change = tf.reduce_any(self.form.may_change(x.values) > 0)
        return tf.cond(may_change, lambda: _of(self.form(x), stops), lambda: _as_it_is(strings))


def _of(x: Characters, stops):
    """The fields of a Composed. stops int32 [P]: where the texts' ENDs were before."""
    is_end = x.values == END
    text = tf.cumsum(tf.cast(is_end, tf.int32), exclusive=True)
    first = tf.concat([[0], stops[:-1] + 1], axis=0)[: tf.size(stops)]
    kept = tf.where(~is_end)[:, 0]
    x, text = take(x, kept), tf.gather(text, kept)
    row_splits = tf.searchsorted(text, tf.range(tf.size(stops) + 1), out_type=tf.int64)
    strings = tf.strings.unicode_encode(tf.RaggedTensor.from_row_splits(x.values, row_splits, False), "UTF-8")
    base = tf.gather(first, text)
    return strings, row_splits, x.starts - base, x.ends - base


def _as_it_is(strings):
    """The fields of a Composed where nothing changes."""
    lengths = tf.strings.length(strings, "UTF8_CHAR")
    row_splits = tf.pad(tf.cumsum(lengths), [[1, 0]])
    places = tf.range(row_splits[-1]) - repeat(row_splits[:-1], lengths)
    return strings, tf.cast(row_splits, tf.int64), places, places + 1
