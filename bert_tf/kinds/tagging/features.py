"""Features of words: which piece of a joined text speaks for a word, and in which window."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from bert_tf.data.batching.cut import Cut
from bert_tf.data.batching.features import Features
from bert_tf.data.tagged.label_sets import LabelSet
from bert_tf.kinds.tagging.entities import heads_of, pieces_of, tokenize_windows, words_of
from bert_tf.sentinels import IGNORED_LABEL

CHUNK = 1024


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class WordFeatures(Features):
    """Windows of sentences, with the place of each word's first piece.

    Args:
        words: int64 [W], numbers of the words that have a piece of their own, counted over all sentences.
        word_tokens: int64 [W], where the tokens of these first pieces stand in the flat arrays.
        word_count: how many words all sentences have; None: not known.
    """

    words: np.ndarray
    word_tokens: np.ndarray
    word_count: int | None = None

    unseen: ClassVar[tuple[str, ...]] = (*Features.unseen, "word_count")

    @property
    def raises(self) -> dict[str, int]:
        assert self.word_count is not None
        return {**super().raises, "words": self.word_count, "word_tokens": len(self.token_ids)}


def first_pieces(starts: np.ndarray, ends: np.ndarray, piece_starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first piece that starts in each word. Returns: the words that have one, rising, and their pieces, int64 [W].

    Args:
        starts, ends: where the words are, rising.
        piece_starts: where the pieces start.
    """
    word = np.searchsorted(starts, piece_starts, side="right") - 1
    inside = np.flatnonzero((word >= 0) & (piece_starts < ends[word]))
    found, first = np.unique(word[inside], return_index=True)
    return found, inside[first]


def word_features(
    tokenizer: Any,
    texts: Sequence[str],
    starts: Sequence[Sequence[int]],
    lengths: Sequence[Sequence[int]],
    tags: Sequence[Sequence[int]] | None,
    *,
    labels: LabelSet,
    max_length: int,
    stride: int,
    progress: Callable[[int, int], None] | None = None,
) -> WordFeatures:
    """Tokenises sentences with the graph that also serves.

    The tag of a word is learned by its first piece, if that begins a word for the graph too or is a closing mark: of
    "2 0 0 3", joined to "2003", by the piece that begins the number. In scripts without spaces, where for the graph
    each piece is a word, the rest of a word's pieces learn that they continue it.

    Args:
        texts: E sentences, as they are joined.
        starts: where each sentence's words begin in its text, rising.
        lengths: how long they are.
        tags: indices of their labels, or None.
        labels: what the labels say.
        max_length: tokens of a window at most.
        stride: pieces that two windows share.
        progress: called with (sentences done, E) after each chunk.
    Returns: an "example" a window, with `token_labels` where there are tags, and `loss_terms` that count them.
    """
    origins = np.concatenate([[0], np.cumsum([len(text) + 1 for text in texts])])  # of the sentences, all in a row
    word_starts = np.concatenate([np.asarray(some, np.int64) + origins[i] for i, some in enumerate(starts)])
    word_ends = word_starts + np.concatenate([np.asarray(some, np.int64) for some in lengths])
    ids, window_lengths, places, tokens, heads, unspaced, text_tokens = [], [], [], [], [], [], []
    done = 0
    for start in range(0, len(texts), CHUNK):
        chunk = texts[start : start + CHUNK]
        rows = tokenize_windows(tokenizer, chunk, max_length=max_length, stride=stride)
        real, scored = (np.asarray(rows[name]).astype(bool) for name in ("padding_mask", "scored"))
        pieces = pieces_of(rows)
        words = words_of(chunk, pieces)
        ids.append(np.asarray(rows["token_ids"])[real])
        window_lengths.append(real.sum(axis=1))
        places.append(np.asarray(pieces.starts) + origins[start + np.asarray(pieces.example)])
        tokens.append(np.flatnonzero(scored[real]) + done)
        heads.append(np.asarray(heads_of(words)))
        unspaced.append(np.asarray(words.unspaced))
        text_tokens.append(np.bincount(np.asarray(pieces.example), minlength=len(chunk)) + 2)
        done += len(ids[-1])
        if progress is not None:
            progress(min(start + CHUNK, len(texts)), len(texts))
    at, token = np.concatenate(places), np.concatenate(tokens)
    head = np.flatnonzero(np.concatenate(heads))
    found, first = first_pieces(word_starts, word_ends, at[head])
    word_tokens = token[head[first]]
    splits = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.concatenate(window_lengths))])
    token_ids, whole = np.concatenate(ids).astype(np.int32), np.concatenate(text_tokens)
    further: dict[str, Any] = {}
    if tags is not None:
        flat = np.concatenate([np.asarray(some, np.int32) for some in tags])
        assert len(flat) == len(word_starts)
        token_labels = np.full(len(token_ids), IGNORED_LABEL, np.int32)
        rest = np.flatnonzero(np.concatenate(unspaced))
        word = np.searchsorted(word_starts, at[rest], side="right") - 1
        inside = (word >= 0) & (at[rest] < word_ends[word])
        token_labels[token[rest[inside]]] = _continued(labels)[flat[word[inside]]]
        token_labels[word_tokens] = flat[found]
        further = {
            "token_fields": {"token_labels": token_labels},
            "fills": {"token_labels": IGNORED_LABEL},
            "loss_terms": np.add.reduceat(token_labels >= 0, splits[:-1], dtype=np.int64),
        }
    return WordFeatures(
        token_ids=token_ids,
        segment_ids=np.zeros(len(token_ids), np.int8),
        splits=splits,
        words=found,
        word_tokens=word_tokens,
        word_count=len(word_starts),
        cut=Cut(whole, np.zeros_like(whole)),
        **further,
    )


def _continued(labels: LabelSet) -> np.ndarray:
    """int32 [C], for each label that of a word's further pieces, -100 where there is none."""
    found = [labels.continuation(i) for i in range(len(labels.labels))]
    return np.array([IGNORED_LABEL if label is None else label for label in found], np.int32)
