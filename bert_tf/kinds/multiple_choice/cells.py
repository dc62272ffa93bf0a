"""Rows of multiple choice: the choices, in columns or as a list in one, and which of them is right."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from bert_tf.data.rows.cells import NoLabelError, is_missing, no_label, shown, whole_text
from bert_tf.data.rows.cells import text as text_cell
from bert_tf.data.rows.labels import ClassIndex
from bert_tf.data.rows.table import BadRow

SEPARATOR = "\n"
"""What stands between the choices where a list of them is one text."""

FEWEST = 2  # choices, for there to be one
TEXT, LABEL = "text", "label"


class Choices(NamedTuple):
    """The choices of a row.

    Args:
        texts: one a choice; empty where the row has no such choice.
        names: what the row itself calls them, or none.
    """

    texts: tuple[str, ...]
    names: tuple[str, ...] = ()

    def at_least(self, count: int) -> tuple[str, ...]:
        """The texts. Raises: ValueError if fewer of them are there."""
        there = sum(bool(text.strip()) for text in self.texts)
        if there < count:
            raise ValueError(f"expected {count} choices or more. Received: {there}, in {shown(self.texts)}")
        return self.texts


class OfRow(NamedTuple):
    """A label's cell, and the choices of its row."""

    cell: Any
    choices: Choices


def listed(cell: Any) -> Choices:
    """The choices of a cell that holds them all.

    That is a list of texts; `{"text": [...], "label": [...]}`, or a list of `{"text": ..., "label": ...}`, which also
    say what each is called; any of these as JSON or Python writes it; or a text with a choice a line.

    Raises: ValueError for anything else.

    >>> listed({"text": ["the sun", "the moon"], "label": ["A", "B"]})
    Choices(texts=('the sun', 'the moon'), names=('A', 'B'))
    """
    value = _value_in(cell) if isinstance(cell, str) else cell
    value, given = _plain(value), ()
    if isinstance(value, Mapping) and TEXT in value:
        value, given = _plain(value[TEXT]), _plain(value.get(LABEL, ()))
    elif isinstance(value, (list, tuple)) and value and all(isinstance(part, Mapping) for part in value):
        value, given = [part.get(TEXT) for part in value], [part[LABEL] for part in value if LABEL in part]
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"expected a list of choices. Received: {shown(cell)}")
    names = tuple(map(str, given))
    if names and (len(names) != len(value) or len(set(names)) < len(names)):
        raise ValueError(f"expected a label of its own for each choice, or for none. Received: {shown(cell)}")
    texts = ["" if is_missing(part) else part for part in value]
    if not all(isinstance(part, str) for part in texts):
        raise ValueError(f"expected choices that are texts. Received: {shown(cell)}")
    return Choices(tuple(whole_text(part).replace(SEPARATOR, " ") for part in texts), names)


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value  # NumPy's


def _value_in(cell: str) -> Any:
    """What a text stands for: a list that JSON or Python wrote, or lines."""
    if cell.strip()[:1] in ("[", "{", "("):
        for read in (json.loads, ast.literal_eval):
            try:
                return read(cell)
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                continue
    return cell.split(SEPARATOR) if SEPARATOR in cell else cell


class ChoiceLabel:
    """Turns the cell of a label, `OfRow`, into the index of the choice.

    Args:
        names: what stands for the choices, in their order, where the row does not say; None: their indices, from 0.
        by_text: the text of the right choice stands there.
    Raises: as `ClassIndex`, and ValueError for a choice that the row does not have.
    """

    def __init__(self, names: Sequence[str] | None, *, by_text: bool = False) -> None:
        self.names, self.by_text = None if names is None else tuple(names), by_text
        self._readers: dict[tuple[str, ...], ClassIndex] = {}

    def __call__(self, cell: Any) -> int:
        if self.by_text:
            return _of_text(cell)
        if not isinstance(cell, OfRow):  # whoever looks for a header asks about a cell alone
            return cell if self.names is None else self._reader(self.names)(cell)
        texts = cell.choices.texts
        usual = tuple(map(str, range(len(texts)))) if self.names is None else self.names[: len(texts)]
        index = self._reader(cell.choices.names or usual)(cell.cell)
        if not texts[index].strip():
            raise ValueError(f"expected a choice that the row has. Received: {shown(cell.cell)}, which is empty")
        return index

    def remarks(self) -> list[str]:
        """What should be said of the cells read so far."""
        return [remark for reader in self._readers.values() for remark in reader.remarks()]

    def _reader(self, names: tuple[str, ...]) -> ClassIndex:
        if names not in self._readers:
            self._readers[names] = ClassIndex(names)
        return self._readers[names]


