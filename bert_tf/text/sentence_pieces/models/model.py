"""What splits words: a unigram model or merges of pairs, as a graph, and for one word in Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from bert_tf.text.byte_pairs.whole_words import LONGEST
from bert_tf.text.sentence_pieces.models.merged import Merged
from bert_tf.text.sentence_pieces.models.one_word import MergedWord, UnigramWord
from bert_tf.text.sentence_pieces.models.unigram import Unigram
from bert_tf.text.tokens.one_row import Piece

MOST_WHOLE = 1 << 16  # pieces that are looked up as words; in the order of their scores, or of their merges
AT_ONCE = 1 << 14  # words that are split to find out


class Model(Protocol):
    """A model of SentencePiece: what it says, before it is made."""

    @property
    def prefixes(self) -> bool:
        """Whether it puts the sign of a word's beginning before the words that it is given."""
        ...

    def graph(self, prefix: str) -> Any:
        """What splits words in a graph, as `Unigram` does; with a prefix for words where it `prefixes`."""
        ...

    def one_word(self) -> Callable[[str], list[Piece]]:
        """What splits a word in Python."""
        ...

    def likely(self) -> list[str]:
        """Its pieces, the more frequent ones first."""
        ...


@dataclass(frozen=True)
class UnigramModel:
    """The best split by scores. Args: as of `Unigram`."""

    pieces: Sequence[tuple[str, float]]
    unk_id: int
    byte_fallback: bool
    prefixes: bool = True

    def graph(self, prefix: str) -> Unigram:
        return Unigram(self.pieces, unk_id=self.unk_id, byte_fallback=self.byte_fallback, prefix=prefix)

    def one_word(self) -> UnigramWord:
        return UnigramWord(self.pieces, unk_id=self.unk_id, byte_fallback=self.byte_fallback)

    def likely(self) -> list[str]:
        return [piece for piece, _ in sorted(self.pieces, key=lambda entry: -entry[1])]


@dataclass(frozen=True)
class BytePairModel:
    """Pairs merged by rank. Args: as of `Merged`."""

    vocabulary: Sequence[str]
    merges: Sequence[tuple[str, str]]
    unk_id: int
    fuse_unknown: bool
    byte_fallback: bool
    prefixes: bool = False

    def graph(self, prefix: str) -> Merged:
        return Merged(
            self.vocabulary, self.merges, unk_id=self.unk_id, fuse_unknown=self.fuse_unknown,
            byte_fallback=self.byte_fallback,
        )  # fmt: skip

    def one_word(self) -> MergedWord:
        return MergedWord(
            self.vocabulary, self.merges, unk_id=self.unk_id, fuse_unknown=self.fuse_unknown,
            byte_fallback=self.byte_fallback,
        )  # fmt: skip

    def likely(self) -> list[str]:
        return list(dict.fromkeys(left + right for left, right in self.merges))


def whole_words(model: Model, graph: Any, *, bare: str) -> tuple[list[list[int]], list[int]]:
    """Words that are one piece, as code points, and the number of each.

    Args:
        graph: what splits words.
        bare: what words do not begin with that are looked up, as the graph puts it before them.
    """
    found = [piece for piece in model.likely() if 0 < len(piece) <= LONGEST][:MOST_WHOLE]
    if bare:
        found = [piece.removeprefix(bare) for piece in found if piece.startswith(bare) and piece != bare]
        found = [piece for piece in found if not piece.startswith(bare)]
    words: list[list[int]] = [list(map(ord, piece)) for piece in dict.fromkeys(found)]
    whole: list[list[int]] = []
    numbers: list[int] = []
    for start in range(0, len(words), AT_ONCE):
        some = words[start : start + AT_ONCE]
        lengths = np.array([len(word) for word in some], np.int32)
        values = tf.constant([point for word in some for point in word], tf.int32)
        pieces = graph(values, tf.constant(np.cumsum(lengths) - lengths, tf.int32), tf.constant(lengths))
        ids, ends, splits = (np.asarray(column) for column in (pieces.ids, pieces.ends, pieces.row_splits))
        firsts, counts = splits[:-1], np.diff(splits)
        for number in np.flatnonzero(counts == 1).tolist():
            if ends[firsts[number]] == lengths[number]:
                whole.append(some[number])
                numbers.append(int(ids[firsts[number]]))
    return whole, numbers
