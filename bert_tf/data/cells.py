"""What a cell of a table may hold: each function turns one cell into a value, or says what was expected.

They raise ValueError with a message that a place in a file is put before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from typing import Any

from bert_tf.errors import did_you_mean

LISTED_CLASSES = 20


def text(cell: Any) -> str:
    """A text that is not empty, kept as it is."""
    if not isinstance(cell, str):
        raise ValueError(f"expected text. Received: {shown(cell)}")
    if not cell.strip():
        raise ValueError(f"expected text that is not empty. Received: {shown(cell)}")
    if not cell.isascii():
        try:
            cell.encode()
        except UnicodeEncodeError as error:
            came = f"a lone surrogate at character {error.start + 1} of {shown(cell)}"
            raise ValueError(f"expected text that UTF-8 can hold. Received: {came}") from None
    return cell


def class_index(classes: Sequence[str]) -> Callable[[Any], int]:
    """One of the classes, by its name or its index; a name wins where it looks like an index."""
    indices = {name: index for index, name in enumerate(classes)}
    indices = {**{str(index): index for index in range(len(classes))}, **indices}

    def parse(cell: Any) -> int:
        value: Any = cell.strip() if isinstance(cell, str) else cell
        value = value.item() if hasattr(value, "item") else value  # NumPy's
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value) in indices:
            return indices[str(value)]
        listed = ", ".join(classes[:LISTED_CLASSES])
        more = f" and {len(classes) - LISTED_CLASSES} more" if len(classes) > LISTED_CLASSES else ""
        near = did_you_mean(value, classes) if isinstance(value, str) else ""
        came = f"{shown(cell)}.{near}" if near else shown(cell)
        raise ValueError(f"expected one of {listed}{more}, or an index from 0 to {len(classes) - 1}. Received: {came}")

    return parse


def class_indices(classes: Sequence[str], separator: str = ",") -> Callable[[Any], tuple[int, ...]]:
    """Any number of the classes, each once: a list of names or indices, or a text with `separator` between them."""
    parse_one = class_index(classes)

    def parse(cell: Any) -> tuple[int, ...]:
        if isinstance(cell, str):
            parts: list[Any] = cell.split(separator) if cell.strip() else []
        elif isinstance(cell, Collection) or hasattr(cell, "tolist"):  # the second: NumPy's
            parts = list(cell)
        else:
            raise ValueError(f"expected a list of labels. Received: {shown(cell)}")
        found = [parse_one(part) for part in parts]
        if len(set(found)) != len(found):
            raise ValueError(f"expected each label once. Received: {shown(cell)}")
        return tuple(found)

    return parse


def yes_or_no(cell: Any) -> int:
    """0 or 1, as a number, a text or a bool."""
    value = cell.strip() if isinstance(cell, str) else cell
    if value not in ("0", "1", 0, 1):
        raise ValueError(f"expected 0 or 1. Received: {shown(cell)}")
    return int(value)


def number(low: float = -math.inf, high: float = math.inf) -> Callable[[Any], float]:
    """A finite number from `low` to `high`."""

    def parse(cell: Any) -> float:
        try:
            value = math.nan if isinstance(cell, bool) else float(cell)
        except (TypeError, ValueError):
            value = math.nan
        if not (math.isfinite(value) and low <= value <= high):
            bounds = "" if math.isinf(low) and math.isinf(high) else f" from {low:g} to {high:g}"
            raise ValueError(f"expected a number{bounds}. Received: {shown(cell)}")
        return value

    return parse


def shown(value: Any, limit: int = 80) -> str:
    """`value` as it stands in an error, cut where it is long."""
    line = repr(value)
    return line if len(line) <= limit else f"{line[:limit]}..."
