"""The unigram model of SentencePiece: the best split of each word into pieces, by the sum of their scores.

As in the `tokenizers` library, sums are of float64, from a word's beginning on, and of equal sums the one with the
longest last piece is taken. Reference: Kudo, 2018, https://arxiv.org/abs/1804.10959
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from bert_tf.text.sentence_pieces.characters import mark
from bert_tf.text.sentence_pieces.trie import LIMIT, Trie

UNKNOWN_PENALTY = 10.0  # below the lowest score, for a character that is no piece
BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))
EXACT_BITS = 53  # of float64: sums of multiples of a power of two are exact while they have no more
LARGEST_SCORE = 1e30
LONGEST_WORD = 1 << 17  # characters up to which sums must be exact for a word to be split where no piece goes over


class Pieces(NamedTuple):
    """ids, begins, ends int32 [P], places in characters of their word; row_splits int32 [W + 1] of W words."""

    ids: Any
    begins: Any
    ends: Any
    row_splits: Any


class Unigram:
    """Words to pieces, in the TensorFlow ops of a graph.

    Args:
        pieces: the vocabulary with its scores, in the order of the ids. If a piece occurs again, its last id counts.
        unk_id: the piece that stands for unknown characters, as many as follow each other.
        byte_fallback: give the bytes of unknown characters instead, by the pieces that are called <0x00> to <0xFF>.
        prefix: what words get in front that do not begin with it, with the place of their first character.
    """

    def __init__(
        self, pieces: Sequence[tuple[str, float]], *, unk_id: int, byte_fallback: bool = False, prefix: str = ""
    ):
        self.prefix = prefix
        ids = {piece: number for number, (piece, _) in enumerate(pieces) if piece}
        scores = np.array([score for _, score in pieces], np.float64)
        unknown = scores.min() - UNKNOWN_PENALTY
        self.trie = Trie(list(ids), list(ids.values()))
        self.unk_id, self.unknown = unk_id, len(pieces)
        # By id + 1: 0 is of no piece, the last of an unknown character.
        self.scores = tf.constant(np.concatenate([[-np.inf], scores, [unknown]]))
        self.splits_early = longest_exact(np.append(scores, unknown)) >= LONGEST_WORD
        self.bytes = tf.constant([ids[piece] for piece in BYTES]) if byte_fallback else None

    def __call__(self, words) -> Pieces:
        """words string [W] -> their pieces."""
        bare = tf.strings.substr(words, 0, len(self.prefix.encode())) != self.prefix  # [W]
        prefix = tf.where(bare, self.prefix, "")
        decoded: Any = tf.strings.unicode_decode(tf.strings.join([prefix, words, "\n"]), "UTF-8")
        splits = tf.cast(decoded.row_splits, tf.int32)
        is_end = mark(splits[1:] - 1, splits[-1])  # [N], each word followed by its end
        points = tf.where(is_end, LIMIT, decoded.flat_values)
        table, borders = self._table(points, is_end)
        begins, ends = self._best(table, borders, is_end)
        ids = tf.gather(tf.reshape(table, [-1]), ends * tf.shape(table)[1] + ends - begins - 1) - 1
        ids, begins, ends = self._fuse(ids, begins, ends)
        rows = tf.searchsorted(begins, splits)
        if self.bytes is not None:
            ids, begins, ends, rows = as_bytes(self.bytes, self.unknown, points, ids, begins, ends, rows)
        counts = rows[1:] - rows[:-1]
        origins = tf.repeat(splits[:-1] + tf.cast(bare, tf.int32), counts)  # in each word as it is
        ids = tf.where(ids == self.unknown, self.unk_id, ids)
        return Pieces(ids, tf.maximum(begins - origins, 0), tf.maximum(ends - origins, 1), rows)

    def _table(self, points, is_end):
        """Which piece ends where: int32 [N, L], at a place and for a length less 1 its id + 1, or 0; and bool [N], the
        places before which every split has a border."""
        found = self.trie(points)
        size = tf.size(points)
        known = mark(tf.boolean_mask(found.starts, found.lengths == 1), size)
        unknown = tf.cast(tf.where(~(known | is_end))[:, 0], tf.int32)
        starts = tf.concat([found.starts, unknown], axis=0)
        lengths = tf.concat([found.lengths, tf.ones_like(unknown)], axis=0)
        numbers = tf.concat([found.values, tf.zeros_like(unknown) + self.unknown], axis=0) + 1
        longest = tf.reduce_max(tf.concat([lengths, [1]], axis=0))
        places = (starts + lengths) * longest + lengths - 1
        table = tf.reshape(tf.math.unsorted_segment_sum(numbers, places, size * longest), [-1, longest])
        if not self.splits_early:
            return table, is_end | tf.concat([tf.ones_like(is_end[:1]), is_end[:-1]], axis=0)
        long = tf.where(found.lengths > 1)[:, 0]
        starts, lengths = tf.gather(found.starts, long), tf.gather(found.lengths, long)
        opens, closes = (
            tf.math.unsorted_segment_sum(tf.ones_like(starts), edges, size) for edges in (starts + 1, starts + lengths)
        )
        return table, tf.cumsum(opens - closes) == 0

    def _best(self, table, borders, is_end):
        """Begins and ends of the pieces of the best splits, int32 [P]."""
        borders = tf.cast(tf.where(borders)[:, 0], tf.int32)
        origins, stops = borders[:-1], borders[1:]
        inside = tf.where(~tf.gather(is_end, origins))[:, 0]  # not between a word's end and the next one's beginning
        origins, stops = tf.gather(origins, inside), tf.gather(stops, inside)
        chosen = self._choose(table, origins, stops - origins)

        def back(count, places, limits, path):
            places -= tf.gather(chosen, places)
            more = tf.where(places > limits)[:, 0]
            places = tf.gather(places, more)
            return count + 1, places, tf.gather(limits, more), path.write(count, places)

        path = tf.TensorArray(tf.int32, 0, dynamic_size=True, infer_shape=False, element_shape=[None])
        one = tf.TensorShape([None])
        *_, path = tf.while_loop(
            lambda count, places, *_: (count == 0) | (tf.size(places) > 0), back,
            (tf.constant(0), stops, origins, path),
            shape_invariants=(tf.TensorShape([]), one, one, tf.TensorShape(None)),
        )  # fmt: skip
        found = tf.concat([origins, path.concat()], axis=0)
        marks = is_end | mark(found, tf.size(is_end))
        marked = tf.cast(tf.where(marks)[:, 0], tf.int32)  # the beginnings of pieces, and the ends of words
        piece = tf.where(~tf.gather(is_end, marked))[:, 0]
        return tf.gather(marked, piece), tf.gather(marked, piece + 1)

    def _choose(self, table, origins, sizes):
        """The length of the last piece of the best split up to each place, int32 [N], within each of S parts.

        Args:
            origins, sizes: int32 [S], where each part begins, and how long it is.
        """
        longest = tf.shape(table)[1]
        lengths = tf.range(longest)[None] + 1

        def step(count, starts, sizes, sums, places, choices):
            """sums [S, L]: the best sums up to the places before, the nearest first."""
            scores = sums + tf.gather(self.scores, tf.gather(table, starts + count))
            best = tf.reduce_max(scores, axis=1)
            choice = tf.reduce_max(tf.where(scores == best[:, None], lengths, 0), axis=1)
            places, choices = places.write(count - 1, starts + count), choices.write(count - 1, choice)
            more = tf.where(sizes > count)[:, 0]
            sums = tf.concat([tf.gather(best, more)[:, None], tf.gather(sums, more)[:, :-1]], axis=1)
            return count + 1, tf.gather(starts, more), tf.gather(sizes, more), sums, places, choices

        sums = tf.where(tf.zeros_like(origins)[:, None] + lengths == 1, tf.constant(0, tf.float64), -np.inf)
        places, choices = (
            tf.TensorArray(tf.int32, 0, dynamic_size=True, infer_shape=False, element_shape=[None]) for _ in range(2)
        )
        one, many, any_shape = tf.TensorShape([None]), tf.TensorShape([None, None]), tf.TensorShape(None)
        *_, places, choices = tf.while_loop(
            lambda count, starts, *_: (count == 1) | (tf.size(starts) > 0), step,
            (tf.constant(1), origins, sizes, sums, places, choices),
            shape_invariants=(tf.TensorShape([]), one, one, many, any_shape, any_shape),
        )  # fmt: skip
        return tf.math.unsorted_segment_sum(choices.concat(), places.concat(), tf.shape(table)[0])

    def _fuse(self, ids, begins, ends):
        """Unknown pieces that follow each other in a word as one."""
        unknown = (ids == self.unknown) | (ids == self.unk_id)
        follows = unknown[1:] & unknown[:-1] & (begins[1:] == ends[:-1])
        kept = tf.where(~tf.concat([tf.zeros_like(unknown[:1]), follows], axis=0))[:, 0]
        last = tf.where(~tf.concat([follows, tf.zeros_like(unknown[:1])], axis=0))[:, 0]
        # Of the text <unk> alone the piece is meant, not its bytes.
        ids = tf.where(kept == last, tf.gather(ids, kept), self.unknown)
        return ids, tf.gather(begins, kept), tf.gather(ends, last)


def find_problem(pieces: Sequence[tuple[str, float]], unk_token: str, byte_fallback: bool) -> str | None:
    """Says what keeps these pieces from being a vocabulary, or None."""
    texts = set()
    for number, entry in enumerate(pieces):
        if not isinstance(entry, (tuple, list)) or len(entry) != 2 or not isinstance(entry[0], str):
            return f"`vocabulary`: expected a piece and its score. Received: {entry!r:.200} with id {number}"
        text, score = entry
        is_number = isinstance(score, (int, float)) and not isinstance(score, bool)
        if not is_number or not abs(score) < LARGEST_SCORE:
            return f"`vocabulary`: the score of {text!r:.80} must be a finite number. Received: {score!r:.80}"
        texts.add(text)
    if unk_token not in texts:
        return f"`unk_token` must be a piece of the vocabulary, not an added token. Received: {unk_token!r:.80}"
    if byte_fallback and (missing := next((piece for piece in BYTES if piece not in texts), None)):
        return f"`byte_fallback` needs a piece for each byte. Received: no piece {missing}"
    return None


def as_bytes(table, unknown: int, points, ids, begins, ends, rows):
    """The pieces of each byte in place of what is unknown; all bytes of it have its place.

    Args:
        table: int32 [256], the id of each byte.
        unknown: the id that stands for what is unknown.
        points: int32 [N], the code points that `begins` and `ends`, int32 [P], are places of.
        rows: int32 [W + 1], the splits of the pieces.
    Returns: ids, begins, ends and rows.
    """
    sizes = tf.where(ids == unknown, ends - begins, 1)  # in characters, of what is unknown
    owner = tf.repeat(tf.range(tf.size(ids)), sizes)
    within = tf.range(tf.size(owner)) - tf.gather(tf.cumsum(sizes, exclusive=True), owner)
    spelled = tf.gather(ids, owner) == unknown
    points = tf.where(spelled, tf.gather(points, tf.gather(begins, owner) + within), 0)
    counts = 1 + sum(tf.cast(points >= limit, tf.int32) for limit in (0x80, 0x800, 0x10000))
    character = tf.repeat(tf.range(tf.size(points)), counts)
    place = tf.range(tf.size(character)) - tf.gather(tf.cumsum(counts, exclusive=True), character)
    points, counts, owner, spelled = (tf.gather(x, character) for x in (points, counts, owner, spelled))
    bits = tf.bitwise.right_shift(points, 6 * (counts - 1 - place))
    lead = tf.gather(tf.constant([0, 0, 0xC0, 0xE0, 0xF0]), counts)
    values = tf.where(place == 0, lead + bits, 0x80 + tf.bitwise.bitwise_and(bits, 0x3F))
    numbers = tf.where(spelled, tf.gather(table, tf.where(spelled, values, 0)), tf.gather(ids, owner))
    return numbers, tf.gather(begins, owner), tf.gather(ends, owner), tf.searchsorted(owner, rows)


def longest_exact(scores: np.ndarray) -> float:
    """Of how many of these numbers any sum is exact in float64, whatever their order."""
    if not np.isfinite(scores).all():
        return 0
    bits = next((bits for bits in range(EXACT_BITS + 1) if np.all(np.ldexp(scores, bits) % 1 == 0)), EXACT_BITS)
    return 2.0 ** (EXACT_BITS - bits) / max(np.abs(scores).max(), 1)
