"""The examples of an epoch in portions: random parts of the corpus that fit in memory."""

from __future__ import annotations

import abc
from functools import lru_cache, partial
from typing import Any

import numpy as np

from bert_tf.data.batching.plan import permutation
from bert_tf.data.corpora.pairs import PairSettings, Pieces, Segments, cut_pieces, make_segments
from bert_tf.data.corpora.store import TokenStore
from bert_tf.errors import UserError

PORTION_TOKENS = 1 << 22
SAMPLE_TOKENS = 1 << 25
DRAWS = 0  # sets what is drawn here apart from `plans`


class Portions(abc.ABC):
    """The examples of every epoch, in portions that fit in memory."""

    settings: PairSettings
    bad_rows: int = 0

    @abc.abstractmethod
    def source_tokens(self, epoch: int) -> np.ndarray:
        """int64 [B]: tokens of the corpus that each portion of an epoch was cut from."""

    @abc.abstractmethod
    def segments(self, epoch: int, portion: int) -> Segments:
        """The examples of a portion."""

    @abc.abstractmethod
    def text(self) -> tuple[np.ndarray, np.ndarray]:
        """A large sample of the corpus: its token ids, int64 [N], and bool [N], where sentences or segments begin."""


class StorePortions(Portions):
    """Portions cut out of a store. In each epoch the pieces of documents come in another order, and are cut elsewhere.

    Args:
        store: the corpus.
        documents: int64 [D], those of the store that take part.
        settings: how examples are cut.
        seed: of all of it.
    Raises: UserError where pairs with random segments are asked of a single sentence.
    """

    def __init__(
        self,
        store: TokenStore,
        documents: np.ndarray,
        settings: PairSettings,
        *,
        seed: int,
        portion_tokens: int = PORTION_TOKENS,
    ) -> None:
        self.store, self.settings, self.seed = store, settings, seed
        self.pieces: Pieces = cut_pieces(store, documents)
        if settings.pair == "next_sentence" and len(self.pieces.documents) < 2:
            raise UserError(
                "pretraining.pair=next_sentence needs two documents, or two sentences of one, for random second "
                f"segments. Received: {len(documents)} documents, {len(self.pieces.tokens)} sentences"
            )
        self.bad_rows = store.bad_rows
        self.count = max(1, round(int(self.pieces.tokens.sum()) / portion_tokens))
        self._bounds = lru_cache(maxsize=4)(self._bounds_of)
        self._arguments = (store, documents, settings), {"seed": seed, "portion_tokens": portion_tokens}

    def __reduce__(self) -> tuple[Any, ...]:
        arguments, named = self._arguments
        return partial(StorePortions, **named), arguments

    def _bounds_of(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """The pieces in the epoch's order, and where it is cut into portions of about as many tokens."""
        order = permutation(len(self.pieces.tokens), self.seed, epoch, DRAWS)
        ends = np.cumsum(self.pieces.tokens[order])
        cuts = np.searchsorted(ends, ends[-1] * np.arange(1, self.count) / self.count)
        return order, np.concatenate([[0], cuts, [len(order)]])

    def source_tokens(self, epoch: int) -> np.ndarray:
        order, bounds = self._bounds(epoch)
        sums = np.concatenate([[0], np.cumsum(self.pieces.tokens[order])])
        return np.diff(sums[bounds])

    def segments(self, epoch: int, portion: int) -> Segments:
        order, bounds = self._bounds(epoch)
        chosen = order[bounds[portion] : bounds[portion + 1]]
        return make_segments(self.store, self.pieces, chosen, self.settings, self.seed, epoch, DRAWS, portion)

    def text(self) -> tuple[np.ndarray, np.ndarray]:
        sums = np.cumsum(self.pieces.tokens)
        few = max(1, int(np.searchsorted(sums, SAMPLE_TOKENS)))
        order = permutation(len(sums), 0) if sums[-1] > SAMPLE_TOKENS else np.arange(len(sums))
        ids, begins = [], []
        for first, last in self.pieces.sentences[order[:few] if sums[-1] > SAMPLE_TOKENS else order].tolist():
            edges = self.store.sentence_starts[first : last + 1]
            ids.append(self.store.token_ids[edges[0] : edges[-1]].astype(np.int64))
            begins.append(np.zeros(len(ids[-1]), bool))
            begins[-1][edges[:-1] - edges[0]] = True
        return np.concatenate(ids), np.concatenate(begins)
