"""Which of a text's scored sentences make its summary, in the graph."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

NGRAM = 3


def select(sentences: Any, scores: Any, row_splits: Any, *, limit: int, block_trigrams: bool) -> Any:
    """The best sentences of each text; of equal ones the first.

    Args:
        sentences: string [S], those of B texts, end to end.
        scores: float [S].
        row_splits: int32 [B + 1].
        limit: most sentences of a text.
        block_trigrams: pass over a sentence that has three words in a row in common with a better one that is taken;
            a word is a run of letters and digits, whatever their case.
    Returns: bool [S].
    Reference: Paulus et al., 2018, section 2.5, https://arxiv.org/abs/1705.04304
    """
    counts = row_splits[1:] - row_splits[:-1]  # [B]
    texts, size = tf.size(counts), tf.size(sentences)
    owner = tf.repeat(tf.range(texts), counts)  # [S]
    most = tf.reduce_max(tf.concat([counts, [0]], axis=0))
    ragged: Any = tf.RaggedTensor.from_row_splits(scores, row_splits, validate=False)
    order = tf.math.top_k(ragged.to_tensor(-float("inf"), shape=[None, None]), k=most).indices  # [B, N]
    order = tf.pad(order, [[0, 0], [0, 1]])  # so that it has a column however few sentences there are
    trigram, place = _trigrams(sentences, owner) if block_trigrams and limit > 1 else (tf.zeros([0], tf.int32),) * 2
    kinds = tf.reduce_max(tf.concat([trigram + 1, [0]], axis=0))

    def has_next(rank: Any, chosen: Any, taken: Any, used: Any) -> Any:
        return tf.reduce_any((taken < limit) & (rank < counts))

    def take(rank: Any, chosen: Any, taken: Any, used: Any) -> Any:
        """Takes or passes over the sentence of that rank in every text."""
        best = tf.where((taken < limit) & (rank < counts), row_splits[:-1] + order[:, rank], -1)  # [B]
        candidate = tf.gather(best, owner) == tf.range(size)  # [S]
        met = tf.gather(candidate, place) & tf.gather(used, trigram)  # [G]
        accepted = candidate & ~_any(met, place, size)
        used |= _any(tf.gather(accepted, place), trigram, kinds)
        taken += tf.math.unsorted_segment_sum(tf.cast(accepted, tf.int32), owner, texts)
        return rank + 1, chosen | accepted, taken, used

    start = (tf.constant(0), tf.zeros([size], tf.bool), tf.zeros([texts], tf.int32), tf.zeros([kinds], tf.bool))
    shapes = (tf.TensorShape([]), *(tf.TensorShape([None]),) * 3)
    return tf.while_loop(has_next, take, start, shape_invariants=shapes)[1]


def _trigrams(sentences: Any, owner: Any) -> tuple[Any, Any]:
    """Of each of G trigrams its number, the same for the same words of the same text, and its sentence, int32 [G]."""
    words = tf.strings.regex_replace(tf.strings.lower(sentences, encoding="utf-8"), r"[^\pL\pM\pN]+", " ")
    found: Any = tf.strings.ngrams(tf.strings.split(words), NGRAM)
    place = tf.cast(found.value_rowids(), tf.int32)
    keys = tf.strings.join([tf.strings.as_string(tf.gather(owner, place)), found.values], " ")
    return tf.unique(keys).idx, place


def _any(flags: Any, segments: Any, count: Any) -> Any:
    """bool [count]: whether any flag of the segment is set."""
    return tf.math.unsorted_segment_sum(tf.cast(flags, tf.int32), segments, count) > 0
