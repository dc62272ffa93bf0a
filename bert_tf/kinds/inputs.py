"""What predict is given: texts on the command line, plain lines, TSV or JSON lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from bert_tf.errors import UserError

FORMATS = ("lines", "tsv", "jsonl")
_BY_SUFFIX = {".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl"}

Input = tuple[str, "str | None"]


def text_only(cell: Any) -> str:
    """A cell that is a text. Raises: ValueError for another one."""
    if not isinstance(cell, str):
        raise ValueError("not a text")
    return cell


def read_inputs(
    texts: Sequence[str] | None,
    file: str | None,
    file_format: str | None,
    columns: tuple[str, ...],
    read_cell: Callable[[Any], str] = text_only,
) -> Iterator[Input]:
    """Yields (text, pair or None), one a line or `--text`; an empty line is an empty text.

    Args:
        texts: what --text gave, or None.
        file: a path, or "-" for standard input, where `texts` is None.
        file_format: one of FORMATS, or None: by the file's suffix.
        columns: the task's one or two columns of text. Lines of a task with two have a tab between the texts.
        read_cell: the text that a value of JSON lines stands for; its ValueError says what it is not.
    Raises: UserError at once for a file that cannot be opened, and for a line that cannot be read when it comes to it.
    """
    if texts is not None:
        return (_split(text, columns, "--text") for text in texts)
    assert file is not None
    if file == "-":
        stream, place = sys.stdin.buffer, "standard input"
    else:
        path, place = Path(file).expanduser(), file
        try:
            stream = path.open("rb")
        except OSError as error:
            raise UserError(f"--input={file}: expected a file that can be read. Received: {error}") from None
        file_format = file_format or _BY_SUFFIX.get(path.suffix.lower())
    if file_format == "jsonl":
        return _jsonl(stream, place, columns, read_cell)
    return (_tsv if file_format == "tsv" else _lines)(stream, place, columns)


def _lines(stream: BinaryIO, place: str, columns: tuple[str, ...]) -> Iterator[Input]:
    for where, line in _decoded(stream, place):
        yield _split(line, columns, where)


def _tsv(stream: BinaryIO, place: str, columns: tuple[str, ...]) -> Iterator[Input]:
    """The task's columns in their order, or any columns under a header that names the task's."""
    chosen: list[int] | None = None
    width = len(columns)
    for number, (where, line) in enumerate(_decoded(stream, place), start=1):
        cells = line.split("\t")
        if number == 1 and set(columns) <= set(cells):
            chosen, width = [cells.index(column) for column in columns], len(cells)
            continue
        if len(cells) != width:
            raise UserError(
                f"{where}: expected {width} column{'s' * (width > 1)}, separated by tabs. Received: {len(cells)}"
            )
        picked = [cells[i] for i in chosen] if chosen is not None else cells
        yield picked[0], picked[1] if len(picked) == 2 else None


def _jsonl(stream: BinaryIO, place: str, columns: tuple[str, ...], read_cell: Callable[[Any], str]) -> Iterator[Input]:
    for where, line in _decoded(stream, place):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise UserError(f"{where}: expected a JSON object. Received: {line[:80]!r} ({error})") from None
        cells = row if isinstance(row, dict) else {}
        try:
            values = [read_cell(cells[column]) for column in columns]
        except (KeyError, ValueError) as error:
            problem = f": {error}" if isinstance(error, ValueError) else ""
            raise UserError(
                f"{where}: expected a JSON object with the text {' and '.join(columns)}. "
                f"Received: {line[:80]!r}{problem}"
            ) from None
        yield values[0], values[1] if len(values) == 2 else None


def _split(line: str, columns: tuple[str, ...], where: str) -> Input:
    if len(columns) == 1:
        return line, None
    first, tab, second = line.partition("\t")
    if not tab:
        raise UserError(f"{where}: expected {columns[0]}, a tab, {columns[1]}. Received: no tab in {line[:80]!r}")
    return first, second


def _decoded(stream: BinaryIO, place: str) -> Iterator[tuple[str, str]]:
    """Yields (file:line, text) for lines that end in a newline or the file's end, and in no other separator."""
    with stream:
        for number, line in enumerate(stream, start=1):
            where = f"{place}:{number}"
            raw = line.removesuffix(b"\n").removesuffix(b"\r")
            if number == 1:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            try:
                yield where, raw.decode("utf-8")
            except UnicodeDecodeError as error:
                raise UserError(
                    f"{where}: expected UTF-8. Received: byte {raw[error.start]:#04x} at column {error.start + 1}"
                ) from None
