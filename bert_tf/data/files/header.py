"""Whether the first row of a CSV or TSV file names its columns, and what they are called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from bert_tf.data.files.names import fits, renamed
from bert_tf.data.files.rows import Notes, Wanted
from bert_tf.data.files.text import decoding_error
from bert_tf.data.rows.cells import shown
from bert_tf.data.rows.table import BadRow
from bert_tf.errors import UserError

Cells = tuple[int, "list[str] | BadRow"]
"""A row's first line and its cells."""


@dataclass(frozen=True)
class Style:
    """How a file of cells is written.

    Args:
        separator: what stands between cells, where the file does not say otherwise.
        header: whether the first row names the columns; None: it does where the wanted names are in it.
        columns: names of the columns; None: those of the header.
        quoted: whether cells may be quoted; None: where the file shows that they are.
        escape: what stands before a quote inside quotes that ends nothing; None: quotes are doubled there.
        also: where `header` is None, the columns of another layout that files may have, known by how many they are, and
            whether such files have a header.
    """

    separator: str = ","
    header: bool | None = True
    columns: Sequence[str] | None = None
    quoted: bool | None = True
    escape: str | None = None
    also: tuple[Sequence[str], bool] | None = None


def header_and_rows(
    cells: Iterator[Cells], style: Style, wanted: Wanted, notes: Notes, encoding: str | None
) -> tuple[list[str], Iterator[Cells]]:
    """The columns' names, ours where they are wanted, and the rows that hold data.

    A first row that names all that is required is a header, whatever was announced.

    Raises: UserError for a header with another number of columns than the source says, or that is data itself.
    """
    number, first = next(cells, (1, None))
    if first is None:
        return list(style.columns or ()), cells
    first = first if isinstance(first, BadRow) else decoding_error(style.separator.join(first), encoding) or first
    if isinstance(first, BadRow) and style.header is not False:
        raise UserError(f"{notes.origin}:{number}: {first.reason}")
    with_first = chain([(number, first)], cells)
    names = [] if isinstance(first, BadRow) else _cleaned(first)
    if fits(names, wanted):
        if style.header is False:
            notes.say("its first row names the columns, and is read so, not as data")
        elif (
            style.header and style.columns and list(map(str.casefold, names)) != list(map(str.casefold, style.columns))
        ):
            notes.say("its header names the columns that are wanted, and is followed where its source says otherwise")
        return renamed(names, wanted, notes), cells
    if style.header is False:
        return list(style.columns or ()), with_first
    if style.header is None:
        return _unannounced(names, cells, with_first, style, wanted, notes)
    if style.columns is None:
        return renamed(names, wanted, notes), cells
    if len(names) != len(style.columns):
        expected = f"{len(style.columns)} columns ({', '.join(style.columns)})"
        raise UserError(f"{notes.origin}:{number}: expected a header of {expected}. Received: {shown(first, 200)}")
    if not isinstance(first, BadRow) and _is_data(dict(zip(style.columns, first, strict=True)), wanted):
        raise UserError(
            f"{notes.origin}:{number}: expected a header, which names the columns. Received: {shown(first, 200)}, "
            "which can be read as data; if the file has no header, its source needs header=False"
        )
    return list(style.columns), cells


def _unannounced(
    names: list[str],
    cells: Iterator[Cells],
    with_first: Iterator[Cells],
    style: Style,
    wanted: Wanted,
    notes: Notes,
) -> tuple[list[str], Iterator[Cells]]:
    """A file that may have a header, whose first row does not name what is wanted: by how many columns there are."""
    if style.also is not None and len(names) == len(style.also[0]):
        columns, has_header = style.also
        notes.say(f"its {len(names)} columns are read as those of the task's own files: {', '.join(columns)}")
        if not has_header:
            return list(columns), with_first
        # What nobody wants keeps the name that the file has for it.
        return [ours if ours in wanted.names else own for ours, own in zip(columns, names, strict=True)], cells
    if style.columns is not None and len(names) == len(style.columns):
        notes.say(f"its first row does not name {', '.join(style.columns)}, and is read as data, in this order")
        return list(style.columns), with_first
    return names, cells


def _is_data(row: dict[str, str], wanted: Wanted) -> bool:
    """Whether every cell under a column that does not take any text can be one of its values."""
    telling = [name for name in wanted.reads if name in row]
    return bool(telling) and all(_reads(wanted.reads[name], row[name]) for name in telling)


def _reads(read: Callable[[Any], Any], cell: str) -> bool:
    try:
        read(cell)
    except ValueError:
        return False
    return True


def _cleaned(header: Sequence[str]) -> list[str]:
    """Names without spaces around them; unnamed columns as pandas calls them, so that none is lost.

    Columns without a name at the end of the header, as Excel leaves them, keep the empty one.
    """
    names = [name.strip() for name in header]
    last = max((i for i, name in enumerate(names) if name), default=-1)
    return [name or (f"Unnamed: {i}" if i < last else "") for i, name in enumerate(names)]
