"""Token ids back to text, as the Metaspace decoder of the `tokenizers` library."""

from __future__ import annotations

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
