"""Rows that were read and checked, and where each came from."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from bert_tf.data.cells import shown
from bert_tf.errors import UserError, did_you_mean

REASONS_KEPT = 3

Parsers = Mapping[str, Callable[[Any], Any]]

logger = logging.getLogger(__name__)


class LineError(ValueError):
    """A row that takes several lines is wrong in this one of them."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclasses.dataclass(frozen=True)
class BadRow:
    """Stands for a row that could not be read: `reason` says what was expected and what came."""

    reason: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Table:
    """Checked columns of one split.

    Args:
        columns: the values of each column asked for, all equally many.
        origin: the file, or what else the rows came from.
        numbers: for each row its line in the file, from 1, or its index, from 0, where there are no lines.
        has_lines: whether `numbers` are lines.
        skipped: how many bad rows were left out.
        reasons: the first few of their reasons, with their places.
    """

    columns: Mapping[str, Sequence[Any]]
    origin: str
    numbers: Sequence[int]
    has_lines: bool
    skipped: int = 0
    reasons: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.numbers)

    def place(self, row: int) -> str:
        """Where a row came from: "train.tsv:17" or "train[16]"."""
        return place(self.origin, self.numbers[row], self.has_lines)


def place(origin: str, number: int, has_lines: bool) -> str:
    return f"{origin}:{number}" if has_lines else f"{origin}[{number}]"


def collect(
    rows: Iterable[tuple[int, Mapping[str, Any] | BadRow]],
    parsers: Parsers,
    *,
    origin: str,
    has_lines: bool = True,
    optional: Collection[str] = (),
    skip_bad_rows: bool = False,
    adapt: Callable[[Iterable[Any], str], Iterable[Any]] | None = None,
) -> Table:
    """Makes a table of rows, each with its number.

    Args:
        parsers: for every column asked for, what turns a cell into a value or raises ValueError.
        optional: columns that may be missing; they are where the first row that could be read lacks them.
        skip_bad_rows: leave bad rows out, count them, and log how many and why.
        adapt: makes other numbered rows of the rows and `origin`, where cells cannot be understood one by one.
    Raises: UserError at the first bad row, or where no good row is left.
    """
    rows = rows if adapt is None else adapt(rows, origin)
    columns: dict[str, list[Any]] | None = None
    numbers: list[int] = []
    skipped, reasons = 0, []
    for number, row in rows:
        try:
            if isinstance(row, BadRow):
                raise ValueError(row.reason)
            if columns is None:
                columns = {name: [] for name in parsers if name in row or name not in optional}
            values = [_value(name, row, parsers[name]) for name in columns]
        except ValueError as error:
            at = error.line if isinstance(error, LineError) else number
            message = f"{place(origin, at, has_lines)}: {error}"
            if not skip_bad_rows:
                raise UserError(message) from None
            skipped += 1
            reasons += [message] if len(reasons) < REASONS_KEPT else []
            continue
        for name, value in zip(columns, values, strict=True):
            columns[name].append(value)
        numbers.append(number)
    if not numbers:
        came = f"{skipped} bad rows, the first: {reasons[0]}" if skipped else "none"
        raise UserError(f"{origin}: expected one row of data at least. Received: {came}")
    if skipped:
        logger.warning("%s: skipped %d bad rows of %d: %s", origin, skipped, skipped + len(numbers), "; ".join(reasons))
    return Table(
        columns=columns or {},
        origin=origin,
        numbers=numbers,
        has_lines=has_lines,
        skipped=skipped,
        reasons=tuple(reasons),
    )


def check_names(names: Sequence[str], parsers: Parsers, optional: Collection[str], where: str) -> None:
    """Raises UserError if a column that is asked for is not among the names that the data has."""
    for name in parsers:
        if name not in names and name not in optional:
            raise UserError(
                f"{where}: expected the column{'s' * (len(parsers) > 1)} {', '.join(parsers)}. "
                f"Received: {shown(list(names), 200)} without {name!r}.{did_you_mean(name, names)}"
            )


def _value(name: str, row: Mapping[str, Any], parse: Callable[[Any], Any]) -> Any:
    if name not in row:
        raise ValueError(f"expected the column {name!r}. Received: {shown(list(row))}")
    try:
        return parse(row[name])
    except LineError:
        raise
    except ValueError as error:
        raise ValueError(f"column {name!r}: {error}") from None
