"""SentencePiece's byte pairs: characters of words, merged pair by pair, in TensorFlow ops.

As in the `tokenizers` library a character that is no piece becomes its bytes, or what stands for the unknown.
Reference: Sennrich et al., 2016, https://arxiv.org/abs/1508.07909
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from bert_tf.text.byte_pairs.hashing import KeyTable
from bert_tf.text.byte_pairs.merging import Merger
from bert_tf.text.repeated import owners
from bert_tf.text.sentence_pieces.characters import Characters, is_text
from bert_tf.text.sentence_pieces.models.unigram import BYTES, Pieces, as_bytes, spelled
from bert_tf.text.sentence_pieces.trie import LIMIT, Pages, PointNumbers

UNKNOWN = -1


class Merged:
    """Words to pieces, in the TensorFlow ops of a graph.

    Args:
        vocabulary: pieces in the order of their ids, each once.
        merges: pairs of pieces, by rank; what each becomes is a piece, too.
        unk_id: the piece of characters that are none.
        fuse_unknown: several of them in a row are one.
        byte_fallback: give the bytes of such characters instead, by the pieces that are called <0x00> to <0xFF>.
    """

    def __init__(
        self, vocabulary: Sequence[str], merges: Sequence[tuple[str, str]], *, unk_id: int, fuse_unknown: bool,
        byte_fallback: bool,
    ) -> None:  # fmt: skip
        ids = {piece: number for number, piece in enumerate(vocabulary) if piece}
        self.unk_id, self.fuses = unk_id, fuse_unknown and not byte_fallback
        self.merger = Merger(merges, ids)
        single = {ord(piece): number + 1 for piece, number in ids.items() if len(piece) == 1}
        self.symbols = PointNumbers(Pages.of(np.array(sorted(single)), np.array([single[p] for p in sorted(single)])))
        self.bytes = tf.constant([ids[piece] for piece in BYTES]) if byte_fallback else None
        parts = {piece for pair in merges for piece in pair}
        # What stands for an unknown character is no text of one: which of them meet is not told by characters.
        whole = {vocabulary[unk_id], *(BYTES if byte_fallback else ())}
        meeting = {(ord(left[-1]), ord(right[0])) for left, right in merges}
        pairs = np.array([a * LIMIT + b for a, b in sorted(meeting)], np.int64)
        self.meeting = None if parts & whole else KeyTable(pairs)

    def cut(self, x: Characters, begins):
        """`begins`, bool [N], and where else a word can be cut, since no merge is of the characters on both sides."""
        if self.meeting is None:
            return begins
        keys = tf.cast(x.values[:-1], tf.int64) * LIMIT + tf.cast(x.values[1:], tf.int64)
        apart = self.meeting(keys) < 0
        if self.fuses:
            unknown = self.symbols(x.values) == 0
            apart &= ~(unknown[1:] & unknown[:-1])
        return begins | (is_text(x) & tf.concat([tf.zeros_like(begins[:1]), apart], axis=0))

    def __call__(self, values, firsts, lengths) -> Pieces:
        """
        Args:
            values: int32 [N], code points.
            firsts, lengths: int32 [W], where each word begins among them, and how long it is: 1 or more.
        """
        points, splits, _ = spelled(values, firsts, lengths, "")
        places = tf.cast(tf.where(points < LIMIT)[:, 0], tf.int32)
        word = owners(lengths)
        ids = self.symbols(tf.gather(points, places)) - 1
        begins, ends = places, places + 1
        if self.bytes is not None:
            rows = tf.concat([[0], tf.cumsum(lengths)], axis=0)
            ids, begins, ends, rows = as_bytes(self.bytes, UNKNOWN, points, ids, begins, ends, rows)
            word = owners(rows[1:] - rows[:-1])
        elif self.fuses:
            again = (ids[1:] == UNKNOWN) & (ids[:-1] == UNKNOWN) & (word[1:] == word[:-1])
            kept = tf.where(~tf.concat([[False], again], axis=0))[:, 0]
            last = tf.where(~tf.concat([again, [False]], axis=0))[:, 0]
            ids, word, begins = (tf.gather(column, kept) for column in (ids, word, begins))
            ends = tf.gather(ends, last)
        ids = tf.where(ids == UNKNOWN, self.unk_id, ids)
        found, at = self.merger(ids, tf.range(tf.size(ids)), word)
        laid_out = tf.math.unsorted_segment_sum(found + 1, at, tf.size(ids))  # in their order again
        first = tf.cast(tf.where(laid_out > 0)[:, 0], tf.int32)
        behind = tf.concat([first[1:], [tf.size(ids)]], axis=0)
        owner = tf.gather(word, first)
        origins = tf.gather(splits, owner)
        counts = tf.math.unsorted_segment_sum(tf.ones_like(owner), owner, tf.size(lengths))
        return Pieces(
            tf.gather(laid_out, first) - 1,
            tf.gather(begins, first) - origins,
            tf.gather(ends, behind - 1) - origins,
            tf.concat([[0], tf.cumsum(counts)], axis=0),
        )


def find_merges_problem(vocabulary: Sequence[str], merges: Sequence[tuple[str, str]]) -> str | None:
    """Says what keeps merges from being of these pieces, or None."""
    known = {piece for piece in vocabulary if piece}
    if len(known) < sum(piece != "" for piece in vocabulary):
        again = next(piece for number, piece in enumerate(vocabulary) if piece and piece in vocabulary[:number])
        return f"`vocabulary`: with merges every piece must have one id. Received: {again!r:.80} again"
    for rank, (left, right) in enumerate(merges):
        missing = next((piece for piece in (left, right, left + right) if piece not in known), None)
        if missing is not None:
            return (
                "`merges`: the pieces of each pair, and what it becomes, must be in the vocabulary. Received: "
                f"{missing!r:.80} of the pair {(left, right)!r:.200} of rank {rank}"
            )
    return None
