"""How much of a split's texts has no room in a row, and is not read."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class Cut:
    """What was cut off K texts; of pairs, what was cut off both.

    Args:
        tokens: int [K]: all that each of them has, special tokens included.
        lost: int [K]: how many of these no row holds.

    >>> Cut(np.array([4, 9, 8]), np.array([0, 2, 0])).as_json()
    {'texts': 1, 'of': 3, 'tokens': 2, 'share_of_tokens': 0.0952, 'longest': 9}
    """

    tokens: np.ndarray
    lost: np.ndarray

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Cut):
            return NotImplemented
        return np.array_equal(self.tokens, other.tokens) and np.array_equal(self.lost, other.lost)

    __hash__ = None  # pyright: ignore[reportAssignmentType]  # of arrays, which may change

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def texts(self) -> int:
        """How many texts have lost a token or more."""
        return int(np.count_nonzero(self.lost))

    @property
    def share_of_texts(self) -> float:
        return self.texts / max(len(self), 1)

    @property
    def share_of_tokens(self) -> float:
        return int(np.sum(self.lost)) / max(int(np.sum(self.tokens)), 1)

    @property
    def longest(self) -> int:
        """Tokens of the longest text, special ones included."""
        return int(np.max(self.tokens, initial=0))

    def as_json(self) -> dict[str, Any]:
        """`texts` cut, `of` so many; `tokens` lost, and which share that is of all; and `longest`."""
        return {
            "texts": self.texts,
            "of": len(self),
            "tokens": int(np.sum(self.lost)),
            "share_of_tokens": round(self.share_of_tokens, 4),
            "longest": self.longest,
        }
