"""The formats of files of rows: one row of a table each, and how a file's format is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from bert_tf.data.files.columnar import parquet_rows, xlsx_rows
from bert_tf.data.files.delimited import delimited_rows
from bert_tf.data.files.header import Style
from bert_tf.data.files.json_rows import json_rows
from bert_tf.data.files.open_file import DataFile
from bert_tf.data.files.rows import Notes, Row, Rows, Wanted
from bert_tf.data.files.text import decoding_error, text_lines
from bert_tf.errors import UserError, did_you_mean

LINE = "line"
"""The one column of a text a line."""


@dataclass(frozen=True)
class Format:
    """Args:
    suffixes: of names of such files; gzip, bzip2 and xz may stand after them.
    read: the rows of a file, in which some columns are wanted, written in some style.
    """

    suffixes: tuple[str, ...]
    read: Callable[[DataFile, Wanted, Style], Rows]


def line_rows(file: DataFile, wanted: Wanted, style: Style) -> Rows:
    """A text a line, without its end, as the column `line`; an empty line is an empty text."""
    del wanted, style
    notes = Notes(file.origin)

    def rows() -> Iterator[Row]:
        for number, line in enumerate(text_lines(file, notes), start=1):
            line = line.removesuffix("\n").removesuffix("\r")
            yield number, (None if line.isascii() else decoding_error(line, file.encoding)) or {LINE: line}

    return Rows((LINE,), rows(), notes)


def _without_style(read: Callable[[DataFile, Wanted], Rows]) -> Callable[[DataFile, Wanted, Style], Rows]:
    return lambda file, wanted, style: read(file, wanted)


FORMATS: Mapping[str, Format] = {
    "lines": Format((".txt", ".text", ""), line_rows),
    "csv": Format((".csv",), delimited_rows),
    "tsv": Format((".tsv", ".tab"), delimited_rows),
    "jsonl": Format((".jsonl", ".ndjson", ".json"), _without_style(json_rows)),
    "parquet": Format((".parquet", ".pq"), _without_style(parquet_rows)),
    "xlsx": Format((".xlsx", ".xlsm"), _without_style(xlsx_rows)),
}
CSV = Style(separator=",", quoted=True)
TSV = Style(separator="\t", quoted=None)
STYLES = {"csv": CSV, "tsv": TSV}


def format_of(
    file: DataFile,
    asked: str | None = None,
    *,
    formats: Mapping[str, Format] = FORMATS,
    flag: str = "--input-format",
) -> str:
    """The name of a file's format: the one asked for, else by the file's suffix.

    Raises: UserError for a suffix that is none of a format's, naming them and the flag that overrides.
    """
    if asked is not None:
        if asked not in formats:
            raise UserError(
                f"{flag}: expected one of {', '.join(formats)}. Received: {asked!r}.{did_you_mean(asked, formats)}"
            )
        return asked
    for name, row in formats.items():
        if file.suffix in row.suffixes:
            return name
    suffixes = ", ".join(suffix for row in formats.values() for suffix in row.suffixes if suffix)
    next(file.text_chunks(twice=True), b"")  # what it is, where that can be told, is the better message
    raise UserError(
        f"{file.origin}: expected a file ending in {suffixes}, or one of these and .gz, .bz2 or .xz. "
        f"Received: {file.suffix}; say what it is with {flag}={'|'.join(formats)}"
    )


def read_rows(file: DataFile, wanted: Wanted, name: str, style: Style | None = None) -> Rows:
    """The rows of a file in the format `name`. Raises: UserError for one that cannot be read so."""
    return FORMATS[name].read(file, wanted, style or STYLES.get(name, CSV))
