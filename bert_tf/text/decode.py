"""Token ids back to text, as the WordPiece decoder of the `tokenizers` library."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import tensorflow as tf

from bert_tf.text.wordpiece import PREFIX

CLEAN_UP = ((" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
            (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"))  # fmt: skip


def clean_up(text: str) -> str:
    for old, new in CLEAN_UP:
        text = text.replace(old, new)
    return text


class Decoder:
    """ids to texts, in TensorFlow ops. What a token adds depends only on whether it is the first of its text."""

    def __init__(self, vocabulary: Sequence[str], special_ids: Collection[int]):
        rest = [token.removeprefix(PREFIX) if token.startswith(PREFIX) else f" {token}" for token in vocabulary]
        self.size = len(vocabulary)
        self.first = tf.constant([clean_up(token) for token in vocabulary])
        self.rest = tf.constant([clean_up(token) for token in rest])
        self.special = tf.constant([number in special_ids for number in range(self.size)])

    def __call__(self, ids, *, skip_special_tokens: bool):
        """ids ragged int [B, (T)] -> string [B]. Ids outside the vocabulary are left out."""
        keep = (ids.values >= 0) & (ids.values < self.size)
        safe = tf.where(keep, ids.values, 0)
        if skip_special_tokens:
            keep &= ~tf.gather(self.special, safe)
        kept = tf.ragged.boolean_mask(ids.with_values(safe), ids.with_values(keep))
        rows, values = kept.value_rowids(), kept.values
        starts = tf.concat([[-1], rows], axis=0)[:-1] != rows
        pieces = tf.where(starts, tf.gather(self.first, values), tf.gather(self.rest, values))
        return tf.strings.unsorted_segment_join(pieces, rows, ids.nrows())
