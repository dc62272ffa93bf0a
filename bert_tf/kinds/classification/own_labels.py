"""What the labels of somebody's own rows are: one of several classes, any number of labels, or numbers."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bert_tf.data.rows.cells import MISSING_WORDS, as_bool, as_number, shown
from bert_tf.errors import UserError
from bert_tf.kinds.own_data import Column
from bert_tf.kinds.own_data.columns import as_list, is_empty, name_of

CLASSES, NUMBERS, SEVERAL = "classes", "numbers", "several"
NO_CLASS = MISSING_WORDS - {"none"} | {"-"}  # "none" may well be a class
FEW_NUMBERS = 20  # different whole numbers that are classes rather than amounts
ROWS_OF_NUMBER = 5  # on average, from which on more whole numbers without a gap are classes
SEPARATORS = ("|", ";", ",")
OFTEN = 0.7  # of the parts of cells, those in two different cells at least, for a separator to be one
LIKE_AN_ID = 0.9
FEW_ROWS = 10
MAJORITY = 0.4  # the share of a class from which on always to answer it looks good


@dataclass
class Labels:
    """What the labels are.

    Args:
        what: "classes", "numbers" or "several".
        classes: names, in order; none of numbers.
        counts: class -> how many training rows have it.
        separator: what stands between several labels of a cell.
        decimal: what stands before a number's fraction.
        line: what was found, in words.
        why: why it is not another of the three, where that can be said.
    """

    what: str
    classes: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    separator: str | None = None
    decimal: str = "."
    why: str = ""


def labels_of(
    column: Column,
    *,
    asked: str | None = None,
    classes: Sequence[str] | None = None,
    separator: str | None = None,
    decimal: str | None = None,
) -> Labels:
    """The labels of a column's cells.

    Args:
        asked: what they are, if somebody said so.
        classes, separator, decimal: the same of these.
    Raises: UserError for labels that nothing can be learned from, or that are not what was said.
    """
    if classes is None and asked != SEVERAL:
        column = Column(column.name, [cell for cell in column.there if name_of(cell).casefold() not in NO_CLASS])
    if not column.there:
        raise UserError(f"--label={column.name}: expected labels. Received: none in any row")
    if asked == NUMBERS or (asked is None and classes is None and separator is None):
        comma = decimal == "," or (decimal is None and column.has_decimal_commas)
        numbers = _numbers(column, comma)
        if asked == NUMBERS and numbers is None:
            bad = next(value for value in column.there if _number(value, comma) is None)
            raise UserError(f"--label={column.name}: expected numbers. Received: {shown(bad)}")
        if numbers is not None and (why := "as was said" if asked else _why_amounts(numbers)):
            return Labels(NUMBERS, decimal="," if comma else ".", why=why)
    if asked == SEVERAL or separator is not None or (asked is None and column.is_lists):
        return _several(column, separator or (None if column.is_lists else _separator(column)), classes)
    if asked is None and classes is None and (found := _separator(column)) is not None:
        return _several(column, found, classes)
    return _classes(column, classes)


def of_columns(columns: Sequence[Column]) -> Labels:
    """A column of 0 and 1 a label. Raises: UserError for another cell."""
    for column in columns:
        for cell in column.there:
            number = float(found) if (found := as_bool(cell)) is not None else as_number(cell)
            if number not in (0.0, 1.0):
                raise UserError(
                    f"--label={column.name}: of several label columns each must hold 0 or 1. Received: {shown(cell)}"
                )
    counts = {column.name: sum(name_of(cell) in ("1", "true", "True", "TRUE") for cell in column.there)
              for column in columns}  # fmt: skip
    return Labels(SEVERAL, tuple(column.name for column in columns), counts, why="a column of 0 and 1 for each")


def in_order(names: Sequence[str]) -> tuple[str, ...]:
    """Names of classes in a fixed order: numbers by size, others by letters, and by the numbers in them.

    >>> in_order(["class 10", "class 9"]), in_order(["10", "9"]), in_order(["true", "false"])
    (('class 9', 'class 10'), ('9', '10'), ('false', 'true'))
    """
    if all(as_number(name) is not None for name in names):
        return tuple(sorted(names, key=lambda name: (float(as_number(name) or 0), name)))

    def key(name: str) -> list[tuple[int, int | str]]:
        parts = re.split(r"(\d+)", name.casefold())
        return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts]

    return tuple(sorted(names, key=lambda name: (key(name), name)))


def doubts(labels: Labels, rows: int) -> list[str]:
    """What is doubtful about classes: few examples, others of almost the same name, one that has most rows."""
    found = []
    rare = [name for name in labels.classes if labels.counts.get(name, 0) == 1]
    if rare:
        found.append(f"one example only of {_some(rare)}: it is trained on, and no score says whether it was learned")
    absent = [name for name in labels.classes if not labels.counts.get(name)]
    if absent:
        found.append(f"no training row of {_some(absent)}")
    alike: dict[str, list[str]] = defaultdict(list)
    for name in labels.classes:
        alike[" ".join(unicodedata.normalize("NFKC", name).casefold().split())].append(name)
    for names in alike.values():
        if len(names) > 1:
            listed = " and ".join(f"{name!r} ({labels.counts.get(name, 0):,} rows)" for name in names)
            found.append(f"the classes {listed} differ in case, spaces or the form of letters only")
    if is_uneven(labels):
        (name, most), (rarest, least) = (
            choose(labels.counts.items(), key=lambda item: item[1]) for choose in (max, min)
        )
        how = f"the classes are uneven: {most:,} rows are {name!r}, {least:,} {rarest!r}"
        if most >= MAJORITY * rows:
            how = f"{100 * most / rows:.0f} % of the rows are {name!r}: to answer so every time has that accuracy"
        found.append(
            f"{how}; f1_macro counts every class alike, and --set training.class_weights=balanced weighs them so"
        )
    return found


def is_uneven(labels: Labels) -> bool:
    """Whether accuracy says little: one class has three times the rows of another, and more than its share."""
    counts = [count for count in labels.counts.values() if count]
    if labels.what != CLASSES or len(counts) < 2:
        return False
    return max(counts) >= 3 * min(counts) and max(counts) > 1.2 * sum(counts) / len(counts)


def _classes(column: Column, given: Sequence[str] | None) -> Labels:
    counts = column.counts
    if given is None and len(counts) == 1:
        raise UserError(
            f"--label={column.name}: expected two classes or more. Received: {next(iter(counts))!r} in every row"
        )
    rows = counts.total()
    if given is None and (len(counts) == rows or (len(counts) > 2 and len(counts) > LIKE_AN_ID * rows)):
        what = (
            "is it a name or number of each row, or --labels=numbers?" if rows > FEW_ROWS else "give more rows of each"
        )
        raise UserError(
            f"--label={column.name}: expected classes, with several rows each. Received: {len(counts):,} different "
            f"labels in {rows:,} rows, such as {_some(list(counts))}: {what}"
        )
    if given is not None:
        unknown = [name for name in counts if name not in given and not _is_index(name, given)]
        if unknown:
            raise UserError(
                f"--classes: expected every class of the column {column.name!r}. Received: {', '.join(given)}, without "
                f"{_some(unknown)}"
            )
        named = Counter(given[int(name)] if name not in given else name for name in counts.elements())
        return Labels(CLASSES, tuple(given), named)
    return Labels(CLASSES, in_order(list(counts)), counts)


def _is_index(name: str, classes: Sequence[str]) -> bool:
    is_whole = name.isdecimal() and int(name) < len(classes)
    return is_whole and all(as_number(other) is None for other in classes)


def _several(column: Column, separator: str | None, given: Sequence[str] | None) -> Labels:
    counts: Counter[str] = Counter()
    for cell in column.there:
        parts = listed if (listed := as_list(cell)) is not None else str(cell).split(separator or ",")
        counts.update({name_of(part) for part in parts if not is_empty(part)})
    unknown = [name for name in counts if given is not None and name not in given]
    if unknown:
        raise UserError(f"--classes: expected every label of the column {column.name!r}. Received: {_some(unknown)}")
    if not counts:
        raise UserError(f"--label={column.name}: expected labels. Received: none in any row")
    why = "lists" if column.is_lists else f"{separator or ','!r} stands between them"
    return Labels(SEVERAL, tuple(given or in_order(list(counts))), counts, separator=separator or ",", why=why)


def _separator(column: Column) -> str | None:
    """What plainly stands between several labels: its parts occur again and again, in other company."""
    cells = [str(cell) for cell in column.counts if isinstance(cell, str)]
    for separator in SEPARATORS:
        if sum(separator in cell for cell in cells) < 2:
            continue
        held: Counter[str] = Counter()
        of_several: set[str] = set()
        for cell in cells:
            parts = {part.strip() for part in cell.split(separator)} - {""}
            held.update(parts)
            of_several |= parts if len(parts) > 1 else set()
        again = sum(held[part] > 1 for part in of_several)
        if of_several and again >= OFTEN * len(of_several) and len(held) <= len(cells):
            return separator
    return None


def _numbers(column: Column, comma: bool) -> list[float] | None:
    found = [_number(value, comma) for value in column.there]
    return None if None in found else [number for number in found if number is not None]


def _number(value: Any, comma: bool) -> float | None:
    if comma and isinstance(value, str):
        return as_number(value.strip().replace(",", "."))
    return as_number(value)


def _why_amounts(numbers: Sequence[float]) -> str:
    """Why numbers are no classes; empty where they may be."""
    different = set(numbers)
    if any(not number.is_integer() for number in different):
        return "they have fractions"
    if len(different) <= FEW_NUMBERS:
        return "" if len(different) <= len(numbers) / 2 or len(numbers) <= 2 else "almost every row has another"
    first, last = min(different), max(different)
    if first in (0, 1) and len(different) == last - first + 1 and len(numbers) >= ROWS_OF_NUMBER * len(different):
        return ""
    return f"there are {len(different):,} different ones"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
    return f"{', '.join(shown(name, 40) for name in names[:5])}{more}"
