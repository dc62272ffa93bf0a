"""The examples of pre-training: pairs of segments as in google-research/bert, or of ALBERT, or single segments."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np

from bert_tf.data.corpora.randomness import Draws
from bert_tf.data.corpora.store import TokenStore

PAIRS = ("next_sentence", "sentence_order", "none")
PIECE_TOKENS = 1 << 15


@dataclass(frozen=True)
class PairSettings:
    """How examples are cut out of documents.

    Args:
        pair: "next_sentence": the second segment follows the first, or comes from another document, half and half;
            "sentence_order": it follows, and half of the pairs are swapped; "none": an example is one segment.
        sequence_length: most tokens of an example, special ones included.
        short_share: share of examples that are to be shorter, of any length down to 2 tokens, in [0, 1].
    """

    pair: str = "next_sentence"
    sequence_length: int = 128
    short_share: float = 0.1

    def __post_init__(self) -> None:
        if self.pair not in PAIRS:
            raise ValueError(f"`pair` must be one of {', '.join(PAIRS)}. Received: pair={self.pair!r}")
        if self.room < 2:
            raise ValueError(f"`sequence_length` must be 5 or more. Received: sequence_length={self.sequence_length}")

    @property
    def room(self) -> int:
        """Most tokens of an example that are not special."""
        return self.sequence_length - self.special_tokens

    @property
    def special_tokens(self) -> int:
        return 2 if self.pair == "none" else 3


@dataclass(frozen=True, eq=False)
class Segments:
    """E examples, as places in a flat array of tokens.

    Args:
        token_ids: integers [N], the array; it may be mapped from disk.
        first, second: int64 [E, 2] each, start and end of the segments; a second one that is empty is none.
        labels: int8 [E], 1 where the second segment is a random one, or was swapped with the first.
        source_tokens: how many tokens of the corpus the examples were cut from.
    """

    token_ids: np.ndarray
    first: np.ndarray
    second: np.ndarray
    labels: np.ndarray
    source_tokens: int

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def lengths(self) -> np.ndarray:
        """int64 [E]: tokens of each example, special ones included."""
        first, second = self.first[:, 1] - self.first[:, 0], self.second[:, 1] - self.second[:, 0]
        return first + second + 2 + (second > 0)


@dataclass(frozen=True, eq=False)
class Pieces:
    """Where examples are cut: whole documents, or parts of long ones.

    Args:
        sentences: int64 [P, 2], first and last + 1.
        document: int64 [P], the place of the piece's document in `documents`.
        documents: int64 [D, 2], the documents that take part, first sentence and last + 1. Of a corpus of one document
            these are its pieces, two at least where it has two sentences, so that there are others to be drawn.
        tokens: int64 [P], in each piece.
    """

    sentences: np.ndarray
    document: np.ndarray
    documents: np.ndarray
    tokens: np.ndarray


def cut_pieces(store: TokenStore, documents: np.ndarray, *, piece_tokens: int = PIECE_TOKENS) -> Pieces:
    """Documents of more than `piece_tokens` tokens are cut, between sentences, into pieces of about that size."""
    starts, ends = store.document_starts[documents], store.document_starts[documents + 1]
    if len(documents) == 1:
        tokens = int(store.sentence_starts[ends[0]] - store.sentence_starts[starts[0]])
        piece_tokens = min(piece_tokens, -(-tokens // 2))
    sizes = store.sentence_starts[ends] - store.sentence_starts[starts]
    counts = np.maximum(1, -(-sizes // piece_tokens))
    owner = np.repeat(np.arange(len(documents)), counts)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    # Piece i of n begins at the first sentence that starts at or after i / n of the document's tokens.
    wanted = store.sentence_starts[starts[owner]] + number * sizes[owner] // counts[owner]
    first = np.searchsorted(store.sentence_starts, wanted)
    last = np.append(first[1:], ends[-1])
    is_last = np.append(owner[1:] != owner[:-1], True)
    last = np.where(is_last, ends[owner], last)
    kept = last > first  # one sentence may be longer than a piece
    sentences = np.stack([first, last], axis=1)[kept]
    tokens = store.sentence_starts[sentences[:, 1]] - store.sentence_starts[sentences[:, 0]]
    sentences, owner = sentences.astype(np.int64), owner[kept]
    bounds = np.stack([starts, ends], axis=1).astype(np.int64)
    if len(documents) == 1:
        bounds, owner = sentences, np.arange(len(sentences))
    return Pieces(sentences, owner, bounds, np.asarray(tokens, np.int64))


def make_segments(store: TokenStore, pieces: Pieces, chosen: np.ndarray, settings: PairSettings, *key: int) -> Segments:
    """The examples of some pieces, in their order: a pure function of its arguments, random by `key`.

    No segment crosses a document's end. A random second segment comes from another document. A pair that is too long
    loses tokens of the longer segment, at its front or its back; so does a single segment's rest not get lost: the next
    example begins where it ends.
    """
    draws = Draws(*key)
    rows: list[tuple[int, int, int, int, int]] = []
    for number in chosen.tolist():
        first, last = pieces.sentences[number].tolist()
        edges = store.sentence_starts[first : last + 1].tolist()
        if settings.pair == "none":
            _single(rows, edges[0], edges[-1], settings, draws)
        elif settings.pair == "sentence_order":
            _ordered(rows, edges, settings, draws)
        else:
            _next(rows, edges, settings, draws, store, pieces, int(pieces.document[number]))
    table = np.array(rows, np.int64).reshape(-1, 5)
    return Segments(
        token_ids=store.token_ids,
        first=table[:, 0:2],
        second=table[:, 2:4],
        labels=table[:, 4].astype(np.int8),
        source_tokens=int(pieces.tokens[chosen].sum()),
    )


def _target(settings: PairSettings, draws: Draws) -> int:
    """How long the next example should be."""
    if draws.share() >= settings.short_share:
        return settings.room
    return 2 + draws.below(settings.room - 1)


def _single(rows: list, start: int, end: int, settings: PairSettings, draws: Draws) -> None:
    start += min(draws.below(settings.room), (end - start) // 2)  # other cuts in each epoch
    while start < end:
        stop = min(start + _target(settings, draws), end)
        rows.append((start, stop, stop, stop, 0))
        start = stop


def _ordered(rows: list, edges: list[int], settings: PairSettings, draws: Draws) -> None:
    i, last = 0, len(edges) - 1
    while i < last:
        target = _target(settings, draws)
        j = min(max(bisect_left(edges, edges[i] + target), i + 2), last)
        if j - i > 1:
            middle = edges[i + 1 + draws.below(j - i - 1)]
        else:  # one sentence is left
            middle = (edges[i] + edges[j]) // 2
        first, second = _truncated(edges[i], middle, middle, edges[j], settings.room, draws)
        i = j
        if not first[0] < first[1] or not second[0] < second[1]:
            continue  # one token is no pair
        swapped = draws.below(2)
        rows.append((*second, *first, 1) if swapped else (*first, *second, 0))


def _next(
    rows: list, edges: list[int], settings: PairSettings, draws: Draws, store: TokenStore, pieces: Pieces, own: int
) -> None:
    i, last = 0, len(edges) - 1
    documents = len(pieces.documents)
    while i < last:
        target = _target(settings, draws)
        j = min(max(bisect_left(edges, edges[i] + target), i + 1), last)
        sentences = 1 if j - i == 1 else 1 + draws.below(j - i - 1)
        middle = edges[i + sentences]
        is_random = j - i == 1 or draws.below(2) == 1
        if is_random:
            other = draws.below(documents - 1)
            first, end = pieces.documents[other + (other >= own)].tolist()
            at = first + draws.below(end - first)
            start = int(store.sentence_starts[at])
            wanted = target - (middle - edges[i])
            # Only so many sentences can be needed, each of at least one token.
            ends = store.sentence_starts[at + 1 : min(end, at + max(wanted, 1)) + 1]
            stop = int(ends[min(int(np.searchsorted(ends, start + wanted)), len(ends) - 1)])
            pair = _truncated(edges[i], middle, start, stop, settings.room, draws)
            i += sentences  # the rest of the chunk is still to be used
        else:
            pair = _truncated(edges[i], middle, middle, edges[j], settings.room, draws)
            i = j
        rows.append((*pair[0], *pair[1], int(is_random)))


def _truncated(
    start: int, middle: int, other: int, end: int, room: int, draws: Draws
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Two segments cut to `room` tokens together: each token is taken off the longer one, at a random end of it."""
    a, b = middle - start, end - other
    if a + b <= room:
        return (start, middle), (other, end)
    half = room // 2
    if a > room - half and b > half:
        kept_a, kept_b = room - half, half
    elif a > b:
        kept_a, kept_b = room - b, b
    else:
        kept_a, kept_b = a, room - a
    front_a, front_b = draws.heads(a - kept_a), draws.heads(b - kept_b)
    return (start + front_a, start + front_a + kept_a), (other + front_b, other + front_b + kept_b)
