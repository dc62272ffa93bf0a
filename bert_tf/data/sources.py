"""Where a task's rows come from: files in its published format, a Python object, `tfds:NAME` or `hf:NAME`."""

from __future__ import annotations

import abc
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from bert_tf.data import hubs
from bert_tf.data.table import Parsers, Table, check_names, collect
from bert_tf.data.text_files import Row, csv_rows, json_rows, tsv_rows
from bert_tf.errors import UserError, did_you_mean


@dataclass(frozen=True, kw_only=True)
class Source(abc.ABC):
    """What all sources share: any of them also reads `tfds:NAME` and `hf:NAME`.

    Args:
        hub_names: for a column of ours, its name at tfds and hf, where it differs.
        hub_splits: for a split of ours, its name at tfds and hf, where it differs.
    """

    hub_names: Mapping[str, str] = field(default_factory=dict)
    hub_splits: Mapping[str, str] = field(default_factory=dict)

    has_own_place: ClassVar[bool] = True
    """Whether the source itself says where the data is: in memory, or at a hub."""

    def open(
        self,
        where: str | os.PathLike[str] | None,
        split: str,
        parsers: Parsers,
        *,
        optional: Collection[str] = (),
        skip_bad_rows: bool = False,
        adapt: Callable[[Iterable[Any], str], Iterable[Any]] | None = None,
    ) -> Table:
        """Reads and checks one split.

        Args:
            where: a folder, a file (whatever the split), `tfds:NAME`, `hf:NAME`, or None: the source's own.
            split: "train", "validation", or what else the source has.
            parsers: for every column asked for, what turns its cell into a value: `text`, `class_index(classes)`,
                `number(low, high)` or any function that raises ValueError.
            optional: columns that the data may lack; then they are not in the table.
            skip_bad_rows: leave bad rows out and count them.
            adapt: see `bert_tf.data.table.collect`.
        Raises: UserError that names file and line, and says what was expected and what came.
        """
        options = {"optional": optional, "skip_bad_rows": skip_bad_rows, "adapt": adapt}
        if hubs.is_hub(where):
            names = {name: self.hub_names.get(name, name) for name in parsers}
            found, rows = hubs.read(str(where), self.hub_splits.get(split, split), names)
            check_names(found, parsers, optional, str(where))
            return collect(rows, parsers, origin=f"{where} {split}", has_lines=False, **options)
        return self._open(where, split, parsers, **options)

    takes_patterns: ClassVar[bool] = False
    """Whether a place may be a pattern of files' names, and one file may hold every split."""

    @abc.abstractmethod
    def _open(self, where: str | os.PathLike[str] | None, split: str, parsers: Parsers, **options: Any) -> Table: ...


@dataclass(frozen=True, kw_only=True)
class FileSource(Source):
    """A file a split.

    Args:
        files: for each split, its file in the folder; gzipped with `.gz` after the name as well.
    """

    files: Mapping[str, str]

    has_own_place: ClassVar[bool] = False

    def path(self, where: str | os.PathLike[str] | None, split: str) -> Path:
        """The file of a split. Raises: UserError if it is not there."""
        if where is None:
            raise UserError("expected a folder or file with the data. Received: none")
        place = Path(where).expanduser()
        if place.is_file():
            return place
        if not place.is_dir():
            raise UserError(f"{place}: expected a folder or file with the data. Received: no such file or folder")
        if split not in self.files:
            raise UserError(
                f"expected a split of {', '.join(self.files)}. Received: {split!r}.{did_you_mean(split, self.files)}"
            )
        for path in (place / self.files[split], place / f"{self.files[split]}.gz"):
            if path.is_file():
                return path
        inside = sorted(entry.name for entry in place.iterdir())
        came = ", ".join(inside[:10]) + (f" and {len(inside) - 10} more" if len(inside) > 10 else "")
        raise UserError(f"{place}: expected the file {self.files[split]}. Received: {came or 'an empty folder'}")

    def _open(self, where: str | os.PathLike[str] | None, split: str, parsers: Parsers, **options: Any) -> Table:
        path = self.path(where, split)
        names, rows = self._read(path)
        if names:
            check_names(names, parsers, options["optional"], f"{path}:1")
        return collect(rows, parsers, origin=str(path), **options)

    @abc.abstractmethod
    def _read(self, path: Path) -> tuple[Sequence[str], Iterator[Row]]:
        """The names of the columns, none where rows name their own, and the rows."""


