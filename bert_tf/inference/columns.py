"""The texts that a pipeline is given, as a sequence for each column of the task."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

OfColumns = Mapping[str, Any]
"""A text for each of a task's columns, by their names; or what the task makes one of, such as a list of choices."""
Several = Sequence[OfColumns]


def columns_of(
    texts: Sequence[str] | OfColumns | Several,
    pairs: Sequence[str] | None = None,
    *more: Sequence[str],
    names: Callable[[int], Sequence[str]],
    read: Callable[[Any, str], str],
) -> tuple[Sequence[str], ...]:
    """The texts of each column.

    Args:
        texts, pairs, more: the columns in their order; or a dict with a text for each of them, or several.
        names: how many columns are given -> the names of those that the task has.
        read: what a dict has in place of a text, and the name of its column -> the text: `Kind.input_text`.
    Raises: ValueError where they are not those that the task takes.

    >>> read = lambda words, column: " ".join(words)
    >>> columns_of([{"b": "1", "a": ["2", "3"]}], names=lambda count: ("a", "b"), read=read)
    (['2 3'], ['1'])
    """
    rows: Any = [texts] if isinstance(texts, Mapping) else texts
    if len(rows) and isinstance(rows[0], Mapping):
        if pairs is not None or more:
            raise ValueError("`pairs` go with texts, and a dict has both. Received: dicts, and pairs")
        return _by_column(rows, names(len(rows[0])), read)
    columns: tuple[Any, ...] = (rows, *(() if pairs is None else (pairs,)), *more)
    wanted = names(len(columns))
    if len(wanted) > 2 and not len(rows) and len(columns) == 1:
        return ([],) * len(wanted)
    if len(columns) == len(wanted) and all(len(column) == len(rows) for column in columns):
        return columns
    came = f"{len(rows)} texts, {'no' if pairs is None else len(pairs)} pairs"
    if len(wanted) > 2:
        named = ", ".join(map(repr, wanted))
        raise ValueError(f"This task takes a dict with the texts {named}, or a list of them. Received: {came}")
    needs = "no `pairs`" if len(wanted) == 1 else "as many `pairs` as `texts`"
    raise ValueError(f"This task takes {needs}. Received: {came}")


def _by_column(rows: Sequence[Any], names: Sequence[str], read: Callable[[Any, str], str]) -> tuple[list[str], ...]:
    """Raises: ValueError that names the first of `rows` that has other texts than those called `names`."""

    def text(i: int, name: str) -> str:
        cell = rows[i][name]
        if not isinstance(cell, list | tuple | Mapping):
            return cell
        try:
            return read(cell, name)
        except ValueError as error:
            raise ValueError(f"`texts[{i}]`, {name!r}: {error}") from None

    for i, row in enumerate(rows):
        if not isinstance(row, Mapping) or set(row) != set(names):
            came = list(row) if isinstance(row, Mapping) else row
            raise ValueError(f"`texts[{i}]` must be a dict with {', '.join(map(repr, names))}. Received: {came!r:.80}")
    return tuple([text(i, name) for i in range(len(rows))] for name in names)


def check_texts(name: str, texts: Sequence[str]) -> None:
    """Raises: ValueError that names the place in `texts`, called `name`, of the first that is no text in UTF-8."""
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            words = "; a tagger takes lists of words with is_split_into_words=True" * isinstance(text, list | tuple)
            raise ValueError(f"`{name}[{i}]` must be a text{words}. Received: {text!r:.80}")
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError as error:
                came = f"a lone surrogate at character {error.start + 1} of {text!r:.80}"
                raise ValueError(f"`{name}[{i}]` must be a text that UTF-8 can hold. Received: {came}") from None
