"""Sources whose files are tables: TSV, CSV, JSON lines and Parquet."""

from __future__ import annotations

import abc
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from bert_tf.data.files import DataFile, Rows, Style, Wanted, format_of, read_rows
from bert_tf.data.files.formats import STYLES
from bert_tf.data.sources.base import OTHER_SUFFIXES, FileSource


@dataclass(frozen=True, kw_only=True)
class TableFile(FileSource):
    """Files whose format is one of `bert_tf.data.files`, of any of which a file's suffix may tell."""

    family: ClassVar[tuple[str, ...]]
    """Suffixes of files that `files` may name and that are read as this class says."""

    def _read_own(self, file: DataFile, wanted: Wanted) -> Rows:
        if file.suffix in OTHER_SUFFIXES and file.suffix not in self.family:
            return read_rows(file, wanted, format_of(file))
        return self._read_so(file, wanted)

    @abc.abstractmethod
    def _read_so(self, file: DataFile, wanted: Wanted) -> Rows: ...


@dataclass(frozen=True, kw_only=True)
class Delimited(TableFile):
    """Args:
    columns: names of the columns, needed where there is no header; they stand in for a header's names.
    header: whether the first line names the columns.
    """

    columns: tuple[str, ...] | None = None
    header: bool = True

    family: ClassVar[tuple[str, ...]] = (".csv", ".tsv", ".tab")

    def rows_of(self, path: Path, wanted: Wanted) -> Rows:
        """As every source's; another table of text than the declared ones may have their columns without a header."""
        file = DataFile(path, self.encoding)
        if self.columns is None or file.suffix not in self.family or file.suffix in self.declared_suffixes:
            return super().rows_of(path, wanted)
        name = format_of(file)
        return read_rows(file, wanted, name, replace(STYLES[name], header=None, also=(self.columns, self.header)))

    def __post_init__(self) -> None:
        if isinstance(self.columns, str) or (self.columns is None and not self.header):
            raise ValueError(
                f"`columns` must be a tuple of names where there is no header. Received: columns={self.columns!r}"
            )


@dataclass(frozen=True, kw_only=True)
class Tsv(Delimited):
    """GLUE's format: UTF-8, one row on each line, cells separated by tabs, nothing quoted.

    Files that pandas or a spreadsheet wrote are quoted all the same, and are read so where the file shows it (see
    `bert_tf.data.files.quotes`).

    Args:
        quoted: whether cells may be quoted; None: where the file shows that they are.

    >>> Tsv(files={"train": "train.tsv"}, columns=("text", "label"), header=False).quoted is None
    True
    """

    quoted: bool | None = None

    def _read_so(self, file: DataFile, wanted: Wanted) -> Rows:
        style = Style(separator="\t", header=self.header, columns=self.columns, quoted=self.quoted)
        return read_rows(file, wanted, "tsv", style)


@dataclass(frozen=True, kw_only=True)
class Csv(Delimited):
    """UTF-8, cells separated by commas, quoted with `"` where they hold commas, quotes or line ends.

    Where the header has the columns that are asked for only if it is separated by semicolons, tabs or bars, so is the
    file, which is said; a first line `sep=;` is followed.

    Args:
        delimiter: what stands between cells.
        escape: what stands before a quote inside quotes, where it is not doubled: a backslash, mostly.

    >>> Csv(files={"train": "train.csv"}, delimiter=";").delimiter
    ';'
    """

    delimiter: str = ","
    escape: str | None = None

    def _read_so(self, file: DataFile, wanted: Wanted) -> Rows:
        style = Style(separator=self.delimiter, header=self.header, columns=self.columns, escape=self.escape)
        return read_rows(file, wanted, "csv", style)


@dataclass(frozen=True, kw_only=True)
class JsonLines(TableFile):
    """UTF-8, one JSON object on each line, whose keys are the columns; or one JSON array of such objects.

    A column may also lie one level further in, as in `{"translation": {"en": "Go.", "de": "Geh."}}`.

    >>> JsonLines(files={"train": "train.jsonl", "validation": "dev.json"}).files["validation"]
    'dev.json'
    """

    family: ClassVar[tuple[str, ...]] = (".jsonl", ".ndjson", ".json")

    def _read_so(self, file: DataFile, wanted: Wanted) -> Rows:
        return read_rows(file, wanted, "jsonl")


@dataclass(frozen=True, kw_only=True)
class Parquet(TableFile):
    """Parquet, as pandas, Spark and Hugging Face's `datasets` write it; needs the extra `parquet`.

    >>> Parquet(files={"train": "train.parquet"}).has_own_place
    False
    """

    family: ClassVar[tuple[str, ...]] = (".parquet", ".pq")

    def _read_so(self, file: DataFile, wanted: Wanted) -> Rows:
        return read_rows(file, wanted, "parquet")
