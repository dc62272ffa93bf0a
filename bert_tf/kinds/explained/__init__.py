"""What an explanation is of: a number that a model gives for a text, and the rows of tokens that it is read from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

ROWS = ("token_ids", "segment_ids", "padding_mask", "starts", "ends")


@dataclass(frozen=True, kw_only=True, eq=False)
class Explained:
    """A number that a model gives for a text, or pair, which is read as one row of tokens or several.

    Args:
        name: what the number says: a class, a label, an answer.
        rows: int32 [W, T] of `ROWS`; starts and ends are each token's place in its own text, in characters, and its
            segment is 1 in the second text.
        weights: float32, shaped as the model's logits of the rows, [W, ...]: the number is the sum of both multiplied.
            None: `merge` says what it is.
        merge: the logits of the rows of P points, float32 [P * W, C], to the number at each, [P].
        start, end: the piece of the text that it is of, in characters; None: it is of all.

    >>> rows = {name: np.zeros((1, 4), np.int32) for name in ROWS}
    >>> Explained(name="yes", rows=rows, weights=np.array([[0.0, 1.0]])).windows
    1
    """

    name: str
    rows: Mapping[str, np.ndarray]
    weights: np.ndarray | None = None
    merge: Callable[[Any], Any] | None = None
    start: int | None = None
    end: int | None = None

    @property
    def windows(self) -> int:
        """How many rows W there are."""
        return len(self.rows["token_ids"])


def arrays_of(rows: Mapping[str, Any], chosen: Any = slice(None)) -> dict[str, np.ndarray]:
    """`ROWS` of a tokenizer's tensors as arrays, of the rows that are chosen, as long as the longest of these."""
    found = {name: np.asarray(rows[name])[chosen] for name in ROWS}
    length = int(found["padding_mask"].sum(axis=1).max(initial=0))
    return {name: values[:, :length] for name, values in found.items()}
