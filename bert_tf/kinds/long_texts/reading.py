"""How long texts are read: Python values only."""

from __future__ import annotations

from typing import NamedTuple


class Reading(NamedTuple):
    """Rows, and how those of one text overlap.

    Args:
        max_length: most tokens of a row, special ones included.
        overlap: share of a window that it has in common with the one before, in [0, 0.5].
        max_windows: most windows of a text; what is behind them is not read.

    >>> Reading(128, 0.125, 16).overlap_tokens(1), Reading(128, 0.125, 16).overlap_tokens(2)
    (15, 7)
    """

    max_length: int
    overlap: float
    max_windows: int

    def room(self, columns: int) -> int:
        """Tokens of a row's one or two texts together."""
        return self.max_length - 1 - columns

    def other_tokens(self, columns: int) -> int:
        """Of a pair, most tokens of the text that is in every window; 0 where there is none."""
        return self.room(columns) // 2 if columns == 2 else 0

    def overlap_tokens(self, columns: int) -> int:
        """Tokens that neighbouring windows share: the share of the smallest window that there can be."""
        return int(self.overlap * (self.room(columns) - self.other_tokens(columns)))
