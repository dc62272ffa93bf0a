"""Rows of TSV, CSV and JSON lines files, plain or gzipped, with the line that each stands on."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bert_tf.data.cells import shown
from bert_tf.data.table import BadRow
from bert_tf.errors import UserError

Row = tuple[int, "Mapping[str, Any] | BadRow"]

MAX_CSV_FIELD = 2**31 - 1


def read_text(path: Path) -> str:
    """A whole file; bytes that are not UTF-8 come as lone surrogates, which `decoding_error` finds.

    Raises: UserError if the file cannot be read, or is a broken gzip file.
    """
    try:
        raw = path.read_bytes()
        if raw[:2] == b"\x1f\x8b":
            raw = gzip.decompress(raw)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{path}: expected a whole gzip file. Received: {error}") from None
    except OSError as error:
        raise UserError(f"{path}: expected a file that can be read. Received: {error.strerror or error}") from None
    return raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8", errors="surrogateescape")


def decoding_error(line: str) -> BadRow | None:
    """Says which byte of a line is not UTF-8."""
    try:
        line.encode()
    except UnicodeEncodeError as error:
        byte = ord(line[error.start]) - 0xDC00
        return BadRow(f"expected UTF-8. Received: byte 0x{byte:02x} after {shown(line[: error.start][-40:])}")
    return None


def tsv_rows(path: Path, columns: Sequence[str] | None, header: bool) -> tuple[Sequence[str], Iterator[Row]]:
    """Column names and rows of a file in GLUE's format: cells separated by tabs, nothing quoted.

    Args:
        columns: names of the columns; None: those of the header.
        header: whether the first line is one.
    """
    lines = _lines(path)
    first = lines[0].split("\t") if header and lines else None
    names = _names(path, columns, first)

    def rows() -> Iterator[Row]:
        for number, line in enumerate(lines[1:] if header else lines, start=1 + header):
            bad = None if line.isascii() else decoding_error(line)
            yield number, bad or _row(names, line.split("\t"), "tabs")

    return names, rows()


def csv_rows(
    path: Path, columns: Sequence[str] | None, header: bool, delimiter: str
) -> tuple[Sequence[str], Iterator[Row]]:
    """Column names and rows of a file whose cells may be quoted, over several lines too; a row stands on its first."""
    read = _csv_cells(path, delimiter)
    first = next(read, (1, None))[1] if header else None
    names = _names(path, columns, first)

    def rows() -> Iterator[Row]:
        for number, cells in read:
            yield number, cells if isinstance(cells, BadRow) else _row(names, cells, repr(delimiter))

    return names, rows()


def json_rows(path: Path) -> Iterator[Row]:
    """Rows of a file with a JSON object a line."""
    for number, line in enumerate(_lines(path), start=1):
        bad = None if line.isascii() else decoding_error(line)
        yield number, bad or _json_object(line)


def _lines(path: Path) -> list[str]:
    """Lines end in \\n or \\r\\n and in nothing else; empty lines at the end of the file are none."""
    text = read_text(path).rstrip("\r\n")
    return [line.removesuffix("\r") for line in text.split("\n")] if text else []


def _csv_cells(path: Path, delimiter: str) -> Iterator[tuple[int, list[str] | BadRow]]:
    lines = [f"{line}\n" for line in _lines(path)]
    reader = csv.reader(iter(lines), delimiter=delimiter, strict=True)
    while True:
        number = reader.line_num + 1
        limit = csv.field_size_limit(MAX_CSV_FIELD)
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if reader.line_num == len(lines) and "end of data" in str(
                error
            ):  # it may have swallowed any number of rows
                raise UserError(
                    f"{path}:{number}: expected a closing quote. Received: none up to line {reader.line_num}"
                ) from None
            yield number, BadRow(f"expected CSV. Received: {shown(lines[number - 1].rstrip())} ({error})")
            continue
        finally:
            csv.field_size_limit(limit)
        bad = None if all(cell.isascii() for cell in cells) else decoding_error(delimiter.join(cells))
        yield number, bad or cells


def _names(path: Path, columns: Sequence[str] | None, header: Sequence[str] | BadRow | None) -> Sequence[str]:
    if not isinstance(header, BadRow):
        header = header and (decoding_error(" ".join(header)) or [name.strip() for name in header])
    if isinstance(header, BadRow):
        raise UserError(f"{path}:1: {header.reason}")
    if columns is not None and header is not None and len(header) != len(columns):
        expected = f"{len(columns)} columns ({', '.join(columns)})"
        raise UserError(f"{path}:1: expected a header of {expected}. Received: {shown(header, 200)}")
    names = columns if columns is not None else header or ()
    if len(set(names)) != len(names):
        raise UserError(f"{path}:1: expected a header without a name twice. Received: {shown(names, 200)}")
    return names


def _row(names: Sequence[str], cells: Sequence[str], separator: str) -> Mapping[str, str] | BadRow:
    if len(cells) == len(names):
        return dict(zip(names, cells, strict=True))
    expected = f"{len(names)} column{'s' * (len(names) > 1)} ({', '.join(names)})"
    came = f"{len(cells)} column{'s' * (len(cells) > 1)}: {', '.join(map(shown, cells[:4]))}"
    return BadRow(f"expected {expected} separated by {separator}. Received: {came if any(cells) else 'an empty line'}")


def _json_object(line: str) -> Mapping[str, Any] | BadRow:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        return BadRow(f"expected a JSON object. Received: {shown(line)} ({error})")
    return value if isinstance(value, dict) else BadRow(f"expected a JSON object. Received: {shown(line)}")
