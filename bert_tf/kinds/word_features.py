"""Features of words: which piece of a joined text speaks for a word, and in which window."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bert_tf.data.features import Features
from bert_tf.kinds.entities import pieces_of, tokenize_windows

IGNORED_LABEL = -100
CHUNK = 1024


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class WordFeatures(Features):
    """Windows of sentences, with the place of each word's first piece.

    Args:
        words: int64 [W], numbers of the words that have a piece, counted over all sentences.
        word_tokens: int64 [W], where the tokens of these first pieces stand in the flat arrays.
    """

    words: np.ndarray
    word_tokens: np.ndarray


def word_places(lengths: Sequence[int] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends, int64 [W], of words of those lengths that are joined by single spaces."""
    ends = np.cumsum(np.asarray(lengths, np.int64) + 1) - 1
    return ends - np.asarray(lengths, np.int64), ends


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
    lengths: Sequence[Sequence[int]],
    tags: Sequence[Sequence[int]] | None,
    *,
    max_length: int,
    stride: int,
    progress: Callable[[int, int], None] | None = None,
) -> WordFeatures:
    """Tokenises sentences with the graph that also serves.

    Args:
        texts: E sentences, words joined by single spaces.
        lengths: how long each sentence's words are.
        tags: indices of their tags, or None.
        max_length: tokens of a window at most.
        stride: pieces that two windows share.
        progress: called with (sentences done, E) after each chunk.
    Returns: an "example" a window, with `token_labels` where there are tags, and `loss_terms` that count them.
    """
    sizes = np.array([len(some) for some in lengths], np.int64)
    counts = [len(text) + 1 for text in texts]
    origins = np.concatenate([[0], np.cumsum(counts)])  # of the sentences, in all of them in a row
    starts, ends = word_places(np.concatenate([np.asarray(some, np.int64) for some in lengths]))
    ids, window_lengths, places, tokens = [], [], [], []
    done = 0
    for start in range(0, len(texts), CHUNK):
        rows = tokenize_windows(tokenizer, texts[start : start + CHUNK], max_length=max_length, stride=stride)
        real, scored = (np.asarray(rows[name]).astype(bool) for name in ("padding_mask", "scored"))
        pieces = pieces_of(rows)
        ids.append(np.asarray(rows["token_ids"])[real])
        window_lengths.append(real.sum(axis=1))
        places.append(np.asarray(pieces.starts) + origins[start + np.asarray(pieces.example)])
        tokens.append(np.flatnonzero(scored[real]) + done)
        done += len(ids[-1])
        if progress is not None:
            progress(min(start + CHUNK, len(texts)), len(texts))
    words, first = first_pieces(starts, ends, np.concatenate(places))
    word_tokens = np.concatenate(tokens)[first]
    splits = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.concatenate(window_lengths))])
    token_ids = np.concatenate(ids).astype(np.int32)
    labels: dict[str, Any] = {}
    if tags is not None:
        flat = np.concatenate([np.asarray(some, np.int32) for some in tags])
        assert len(flat) == sizes.sum()
        token_labels = np.full(len(token_ids), IGNORED_LABEL, np.int32)
        token_labels[word_tokens] = flat[words]
        labels = {
            "token_fields": {"token_labels": token_labels},
            "fills": {"token_labels": IGNORED_LABEL},
            "loss_terms": np.add.reduceat(token_labels >= 0, splits[:-1], dtype=np.int64),
        }
    return WordFeatures(
        token_ids=token_ids,
        segment_ids=np.zeros(len(token_ids), np.int8),
        splits=splits,
        words=words,
        word_tokens=word_tokens,
        **labels,
    )