@dataclass(frozen=True, kw_only=True)
class Tsv(FileSource):
    """GLUE's format: UTF-8, a row a line, cells separated by tabs, nothing quoted.

    Args:
        columns: names of the columns, needed where there is no header; they stand in for a header's names.
        header: whether the first line names the columns.
    """

    columns: tuple[str, ...] | None = None
    header: bool = True

    def __post_init__(self) -> None:
        _check_columns(self.columns, self.header)

    def _read(self, path: Path) -> tuple[Sequence[str], Iterator[Row]]:
        return tsv_rows(path, self.columns, self.header)


@dataclass(frozen=True, kw_only=True)
class Csv(FileSource):
    """UTF-8, cells separated by commas, quoted with `"` where they hold commas, quotes or line ends.

    Args:
        columns: names of the columns, needed where there is no header; they stand in for a header's names.
        header: whether the first row names the columns.
        delimiter: what stands between cells.
    """

    columns: tuple[str, ...] | None = None
    header: bool = True
    delimiter: str = ","

    def __post_init__(self) -> None:
        _check_columns(self.columns, self.header)

    def _read(self, path: Path) -> tuple[Sequence[str], Iterator[Row]]:
        return csv_rows(path, self.columns, self.header, self.delimiter)


@dataclass(frozen=True, kw_only=True)
class JsonLines(FileSource):
    """UTF-8, a JSON object a line, whose keys are the columns."""

    def _read(self, path: Path) -> tuple[Sequence[str], Iterator[Row]]:
        return (), json_rows(path)


@dataclass(frozen=True)
class InMemory(Source):
    """Rows that are Python objects already.

    Args:
        splits: for each split a list of dicts, a dict of lists or a pandas DataFrame.
    """

    splits: Mapping[str, Any]

    def _open(self, where: str | os.PathLike[str] | None, split: str, parsers: Parsers, **options: Any) -> Table:
        if where is not None:
            raise UserError(f"this task has its data in memory: expected no place to read. Received: {where}")
        if split not in self.splits:
            raise UserError(
                f"expected a split of {', '.join(self.splits)}. Received: {split!r}.{did_you_mean(split, self.splits)}"
            )
        return collect(enumerate(_dicts(self.splits[split])), parsers, origin=split, has_lines=False, **options)


@dataclass(frozen=True)
class Tfds(Source):
    """A set of TensorFlow Datasets, as `tfds:NAME` for any other source; needs the extra `tfds`.

    Args:
        name: as `tfds.load` takes it: "glue/sst2".
    """

    name: str

    def _open(self, where: str | os.PathLike[str] | None, split: str, parsers: Parsers, **options: Any) -> Table:
        _check_nowhere(where)
        return self.open(f"tfds:{self.name}", split, parsers, **options)


@dataclass(frozen=True)
class HuggingFaceDataset(Source):
    """A set of the Hugging Face hub, as `hf:NAME` for any other source; needs the extra `datasets`.

    Args:
        name: "org/name" or "org/name:config", or a local folder.
    """

    name: str

    def _open(self, where: str | os.PathLike[str] | None, split: str, parsers: Parsers, **options: Any) -> Table:
        _check_nowhere(where)
        return self.open(f"hf:{self.name}", split, parsers, **options)


def _check_columns(columns: tuple[str, ...] | None, header: bool) -> None:
    if isinstance(columns, str) or (columns is None and not header):
        raise ValueError(f"`columns` must be a tuple of names where there is no header. Received: columns={columns!r}")


def _check_nowhere(where: object) -> None:
    if where is not None:
        raise UserError(f"this task's data are at a hub: expected tfds:NAME or hf:NAME, or nothing. Received: {where}")


def _dicts(rows: Any) -> Iterator[Mapping[str, Any]]:
    if hasattr(rows, "to_dict") and hasattr(rows, "columns"):  # a DataFrame, without importing pandas
        rows = {str(name): rows[name].tolist() for name in rows.columns}
    if not isinstance(rows, Mapping):
        yield from rows
        return
    sizes = {name: len(values) for name, values in rows.items()}
    if len(set(sizes.values())) > 1:
        raise ValueError(f"`splits` must have columns of one length. Received: {sizes}")
    for values in zip(*rows.values(), strict=True):
        yield dict(zip(rows, values, strict=True))
