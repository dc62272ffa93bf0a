"""Rows that were read and checked, and where each came from."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from bert_tf.data.rows.bad_rows import SHARE, BadRows
from bert_tf.data.rows.cells import NoLabelError, shown
from bert_tf.data.rows.column import new_column, new_numbers, settled, taken
from bert_tf.data.rows.quiet import is_quiet
from bert_tf.errors import UserError, did_you_mean

NO_LABEL = "there is no label"

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
        reasons: how many of them for each reason.

    >>> table = Table(columns={"text": ["good", "bad"]}, origin="films.csv", numbers=[2, 3], has_lines=True)
    >>> table.columns["text"][0], table.numbers[0]
    ('good', 2)
    """

    columns: Mapping[str, Sequence[Any]]
    origin: str
    numbers: Sequence[int]
    has_lines: bool
    skipped: int = 0
    reasons: Mapping[str, int] = dataclasses.field(default_factory=dict)

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
    bad_rows_share: float = SHARE,
    adapt: Callable[[Iterable[Any], str], Iterable[Any]] | None = None,
) -> Table:
    """Makes a table of rows, each with its number.

    Args:
        parsers: for every column asked for, what turns a cell into a value or raises ValueError. What else it has to
            say is asked of its method `remarks`, if it has one.
        optional: columns that may be missing; they are where the first row that could be read lacks them, and where
            every cell says that there is no label.
        skip_bad_rows: leave bad rows out, count them, and log how many and why.
        bad_rows_share: of all rows, the most that may be left out.
        adapt: makes other numbered rows of the rows and `origin`, where cells cannot be understood one by one.
    Raises: UserError at the first bad row, where no good row is left, or where more than the share are bad.
    """
    rows = rows if adapt is None else adapt(rows, origin)
    columns: dict[str, Any] | None = None
    numbers = new_numbers()
    bad = BadRows(origin, may_skip=skip_bad_rows, share=bad_rows_share)
    without: dict[str, dict[int, str]] = {}  # optional column -> index in `numbers` -> why it has no label there
    for number, row in rows:
        try:
            if isinstance(row, BadRow):
                raise ValueError(row.reason)
            if columns is None:
                columns = {name: [] for name in parsers if name in row or name not in optional}
            values = []
            for name in columns:
                try:
                    values.append(_value(name, row, parsers[name]))
                except NoLabelError as error:
                    if name not in optional:
                        raise
                    without.setdefault(name, {})[len(numbers)] = str(error)
                    values.append(None)
        except ValueError as error:
            at = error.line if isinstance(error, LineError) else number
            bad.add(f"{place(origin, at, has_lines)}: {error}", getattr(error, "reason", None))
            for reasons in without.values():
                reasons.pop(len(numbers), None)
            continue
        if not numbers:
            columns = {name: new_column(value) for name, value in zip(columns, values, strict=True)}
        for kept, value in zip(columns.values(), values, strict=True):
            kept.append(value)
        numbers.append(number)
    columns = {name: settled(values) for name, values in (columns or {}).items()}
    columns, numbers = _without_unlabelled(columns, numbers, without, bad, has_lines)
    if not numbers and not bad:
        raise UserError(f"{origin}: expected one row of data at least. Received: none")
    bad.check(len(numbers))
    for name in columns:
        for remark in [] if is_quiet() else getattr(parsers[name], "remarks", list)():
            logger.warning("%s: column %r: %s", origin, name, remark)
    return Table(
        columns=columns,
        origin=origin,
        numbers=numbers,
        has_lines=has_lines,
        skipped=len(bad),
        reasons=dict(bad.reasons),
    )


def _without_unlabelled(
    columns: dict[str, Any],
    numbers: Any,
    without: Mapping[str, Mapping[int, str]],
    bad: BadRows,
    has_lines: bool,
) -> tuple[dict[str, Any], Any]:
    """Takes out columns that have no label in any row, and then rows that have none in some column."""
    for name in [name for name, reasons in without.items() if len(reasons) == len(numbers)]:
        logger.warning("%s: column %r: no row has a label, so it is read as if it were not there", bad.origin, name)
        del columns[name]
    rows = sorted({row for name, reasons in without.items() if name in columns for row in reasons})
    for row in rows:
        reason = next(reasons[row] for name, reasons in without.items() if name in columns and row in reasons)
        bad.add(f"{place(bad.origin, numbers[row], has_lines)}: {reason}", NO_LABEL)
    if not rows:
        return columns, numbers
    gone = set(rows)
    kept = [row for row in range(len(numbers)) if row not in gone]
    return {name: taken(values, kept) for name, values in columns.items()}, taken(numbers, kept)


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
    except NoLabelError as error:
        raise NoLabelError(f"column {name!r}: {error}", f"column {name!r}: {NO_LABEL}") from None
    except ValueError as error:
        raise ValueError(f"column {name!r}: {error}") from None
