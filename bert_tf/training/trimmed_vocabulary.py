"""Training only the token vectors that the data can reach.

A row of the token table whose token never occurs has no gradient, hence no moments, and AdamW only decays it. So the
rows in use are trained in a smaller table, and the others are given their decay when the model is saved: the same
weights, with less memory, smaller updates and less to sum over replicas. MiniLM on SST-2 keeps 45 % of its table.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np

from bert_tf.data.batching.blocks import blocks
from bert_tf.data.batching.features import Features


@dataclasses.dataclass(frozen=True, eq=False)
class TrimmedVocabulary:
    """Which tokens are kept, and under which number.

    Args:
        kept: int [K], ids of the tokens that stay, rising; token `kept[k]` is row k of the trimmed table.
        size: number V of tokens of the whole vocabulary.
    """

    kept: np.ndarray
    size: int

    @classmethod
    def of(cls, size: int, *used: Features, always: Iterable[int] = (0,)) -> TrimmedVocabulary:
        """Keeps what occurs in `used`, and the ids of `always` (padding, which fills batches, is 0 in them)."""
        seen = np.zeros(size, bool)
        seen[list(always)] = True
        for features in used:
            for block in blocks(features.token_ids):
                seen[block] = True
        return cls(np.flatnonzero(seen), size)

    def features(self, features: Features) -> Features:
        """The same examples with the trimmed table's numbers; a file that is mapped into memory keeps its own, which
        each batch then gives up for these."""
        number = np.zeros(self.size, np.int32)
        number[self.kept] = np.arange(len(self.kept), dtype=np.int32)
        if isinstance(features.token_ids, np.memmap):
            return dataclasses.replace(features, token_numbers=number)
        return dataclasses.replace(features, token_ids=number[features.token_ids])

    def trim(self, table: np.ndarray) -> np.ndarray:
        """[V, D] -> [K, D]"""
        return table[self.kept]

    def restore(self, trained: np.ndarray, original: np.ndarray, *, decay: float) -> np.ndarray:
        """[K, D] and the table before training [V, D] -> [V, D]; `decay` is the factor on rows that were left out."""
        table = original * np.float32(decay)
        table[self.kept] = trained
        return table
