"""The unigram model of SentencePiece: the best split of each word into pieces, by the sum of their scores.

As in the `tokenizers` library, sums are of float64, from a word's beginning on, and of equal sums the one with the
longest last piece is taken. Reference: Kudo, 2018, https://arxiv.org/abs/1804.10959
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from bert_tf.text.repeated import owners, ranges, repeat
from bert_tf.text.sentence_pieces.characters import Characters, mark
from bert_tf.text.sentence_pieces.trie import LIMIT, Trie, lot

UNKNOWN_PENALTY = 10.0  # below the lowest score, for a character that is no piece
BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))
EXACT_BITS = 53  # of float64: sums of multiples of a power of two are exact while they have no more
LARGEST_SCORE = 1e30
UNROLLED = 16  # steps that are operators one behind the other; longer parts of words go on in a loop
DOUBLINGS = 4  # enough for parts of 15 characters
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
        self.trie = Trie(list(ids), list(ids.values()), unrolled=UNROLLED)
        self.unk_id, self.unknown = unk_id, len(pieces)
        # By id + 1: 0 is of no piece, the last of an unknown character.
        self.scores = tf.constant(np.concatenate([[-np.inf], scores, [unknown]]))
        self.splits_early = longest_exact(np.append(scores, unknown)) >= LONGEST_WORD
        self.bytes = tf.constant([ids[piece] for piece in BYTES]) if byte_fallback else None

    def cut(self, x: Characters, begins):
        """`begins`, bool [N], and where else a word can be cut before it is known which it is: nowhere."""
        return begins

    def __call__(self, values, firsts, lengths) -> Pieces:
        """
        Args:
            values: int32 [N], code points.
            firsts, lengths: int32 [W], where each word begins among them, and how long it is: 1 or more.
        """
        points, splits, bare = spelled(values, firsts, lengths, self.prefix)
        is_end = mark(splits[1:] - 1, splits[-1])  # [M], each word followed by its end
        ids, begins, ends = self._fuse(*self._best(points, is_end))
        rows = tf.searchsorted(begins, splits)
        if self.bytes is not None:
            ids, begins, ends, rows = as_bytes(self.bytes, self.unknown, points, ids, begins, ends, rows)
        origins = repeat(splits[:-1] + bare, rows[1:] - rows[:-1])  # in each word as it is
        ids = tf.where(ids == self.unknown, self.unk_id, ids)
        return Pieces(ids, tf.maximum(begins - origins, 0), tf.maximum(ends - origins, 1), rows)

    def _best(self, points, is_end):
        """Ids, begins and ends of the pieces of the best splits, int32 [P] each."""
        found, size = self.trie(points), tf.size(points)
        known = mark(tf.boolean_mask(found.starts, found.lengths == 1), size)
        unknown = tf.cast(tf.where(~(known | is_end))[:, 0], tf.int32)
        stops = tf.concat([found.starts + found.lengths, unknown + 1], axis=0)
        lengths = tf.concat([found.lengths, tf.ones_like(unknown)], axis=0)
        numbers = tf.concat([found.values, tf.zeros_like(unknown) + self.unknown], axis=0) + 1
        borders = tf.cast(tf.where(self._borders(found, is_end))[:, 0], tf.int32)
        inside = tf.where(~tf.gather(is_end, borders[:-1]))[:, 0]  # not between a word's end and the next one
        origins, limits = tf.gather(borders, inside), tf.gather(borders, inside + 1)
        places, counts = in_steps(origins, limits - origins)
        row = tf.math.unsorted_segment_sum(tf.range(tf.size(places)), places, size)  # of each place
        longest = tf.reduce_max(lengths)
        # Which piece ends where: in a place's row, the longest first, its id + 1, or 0.
        cells = tf.gather(row, stops) * longest + longest - lengths
        table = tf.math.unsorted_segment_sum(numbers, cells, tf.size(places) * longest)
        # Where none ends, the lowest number that there is.
        scores = tf.math.unsorted_segment_max(tf.gather(self.scores, numbers), cells, tf.size(table))
        columns = self._choose(tf.reshape(scores, [-1, longest]), counts)
        # How long the last piece of the best split up to a place is; 0 where a word begins.
        chosen = tf.math.unsorted_segment_sum(longest - columns, places, size)
        marks = is_end | reached(limits, chosen, tf.size(counts))
        marked = tf.cast(tf.where(marks)[:, 0], tf.int32)  # the beginnings of pieces, and the ends of words
        piece = tf.where(~tf.gather(is_end, marked))[:, 0]
        begins, ends = tf.gather(marked, piece), tf.gather(marked, piece + 1)
        cells = tf.gather(row, ends) * longest + longest - (ends - begins)
        return tf.gather(table, cells) - 1, begins, ends

    def _borders(self, found, is_end):
        """bool [M], the places before which every split has a border."""
        if not self.splits_early:
            return is_end | tf.concat([tf.ones_like(is_end[:1]), is_end[:-1]], axis=0)
        long = tf.where(found.lengths > 1)[:, 0]
        starts, lengths = tf.gather(found.starts, long), tf.gather(found.lengths, long)
        opens, closes = (
            tf.math.unsorted_segment_sum(tf.ones_like(starts), edges, tf.size(is_end))
            for edges in (starts + 1, starts + lengths)
        )
        return tf.cumsum(opens - closes) == 0

    def _choose(self, scores, counts):
        """Which column the last piece of the best split up to each place is in, int32 [R].

        Args:
            scores: float64 [R, L], of the pieces that end at each place, the longest first.
            counts: int32 [T], of how many parts there are places in each step.
        """
        longest = tf.shape(scores)[1]
        first, later = tf.pad(counts, [[0, UNROLLED]])[:UNROLLED], counts[UNROLLED:]
        *rows, scores = tf.split(scores, tf.concat([first, [tf.reduce_sum(later)]], axis=0), num=UNROLLED + 1)
        gone = tf.concat([[0], first[:-1] - first[1:]], axis=0)  # parts that have ended before a step
        kept = tf.unstack(tf.stack([first, gone], axis=1), num=UNROLLED)
        nearest = tf.range(longest)[None] == longest - 1
        # [S, L]: the best sums up to the places before, the nearest last.
        sums = tf.where(nearest & tf.fill([counts[0], 1], True), tf.constant(0, tf.float64), -np.inf)

        def step(sums, row):
            added = sums + row
            sums = tf.concat([sums[:, 1:], tf.reduce_max(added, axis=1, keepdims=True)], axis=1)
            return sums, tf.argmax(added, axis=1, output_type=tf.int32)  # of equal sums the first

        choices = []
        for row, sizes in zip(rows, kept, strict=True):
            sums, choice = step(tf.split(sums, sizes, num=2)[0], row)
            choices.append(choice)

        def loop():
            shape: Any = [None, None]
            rows = tf.TensorArray(tf.float64, 0, dynamic_size=True, infer_shape=False, element_shape=shape)
            rows = rows.split(scores, later)

            def next_step(count, sums, choices):
                row = rows.read(count)
                sums, choice = step(sums[: tf.shape(row)[0]], row)
                return count + 1, sums, choices.write(count, choice)

            *_, found = tf.while_loop(
                lambda count, *_: count < tf.size(later), next_step, (tf.constant(0), sums, lot(tf.int32)),
                shape_invariants=(tf.TensorShape([]), tf.TensorShape(shape), tf.TensorShape(None)),
            )  # fmt: skip
            return found.concat()

        behind = tf.cond(tf.size(later) > 0, loop, lambda: tf.zeros([0], tf.int32))
        return tf.concat([*choices, behind], axis=0)

    def _fuse(self, ids, begins, ends):
        """Unknown pieces that follow each other in a word as one."""
        unknown = (ids == self.unknown) | (ids == self.unk_id)
        follows = unknown[1:] & unknown[:-1] & (begins[1:] == ends[:-1])
        kept = tf.where(~tf.concat([tf.zeros_like(unknown[:1]), follows], axis=0))[:, 0]
        last = tf.where(~tf.concat([follows, tf.zeros_like(unknown[:1])], axis=0))[:, 0]
        # Of the text <unk> alone the piece is meant, not its bytes.
        ids = tf.where(kept == last, tf.gather(ids, kept), self.unknown)
        return ids, tf.gather(begins, kept), tf.gather(ends, last)


def reached(ends, lengths, steps):
    """bool [M], the places that are reached from `ends`, int32 [S], these too, going back at each by its length.

    Args:
        lengths: int32 [M], 0 where it goes no further.
        steps: the most steps that there are from an end.
    """
    size = tf.size(lengths)
    marks, before = mark(ends, size), tf.range(size) - lengths

    def doubled(marks, before):
        """As many steps again as were gone."""
        more = tf.math.unsorted_segment_sum(tf.cast(marks, tf.int32), before, size) > 0
        return marks | more, tf.gather(before, before)

    for _ in range(DOUBLINGS):
        marks, before = doubled(marks, before)
    count = tf.constant(1 << DOUBLINGS)
    _, marks, _ = tf.while_loop(
        lambda count, *_: count <= steps, lambda count, *state: (count * 2, *doubled(*state)), (count, marks, before)
    )
    return marks


def spelled(values, firsts, lengths, prefix: str):
    """Words end to end, each with its prefix where it does not begin with it, and followed by LIMIT.

    Args:
        values, firsts, lengths: as of `Unigram`.
    Returns: code points int32 [M], row splits int32 [W + 1], and which words were given the prefix, int32 [W].
    """
    bare = tf.zeros_like(firsts)
    if prefix:
        bare = tf.cast(tf.gather(values, firsts) != ord(prefix), tf.int32)
    splits = tf.concat([[0], tf.cumsum(lengths + bare + 1)], axis=0)
    source = tf.clip_by_value(ranges(firsts - bare, firsts + lengths + 1), 0, tf.size(values) - 1)
    points = tf.where(mark(splits[1:] - 1, splits[-1]), LIMIT, tf.gather(values, source))
    if prefix:
        given = mark(tf.boolean_mask(splits[:-1], bare > 0), splits[-1])
        points = tf.where(given, ord(prefix), points)
    return points, splits, bare


def in_steps(origins, sizes):
    """All places of parts that are gone through together, one place of each in a step.

    Args:
        origins, sizes: int32 [S], where each part begins, and how long it is: 1 or more.
    Returns: int32 [R], those behind the first character of each part, then those behind the second, and so on, the
        longest part first; and int32 [T], how many there are in each step.
    """
    order = tf.argsort(sizes, direction="DESCENDING")
    origins, sizes = tf.gather(origins, order), tf.gather(sizes, order)
    steps = tf.range(sizes[0])
    counts = tf.searchsorted(-sizes, -steps)  # of those longer than so many
    return tf.gather(origins, ranges(0, counts)) + owners(counts) + 1, counts


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
    owner = owners(sizes)
    within = ranges(0, sizes)
    spelled = tf.gather(ids, owner) == unknown
    points = tf.where(spelled, tf.gather(points, tf.gather(begins, owner) + within), 0)
    counts = 1 + sum(tf.cast(points >= limit, tf.int32) for limit in (0x80, 0x800, 0x10000))
    character = owners(counts)
    place = ranges(0, counts)
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
