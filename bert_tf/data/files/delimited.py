"""CSV and TSV: cells between commas, tabs or other separators, quoted or not, with or without a header."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain

from bert_tf.data.files.header import Cells, Style, header_and_rows
from bert_tf.data.files.names import fits
from bert_tf.data.files.open_file import DataFile
from bert_tf.data.files.quotes import is_quoted
from bert_tf.data.files.rows import Notes, Row, Rows, Wanted
from bert_tf.data.files.text import decoding_error, text_lines
from bert_tf.data.rows.cells import shown
from bert_tf.data.rows.table import BadRow
from bert_tf.errors import UserError

MAX_CSV_FIELD = 2**31 - 1
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
SEPARATOR_LINE = re.compile(r'"?sep=(?P<separator>[^"\r\n])"?[,;\t|]*')  # Excel's
SPACE_BEFORE_QUOTE = re.compile(r'\s+"')


def delimited_rows(file: DataFile, wanted: Wanted, style: Style) -> Rows:
    """The rows of a file; a row that is quoted over several lines stands on its first.

    Facts of the file are used and said: a line `sep=;`, another separator under which alone the header has the wanted
    columns, a header where none was announced, quotes in a TSV file that only a CSV writer makes. Empty lines, and
    empty rows at the end, are left out and counted.

    Raises: UserError for a header without what is required, and for a quote that never closes.
    """
    notes = Notes(file.origin)
    lines = text_lines(file, notes, twice=True)
    first = next(lines, "")
    found, number = style, 1
    told = SEPARATOR_LINE.fullmatch(first.rstrip("\r\n"))
    if told is not None:
        found, number, first = replace(style, separator=told["separator"]), 2, next(lines, "")
        if told["separator"] != style.separator:
            notes.say(f"cells are separated by {told['separator']!r}, as its first line says")
    elif style.header is not False:
        found = _separated(first, found, wanted, notes)
    if found.quoted is None and not _has_quotes(file):
        found = replace(found, quoted=False)
    elif found.quoted is None:
        again = text_lines(file, twice=True)
        for _ in range(number - 1):
            next(again, None)
        found = replace(found, quoted=is_quoted(again, found.separator, notes))
    cells = _cells(chain([first] if first else [], lines), number, found, file, notes)
    names, rest = header_and_rows(cells, found, wanted, notes, file.encoding)
    return Rows(names, _rows(rest, names, found, file, notes), notes)


def _has_quotes(file: DataFile) -> bool:
    """Whether there is a quote anywhere: most files of GLUE have none, which is seen sooner here than line by line."""
    return any(b'"' in chunk for chunk in file.text_chunks(twice=True))


def _separated(first: str, style: Style, wanted: Wanted, notes: Notes) -> Style:
    """The separator under which the header has the wanted columns, if it is another one, and only one is."""

    def names(separator: str) -> list[str]:
        try:
            return next(csv.reader([first], delimiter=separator), [])
        except csv.Error:  # The reading of the rows says what is wrong, and where.
            return []

    if not wanted.required or fits(names(style.separator), wanted):
        return style
    others = [other for other in SEPARATORS if other != style.separator and fits(names(other), wanted)]
    if len(others) != 1 or len(names(others[0])) < 2:
        return style
    notes.say(f"cells are separated by {SEPARATORS[others[0]]}: so its header has the columns that are wanted")
    return replace(style, separator=others[0], quoted=None if others[0] == "\t" else True)


def _rows(cells: Iterator[Cells], names: Sequence[str], style: Style, file: DataFile, notes: Notes) -> Iterator[Row]:
    held: list[tuple[int, list[str]]] = []  # empty rows: dropped at the end of the file, kept before others
    width = max((i + 1 for i, name in enumerate(names) if name), default=0)
    for number, row in cells:
        if isinstance(row, BadRow):
            found = row
        else:
            joined = "".join(row)
            if (not joined or joined.isspace()) and len(row) > 1:
                held.append((number, row))
                continue
            bad = None if joined.isascii() else decoding_error(style.separator.join(row), file.encoding)
            found = bad or _row(names, width, row, style, notes)
        if held:
            yield from ((at, _row(names, width, empty, style, notes)) for at, empty in held)
            held = []
        yield number, found
    if held:
        notes.count("empty rows at the end of the file, left out", len(held))


def _row(names: Sequence[str], width: int, cells: Sequence[str], style: Style, notes: Notes) -> dict[str, str] | BadRow:
    if len(cells) == len(names) == width:
        return dict(zip(names, cells, strict=True))
    extra = cells[width:]
    if len(cells) >= width and (len(cells) <= len(names) or not any(extra)):
        if any(extra):
            notes.count("rows with cells under columns without a name, which are left out")
        return dict(zip(names[:width], cells, strict=False))
    expected = f"{width} column{'s' * (width > 1)} ({', '.join(names[:width])})"
    separator = SEPARATORS.get(style.separator, repr(style.separator))
    came = f"{len(cells)} column{'s' * (len(cells) > 1)}: {', '.join(map(shown, cells[:4]))}"
    if not style.quoted and any(cell.startswith('"') for cell in cells):
        came += "; nothing is quoted in this file, as its other lines show"
    return BadRow(f"expected {expected} separated by {separator}. Received: {came}")


def _cells(lines: Iterator[str], number: int, style: Style, file: DataFile, notes: Notes) -> Iterator[Cells]:
    if style.quoted:
        return _quoted_cells(lines, number, style, file, notes)
    return _unquoted_cells(lines, number, style, notes)


def _unquoted_cells(lines: Iterator[str], number: int, style: Style, notes: Notes) -> Iterator[Cells]:
    is_one = style.columns is not None and len(style.columns) == 1
    empty = 0  # how many empty lines were just seen: those at the end of the file are none
    for at, line in enumerate(lines, start=number):
        line = line.removesuffix("\n").removesuffix("\r")
        if not line:
            empty += 1
            continue
        if is_one:
            yield from ((at - back, [""]) for back in range(empty, 0, -1))
        elif empty:
            notes.count("empty lines left out", empty)
        empty = 0
        yield at, line.split(style.separator)


def _quoted_cells(lines: Iterator[str], number: int, style: Style, file: DataFile, notes: Notes) -> Iterator[Cells]:
    taken: list[str] = []

    def each() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    options = {"delimiter": style.separator, "strict": True}
    if style.escape is not None:
        options |= {"escapechar": style.escape, "doublequote": False}
    reader = csv.reader(each(), **options)
    at, empty = number, 0
    while True:
        taken.clear()
        limit = csv.field_size_limit(MAX_CSV_FIELD)
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "end of data" in str(error):  # it may have swallowed any number of rows
                last = at + len(taken) - 1
                raise UserError(
                    f"{file.origin}:{at}: expected a closing quote. Received: none up to line {last}"
                ) from None
            yield at, BadRow(f"expected CSV. Received: {shown(taken[0].rstrip())} ({_explained(error, taken, style)})")
            at += len(taken)
            continue
        finally:
            csv.field_size_limit(limit)
        if not cells:
            empty += 1
        else:
            if empty:
                notes.count("empty lines left out", empty)
            empty = 0
            if '"' in taken[0] and any(SPACE_BEFORE_QUOTE.match(cell) for cell in cells):
                cells = _without_spaces(taken, options, cells, notes)
            yield at, cells
        at += len(taken)


def _explained(error: csv.Error, taken: Sequence[str], style: Style) -> str:
    if style.escape is None and any('\\"' in line for line in taken):
        return 'quotes inside quotes are doubled in CSV; where they are written \\", its source needs escape="\\\\"'
    return str(error).replace(" - do you need to open the file in universal-newline mode?", "")


def _without_spaces(taken: Sequence[str], options: dict, cells: list[str], notes: Notes) -> list[str] | BadRow:
    """The cells of a row where spaces stand before opening quotes, which then are quotes all the same."""
    try:
        found = list(csv.reader(taken, **options, skipinitialspace=True))
    except csv.Error as error:
        return BadRow(f"expected CSV. Received: {shown(taken[0].rstrip())} ({error})")
    if len(found) != 1:
        return cells
    notes.count("rows with spaces between a separator and a quote, which are dropped")
    return found[0]
