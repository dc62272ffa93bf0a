"""Parallel texts: two files or more, where line n of one belongs to line n of the others."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from bert_tf.data.files import DataFile, Row, decoding_error, format_of, read_rows, read_text
from bert_tf.data.rows.table import BadRow, Parsers, Table, check_names, collect
from bert_tf.data.sources.base import OTHER_SUFFIXES, Source, table_of
from bert_tf.errors import UserError, did_you_mean


@dataclass(frozen=True, kw_only=True)
class Parallel(Source):
    r"""One file for each column: UTF-8, one text on each line, plain or gzipped (with `.gz` after the name).

    A single file of another known format (TSV, JSON lines, Parquet) is read by its columns.

    Args:
        files: for each split, the file of each column: `{"train": {"en": "train.en", "de": "train.de"}}`.

    >>> import pathlib, tempfile
    >>> source = Parallel(files={"train": {"en": "train.en", "de": "train.de"}})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pathlib.Path(folder, "train.en").write_text("A dog.\n")
    ...     _ = pathlib.Path(folder, "train.de").write_text("Ein Hund.\n")
    ...     table = source.open(folder, "train", {"en": str, "de": str})
    >>> table.columns["de"]
    ['Ein Hund.']
    """

    files: Mapping[str, Mapping[str, str]]

    has_own_place: ClassVar[bool] = False

    def _open(self, where: str | os.PathLike[str] | None, split: str, parsers: Parsers, **options: Any) -> Table:
        file = DataFile(Path(where or "").expanduser(), self.encoding)
        if file.path is not None and file.suffix in OTHER_SUFFIXES and file.path.is_file():
            return table_of(
                read_rows(file, self.wanted(parsers, options["optional"]), format_of(file)), parsers, options
            )
        if where is None or not Path(where).expanduser().is_dir():
            raise UserError(f"expected a folder with the data, a file a column. Received: {where}")
        if split not in self.files:
            raise UserError(
                f"expected a split of {', '.join(self.files)}. Received: {split!r}.{did_you_mean(split, self.files)}"
            )
        folder, names = Path(where).expanduser(), self.files[split]
        check_names(tuple(names), parsers, options["optional"], f"{folder} {split}")
        paths = {column: _find(folder, names[column]) for column in names if column in parsers}
        for column in [column for column, path in paths.items() if path is None]:
            if column not in options["optional"]:
                inside = ", ".join(path.name for path in paths.values() if path is not None) or "none of them"
                wanted = " and ".join(names[column] for column in paths)
                raise UserError(f"{folder}: expected the files {wanted}. Received: {inside}, without {names[column]}")
            del paths[column]
        found = {column: path for column, path in paths.items() if path is not None}
        return collect(_rows(found, self.encoding), parsers, origin=str(next(iter(found.values()))), **options)


def _find(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def _rows(paths: Mapping[str, Path], encoding: str | None) -> Iterator[Row]:
    lines = {column: _lines(path, encoding) for column, path in paths.items()}
    shortest = min(lines, key=lambda column: len(lines[column]))
    longest = max(lines, key=lambda column: len(lines[column]))
    least, most = len(lines[shortest]), len(lines[longest])
    if least != most:
        raise UserError(
            f"{paths[longest]}:{least + 1}: expected as many lines as {paths[shortest]} has, {least}. "
            f"Received: {most} lines"
        )
    for number, cells in enumerate(zip(*lines.values(), strict=True), start=1):
        row = dict(zip(lines, cells, strict=True))
        yield number, _problem(row, paths, number, encoding) or row


def _problem(row: Mapping[str, str], paths: Mapping[str, Path], number: int, encoding: str | None) -> BadRow | None:
    for column, cell in row.items():
        if not cell.strip():
            return BadRow(f"expected a text in each file. Received: an empty line, {paths[column]}:{number}")
        bad = None if cell.isascii() else decoding_error(cell, encoding)
        if bad is not None:
            return BadRow(f"{paths[column]}:{number}: {bad.reason}")
    return None


def _lines(path: Path, encoding: str | None) -> list[str]:
    """Lines end in \\n or \\r\\n, or all in \\r; an empty one at the end counts too, or files would not go together."""
    text = read_text(path, encoding)
    lines = text.removesuffix("\n").split("\n") if text else []
    return [line.removesuffix("\r") for line in lines]
