"""Token ids back to text, as the Metaspace decoder of the `tokenizers` library."""

from __future__ import annotations

import builtins
import functools
from collections.abc import Collection, Sequence

import tensorflow as tf

META = "▁"


class Decoder:
    """ids to texts, in TensorFlow ops. What a token adds depends only on whether it is the first of its text.

    Args:
        vocabulary: what each id is written as.
        special: tokens that `skip_special_tokens` leaves out.
        prefixed: whether texts were given a sign of a word's beginning, which the first token then shows no more.
    """

    def __init__(self, vocabulary: Sequence[str], special: Collection[str], *, prefixed: bool):
        self.size, self._of_tables = len(vocabulary), (vocabulary, special, prefixed)

    @functools.cached_property
    def _tables(self):
        """For each id its text at a text's beginning and elsewhere, and whether it is special.

        Made when ids first become text, in no graph, so that every graph shares them.
        """
        vocabulary, special, prefixed = self._of_tables
        with tf.init_scope(), tf.device("CPU"):
            return (
                tf.constant([token.replace(META, "" if prefixed else " ") for token in vocabulary]),
                tf.constant([token.replace(META, " ") for token in vocabulary]),
                tf.constant([token in special for token in vocabulary]),
            )

    def __call__(self, ids, *, skip_special_tokens: bool):
        """ids ragged int32 [B, (T)] -> string [B]. Ids outside the vocabulary are left out."""
        first, rest, are_special = self._tables
        keep = (ids.values >= 0) & (ids.values < self.size)
        safe = tf.where(keep, ids.values, 0)
        if skip_special_tokens:
            keep &= ~tf.gather(are_special, safe)
        kept = tf.ragged.boolean_mask(ids.with_values(safe), ids.with_values(keep))
        rows, values = kept.value_rowids(), kept.values
        starts = tf.concat([[-1], rows], axis=0)[:-1] != rows
        pieces = tf.where(starts, tf.gather(first, values), tf.gather(rest, values))
        return tf.strings.unsorted_segment_join(pieces, rows, ids.nrows())


class JoiningDecoder(Decoder):
    """The same, where tokens may stand for bytes: those in a row are joined, and what is no text in UTF-8 becomes one
    U+FFFD for each. Of a text that was given a space before it, the first one goes.

    Args:
        bytes: the tokens of the bytes, in their order; none: there are none.
    """

    def __init__(self, vocabulary: Sequence[str], special: Collection[str], *, prefixed: bool, bytes: Sequence[str]):
        super().__init__(vocabulary, special, prefixed=prefixed)
        self.prefixed, self.bytes = prefixed, {token: byte for byte, token in enumerate(bytes)}

    @functools.cached_property
    def _tables(self):
        """For each id what it adds, as bytes; whether it is of one byte; and whether it is special."""
        vocabulary, special, _ = self._of_tables
        values = [self.bytes.get(token) for token in vocabulary]
        pairs = zip(vocabulary, values, strict=True)
        written = [
            token.replace(META, " ").encode() if byte is None else builtins.bytes([byte]) for token, byte in pairs
        ]
        with tf.init_scope(), tf.device("CPU"):
            is_byte = tf.constant([byte is not None for byte in values])
            return tf.constant(written), is_byte, tf.constant([token in special for token in vocabulary])

    def __call__(self, ids, *, skip_special_tokens: bool):
        """ids ragged int32 [B, (T)] -> string [B]. Ids outside the vocabulary are left out."""
        written, are_bytes, are_special = self._tables
        keep = (ids.values >= 0) & (ids.values < self.size)
        safe = tf.where(keep, ids.values, 0)
        if skip_special_tokens:
            keep &= ~tf.gather(are_special, safe)
        kept = tf.ragged.boolean_mask(ids.with_values(safe), ids.with_values(keep))
        rows, pieces, is_byte = kept.value_rowids(), tf.gather(written, kept.values), tf.gather(are_bytes, kept.values)
        edge = tf.ones_like(is_byte[:1])
        begins = tf.concat([edge, (rows[1:] != rows[:-1]) | ~is_byte[1:] | ~is_byte[:-1]], axis=0)
        run = tf.cumsum(tf.cast(begins, tf.int32)) - 1  # bytes in a row, or one other token
        joined = tf.strings.unsorted_segment_join(pieces, run, tf.size(run))
        is_text = tf.strings.unicode_transcode(joined, "UTF-8", "UTF-8", errors="replace") == joined
        pieces = tf.where(is_byte & ~tf.gather(is_text, run), "\ufffd", pieces)
        texts = tf.strings.unsorted_segment_join(pieces, rows, ids.nrows())
        return tf.strings.regex_replace(texts, r"\A ", "") if self.prefixed else texts
