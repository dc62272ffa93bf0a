"""What a cell of a table may hold: each function turns one cell into a value, or says what was expected.

They raise ValueError with a message that a place in a file is put before, `NoLabelError` where the cell says that there
is none. The same value is read alike however it was kept: as text in CSV, as JSON has it, or as Python, NumPy or pandas
do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

NOT_THERE = {"NAType", "NaTType", "NoneType"}  # by name, as pandas may not be installed
MISSING_WORDS = {"nan", "na", "n/a", "<na>", "null", "none", "?"}
TRUE, FALSE = "true", "false"


class NoLabelError(ValueError):
    """The cell says that its row has no label, as those of hidden tests do.

    Args:
        reason: under which such rows are counted.
    """

    def __init__(self, message: str, reason: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason


def plain(cell: Any) -> Any:
    """A cell as Python has it: NumPy's scalars and lists of one without their wrapping."""
    if isinstance(cell, (list, tuple)) and len(cell) == 1:
        return plain(cell[0])
    of_numpy: Any = cell
    if hasattr(cell, "item") and hasattr(cell, "dtype") and getattr(cell, "size", 1) == 1:
        return plain(of_numpy.item())
    return cell


def is_missing(cell: Any) -> bool:
    """None, NaN, and what pandas has for a cell that is not there."""
    return type(cell).__name__ in NOT_THERE or (isinstance(cell, float) and math.isnan(cell))


def text(cell: Any) -> str:
    """A text that is not empty, kept as it is."""
    if not isinstance(cell, str):
        raise ValueError(f"expected text. Received: {shown(cell)}{', a missing value' if is_missing(cell) else ''}")
    if not cell.strip():
        raise ValueError(f"expected text that is not empty. Received: {shown(cell)}")
    return cell if type(cell) is str and cell.isascii() else whole_text(cell)


def whole_text(cell: str) -> str:
    """A text, which may be empty. Raises: ValueError, with the place, for what UTF-8 cannot hold."""
    if not cell.isascii():
        try:
            cell.encode()
        except UnicodeEncodeError as error:
            code = ord(cell[error.start])
            byte = f", for the byte 0x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else ""
            came = f"a lone surrogate (U+{code:04X}{byte}) at character {error.start + 1} of {shown(cell)}"
            raise ValueError(f"expected text that UTF-8 can hold. Received: {came}") from None
    return str(cell) if type(cell) is not str else cell


def yes_or_no(cell: Any) -> int:
    """0 or 1, as a number, a text or a bool."""
    value = plain(cell)
    if no_label(value, ()):
        raise NoLabelError(f"expected 0 or 1. Received: {shown(cell)}, which stands for no label")
    found = as_bool(value)
    number = as_number(value) if found is None else float(found)
    if number not in (0.0, 1.0):
        soft = number is not None and 0 < number < 1
        raise ValueError(
            f"expected 0 or 1. Received: {shown(cell)}{'; shares of a label are not read' if soft else ''}"
        )
    return int(number)


def number(low: float = -math.inf, high: float = math.inf, *, decimal: str = ".") -> Callable[[Any], float]:
    """A finite number from `low` to `high`; `decimal` stands before its fraction where it is written as text."""

    def parse(cell: Any) -> float:
        bounds = "" if math.isinf(low) and math.isinf(high) else f" from {low:g} to {high:g}"
        unwrapped = plain(cell)
        if is_missing(unwrapped) or (isinstance(unwrapped, str) and not unwrapped.strip()):
            raise NoLabelError(f"expected a number{bounds}. Received: {shown(cell)}, which stands for none")
        value = as_number(_with_point(unwrapped, decimal))
        if value is None or not (math.isfinite(value) and low <= value <= high):
            raise ValueError(f"expected a number{bounds}. Received: {shown(cell)}")
        return value

    return parse


def _with_point(value: Any, decimal: str) -> Any:
    """A text with the point that Python knows; one with both, which may be thousands, is no number then."""
    if decimal == "." or not isinstance(value, str):
        return value
    return value.strip().replace(decimal, ".") if "." not in value else None


def as_bool(value: Any) -> bool | None:
    """True or False, as a bool or as JSON, Python and spreadsheets write it."""
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else ""
    return {TRUE: True, FALSE: False}.get(word)


def as_number(value: Any) -> float | None:
    """A number, or a text of digits; None for anything else, a bool too."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and "_" not in value:
        try:
            return float(value)
        except ValueError:
            return None
    return float(value) if type(value).__name__ == "Decimal" else None


def no_label(value: Any, classes: Any) -> bool:
    """Whether a cell stands for no label: it is missing or empty, -1 or -, where no class is called so."""
    if is_missing(value):
        return True
    word = value.strip() if isinstance(value, str) else ""
    if word in classes or str(value) in classes:
        return False
    if isinstance(value, str) and (not word or word == "-" or word.lower() in MISSING_WORDS):
        return True
    return as_number(value) == -1.0 and not any(as_number(name) == -1.0 for name in classes)


def shown(value: Any, limit: int = 80) -> str:
    """`value` as it stands in an error, cut where it is long."""
    line = repr(value)
    return line if len(line) <= limit else f"{line[:limit]}..."
