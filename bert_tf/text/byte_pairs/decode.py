"""Token ids back to text, as the byte-level decoder of the `tokenizers` library."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import tensorflow as tf

from bert_tf.text.byte_pairs.alphabet import bytes_of


class ByteDecoder:
    """ids to texts, in TensorFlow ops: the bytes of all tokens of a text, read as UTF-8; others become U+FFFD.

    Args:
        vocabulary: what each id is written as.
        special: for each id, whether `skip_special_tokens` leaves it out.
    """

    def __init__(self, vocabulary: Sequence[str], special: Sequence[bool]) -> None:
        self.size, self._of_tables = len(vocabulary), (vocabulary, special)

    @functools.cached_property
    def _tables(self):
        """For each id its bytes, and whether it is special. Made when ids first become text, in no graph."""
        vocabulary, special = self._of_tables
        with tf.init_scope(), tf.device("CPU"):
            return (
                tf.constant([bytes_of(token) for token in vocabulary]),
                tf.constant(special),
            )

    def __call__(self, ids, *, skip_special_tokens: bool):
        """ids ragged int [B, (T)] -> string [B]. Ids outside the vocabulary are left out."""
        data, are_special = self._tables
        keep = (ids.values >= 0) & (ids.values < self.size)
        safe = tf.where(keep, ids.values, 0)
        if skip_special_tokens:
            keep &= ~tf.gather(are_special, safe)
        kept = tf.ragged.boolean_mask(ids.with_values(safe), ids.with_values(keep))
        joined = tf.strings.unsorted_segment_join(tf.gather(data, kept.values), kept.value_rowids(), ids.nrows())
        return tf.strings.unicode_transcode(joined, "UTF-8", "UTF-8", errors="replace")
