"""Token ids back to text, as the WordPiece decoder of the `tokenizers` library."""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence

import tensorflow as tf

from bert_tf.text.wordpiece.lookup import PREFIX

CLEAN_UP = ((" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
            (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"))  # fmt: skip


def clean_up(text: str) -> str:
    for old, new in CLEAN_UP:
        text = text.replace(old, new)
    return text


class Decoder:
    """ids to texts, in TensorFlow ops. What a token adds depends only on whether it is the first of its text."""

    def __init__(self, vocabulary: Sequence[str], stands: Sequence[bool], special: Collection[str]):
        """
        Args:
            vocabulary: what each id is written as.
            stands: False for ids that no text gives, since the same token has a later one: they are left out.
        """
        self.size, self._of_tables = len(vocabulary), (vocabulary, stands, special)

    @functools.cached_property
    def _tables(self):
        """For each id its text at a text's beginning and elsewhere, whether it stands, and whether it is special.

        Made when ids first become text, in no graph, so that every graph shares them.
        """
        vocabulary, stands, special = self._of_tables
        rest = [token.removeprefix(PREFIX) if token.startswith(PREFIX) else f" {token}" for token in vocabulary]
        with tf.init_scope(), tf.device("CPU"):
            return (
                tf.constant([clean_up(token) for token in vocabulary]),
                tf.constant([clean_up(token) for token in rest]),
                tf.constant(stands),
                tf.constant([token in special for token in vocabulary]),
            )

    def __call__(self, ids, *, skip_special_tokens: bool):
        """ids ragged int [B, (T)] -> string [B]. Ids outside the vocabulary are left out."""
        first, rest, stand, are_special = self._tables
        keep = (ids.values >= 0) & (ids.values < self.size)
        safe = tf.where(keep, ids.values, 0)
        keep &= tf.gather(stand, safe)
        if skip_special_tokens:
            keep &= ~tf.gather(are_special, safe)
        kept = tf.ragged.boolean_mask(ids.with_values(safe), ids.with_values(keep))
        rows, values = kept.value_rowids(), kept.values
        starts = tf.concat([[-1], rows], axis=0)[:-1] != rows
        pieces = tf.where(starts, tf.gather(first, values), tf.gather(rest, values))
        return tf.strings.unsorted_segment_join(pieces, rows, ids.nrows())