def _of_text(found: Any) -> int:
    """The index of the choice whose text a label's cell is."""
    if not isinstance(found, OfRow):
        return found
    cell = found.cell
    if no_label(cell, found.choices.texts):
        raise NoLabelError(f"expected the text of a choice. Received: {shown(cell)}, which stands for no label")
    texts = [text.strip() for text in found.choices.texts]
    same = [i for i, text in enumerate(texts) if text == str(cell).strip()]
    if len(same) != 1:
        came = "which is none of them" if not same else f"which is {len(same)} of them"
        raise ValueError(f"expected the text of one of the row's choices. Received: {shown(cell)}, {came}")
    return same[0]


@dataclass(frozen=True, kw_only=True)
class ChoiceRows:
    """How rows are read whose choices stand in several columns, or as a list in one.

    Args:
        columns: of the choices, in order; or the one that holds them all, as a str.
        label: the column that says which is right.
        labels: what stands there for each choice, where the row does not say; None: the name of the choice's column, or
            its index, from 0.
        least: fewest choices of a row; in columns all must be there but for this.
        by_text: the text of the right choice stands in `label`.
    """

    columns: tuple[str, ...] | str
    label: str
    labels: tuple[str, ...] | None
    least: int
    by_text: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the choices. In the first of them `adapt` leaves `Choices`."""
        return (self.columns,) if isinstance(self.columns, str) else self.columns

    @property
    def parsers(self) -> dict[str, Callable[[Any], Any]]:
        """For the columns of the choices and of the label, after `adapt`."""
        usual = self.labels or (None if isinstance(self.columns, str) else self.columns)
        first, *others = self.names
        read = _read_list if isinstance(self.columns, str) else _kept
        return {first: read, **dict.fromkeys(others, _kept), self.label: ChoiceLabel(usual, by_text=self.by_text)}

    def adapt(self, rows: Iterable[Any], origin: str) -> Iterator[Any]:
        """Rows whose cells know of one another, as a source's `open` takes it."""
        del origin
        for number, row in rows:
            if isinstance(row, BadRow) or not all(name in row for name in self.names):
                yield number, row
                continue
            try:
                choices = self._choices(row)
            except ValueError as error:
                yield number, BadRow(str(error))
                continue
            asked = {self.label: OfRow(row[self.label], choices)} if self.label in row else {}
            yield number, {**row, self.names[0]: choices, **asked}

    def _choices(self, row: Mapping[str, Any]) -> Choices:
        at = self.names[0]
        try:
            if isinstance(self.columns, str):
                found = listed(row[at])
            else:
                texts = []
                for at in self.names:
                    may_lack = self.least < len(self.names) and _is_empty(row[at])
                    texts.append("" if may_lack else text_cell(row[at]))
                found = Choices(tuple(texts))
        except ValueError as error:
            raise ValueError(f"column {at!r}: {error}") from None
        found.at_least(self.least)
        return found


def _is_empty(cell: Any) -> bool:
    return is_missing(cell) or (isinstance(cell, str) and not cell.strip())


def _kept(cell: Any) -> Any:
    return cell


def _read_list(cell: Any) -> Choices:
    return cell if isinstance(cell, Choices) else listed(cell)
