"""What somebody gave as their own data: files or rows in memory, and the columns that are in them."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from bert_tf.data import InMemory
from bert_tf.data.files import DataFile, Wanted, format_of, read_rows, text_lines
from bert_tf.data.files.delimited import SEPARATOR_LINE, SEPARATORS
from bert_tf.data.files.formats import STYLES
from bert_tf.data.rows.bad_rows import SHARE, BadRows
from bert_tf.data.rows.quiet import quiet
from bert_tf.data.rows.table import BadRow
from bert_tf.data.rows.table import place as where
from bert_tf.data.splits.names import TRAIN, VALIDATION, split_called, split_files
from bert_tf.data.splits.source import SUFFIXES
from bert_tf.errors import UserError, did_you_mean

LINES_LOOKED_AT = 50
SPLIT_COLUMNS = ("split", "set", "subset", "fold", "partition", "dataset", "part")

Columns = Mapping[str, Sequence[Any]]


class Given:
    """Somebody's data, before anything is known of it. Nothing is read before it is asked for.

    Args:
        place: a file or a folder; None: the rows are in memory.
        memory: split -> rows, as `bert_tf.data.InMemory` takes them.
        encoding: of text files; None: UTF-8, or what a byte order mark says.
        suffixes: of the files in a folder that are data.
        delimiter: what stands between the cells of a text file; None: what its lines show.
        split_column: the column that says which split a row belongs to; None: one that plainly does.
        asks_validation: whether somebody said where the validation rows are, so that no column may.
        skip_bad_rows, bad_rows_share: whether rows that cannot be read are left out, and of a file's rows the most that
            may be.
    """

    def __init__(
        self,
        place: Path | None = None,
        *,
        memory: Mapping[str, Any] | None = None,
        encoding: str | None = None,
        suffixes: Sequence[str] = SUFFIXES,
        delimiter: str | None = None,
        split_column: str | None = None,
        asks_validation: bool = False,
        skip_bad_rows: bool = False,
        bad_rows_share: float = SHARE,
    ) -> None:
        self.place, self.memory, self.encoding, self.suffixes = place, memory, encoding, tuple(suffixes)
        self._delimiter, self._split_column, self._asks_validation = delimiter, split_column, asks_validation
        self._skip_bad_rows, self._bad_rows_share = skip_bad_rows, bad_rows_share

    @cached_property
    def files(self) -> dict[str, Path]:
        """Split -> its file; "train" alone where one file was given, none where rows are in memory."""
        if self.place is None:
            return {}
        return split_files(self.place, self.suffixes) if self.place.is_dir() else {TRAIN: self.place}

    @property
    def origin(self) -> str:
        """How messages call the training rows."""
        return "`data`" if self.place is None else str(self.files[TRAIN])

    @cached_property
    def delimiter(self) -> str | None:
        """What stands between the cells of the training file; None where it is no text with cells."""
        if self._delimiter is not None or self.place is None:
            return self._delimiter
        file = self._file(self.files[TRAIN])
        return found_delimiter(file) if _is_delimited(file) else None

    @cached_property
    def columns(self) -> Columns:
        """All columns of the training rows: those of the file, or those that the split column says are."""
        if self.split_column is None:
            return self._all
        splits = [split_called(cell) for cell in self._all[self.split_column]]
        kept = [row for row, split in enumerate(splits) if split == TRAIN]
        return {name: [cells[row] for row in kept] for name, cells in self._all.items() if name != self.split_column}

    @property
    def rows(self) -> int:
        """How many training rows the table has."""
        return len(next(iter(self.columns.values())))

    @cached_property
    def splits(self) -> tuple[str, ...]:
        """What the data has by itself: by files, by rows in memory or by a column."""
        if self.split_column is not None:
            found = {split_called(cell) for cell in self._all[self.split_column]}
            return tuple(sorted(split for split in found if split))
        return tuple(self.files if self.place is not None else self.memory or {})

    @cached_property
    def split_column(self) -> str | None:
        """The column that says which split a row belongs to. Raises: UserError for one that does not say so."""
        if self._split_column is not None:
            if self._split_column not in self._all:
                raise UserError(
                    f"--split-column: {self.origin} has no column {self._split_column!r}."
                    f"{did_you_mean(self._split_column, self._all)} There are: {', '.join(self._all)}"
                )
            return self._split_column
        if self._asks_validation or VALIDATION in (self.files or self.memory or {}):
            return None
        for name in self._all:
            if name.strip().casefold() in SPLIT_COLUMNS:
                found = {split_called(cell) for cell in self._all[name]}
                if TRAIN in found and None not in found and len(found) > 1:
                    return name
        return None

    @cached_property
    def _all(self) -> Columns:
        if self.place is None:
            assert self.memory is not None
            return in_memory_columns(self.memory, TRAIN)
        return self.columns_of(self.files[TRAIN])

    def columns_of(self, path: Path) -> Columns:
        """All columns of a file. What nothing is inferred from, rows that are left out, whoever reads it again names.

        Raises: UserError for a row that cannot be read, unless such may be left out, and for too many of them: what
            would be inferred from the others alone is another thing, such as the classes of texts in plain ASCII.
        """
        file = self._file(path)
        name = "csv" if file.suffix in (".txt", ".text", "") else format_of(file)
        style = STYLES.get(name)
        if style is not None:
            separator = self._delimiter or found_delimiter(file) or style.separator
            style = replace(style, separator=separator, quoted=None if separator == "\t" else True)
        bad, kept = BadRows(str(path), may_skip=self._skip_bad_rows, share=self._bad_rows_share), []
        with quiet():
            rows = read_rows(file, Wanted(), name, style)
            for number, row in rows.rows:
                if isinstance(row, BadRow):
                    bad.add(f"{where(str(path), number, rows.has_lines)}: {row.reason}")
                else:
                    kept.append(row)
            bad.check(len(kept))
        names = list(rows.names) or list(dict.fromkeys(name for row in kept for name in row))
        if not kept:
            raise UserError(f"{path}: expected rows of data. Received: none")
        return {name: [row.get(name) for row in kept] for name in names if name}

    def _file(self, path: Path) -> DataFile:
        return DataFile(path, self.encoding)


def in_memory_columns(memory: Mapping[str, Any], split: str) -> dict[str, list[Any]]:
    """All columns of rows in memory. Raises: UserError where there are none."""
    if split not in memory:
        raise UserError(f"`data`: expected rows for {split!r}. Received: {', '.join(memory) or 'none'}")
    rows = list(InMemory(memory).rows(split))
    names = dict.fromkeys(name for row in rows for name in row)
    if not rows:
        raise UserError("`data`: expected rows. Received: none")
    return {name: [row.get(name) for row in rows] for name in names}


def found_delimiter(file: DataFile) -> str | None:
    """What stands between the cells of a text file: that under which its first lines have the most equal columns.

    A comma where several may be, as in a file of one column.
    """
    with quiet():
        lines = list(islice(text_lines(file, twice=True), LINES_LOOKED_AT))
    told = SEPARATOR_LINE.fullmatch(lines[0].rstrip("\r\n")) if lines else None
    if told is not None:
        return told["separator"]
    best, most = None, 1
    for separator in (*("\t",) * (file.suffix in (".tsv", ".tab")), *SEPARATORS):
        try:
            rows = [row for row in csv.reader(lines, delimiter=separator) if row]
        except csv.Error:
            continue
        whole = rows[:-1] if len(lines) == LINES_LOOKED_AT and len(rows) > 2 else rows  # the last may be cut off
        if whole and len(whole[0]) > most and all(len(row) == len(whole[0]) for row in whole):
            best, most = separator, len(whole[0])
    if best is None and lines:  # rows of different lengths: the header says
        widths = {separator: lines[0].count(separator) for separator in SEPARATORS}
        best = max(widths, key=lambda separator: widths[separator])
        best = best if widths[best] else None
    return best


def _is_delimited(file: DataFile) -> bool:
    return file.suffix in (".csv", ".tsv", ".tab", ".txt", ".text", "")
