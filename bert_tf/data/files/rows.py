"""What readers are asked for and what they give."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bert_tf.data.rows.quiet import is_quiet
from bert_tf.data.rows.table import BadRow

Row = tuple[int, "Mapping[str, Any] | BadRow"]
"""A row's number (its line, from 1, or its index, from 0) and its cells by name."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wanted:
    """The columns that somebody will look at.

    Args:
        required: names without which the file cannot be used; a header is recognised by them.
        optional: names that the file may lack.
        aliases: for a column of ours, another name that it has where such files are published.
        reads: for columns whose cells are not just any text, what raises ValueError for a cell that cannot be; by them
            a first row of data is told from a header.
        whole: whether a JSON file's only object is a row, though it has a list of objects.
    """

    required: Sequence[str] = ()
    optional: Sequence[str] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    reads: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    whole: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.required, *self.optional)


class Notes:
    """What a reader did that its user should know: said as log lines, those that concern rows with their number."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.counts: Counter[str] = Counter()

    def say(self, message: str) -> None:
        """Says something that concerns the whole file, at once."""
        if not is_quiet():
            logger.warning("%s: %s", self.origin, message)

    def count(self, message: str, number: int = 1) -> None:
        """Counts rows for `message`, such as "empty lines left out", which `tell` says with their number."""
        self.counts[message] += number

    def tell(self) -> None:
        """Says what was counted, once all rows are read."""
        for message, number in self.counts.items():
            self.say(f"{message}: {number:,}")
        self.counts.clear()


@dataclass
class Rows:
    """The rows of a file, each read when it is asked for.

    Args:
        names: names of all rows' columns; empty where each row names its own.
        rows: each row with its number.
        notes: what is to be said of the file; complete when the rows are read.
        has_lines: whether the rows' numbers are lines.
    """

    names: Sequence[str]
    rows: Iterator[Row]
    notes: Notes
    has_lines: bool = True
