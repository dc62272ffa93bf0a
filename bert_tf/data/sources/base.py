"""Where a task's rows come from: files, a split each; or a hub, as `tfds:NAME` and `hf:NAME`."""

from __future__ import annotations

import abc
import logging
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from bert_tf.data.files import FORMATS, DataFile, Notes, Row, Rows, Wanted, format_of, hubs, read_rows
from bert_tf.data.rows.bad_rows import SHARE
from bert_tf.data.rows.table import BadRow, Parsers, Table, check_names, collect
from bert_tf.errors import UserError, did_you_mean

OTHER_SUFFIXES = frozenset(
    suffix for name, row in FORMATS.items() if name != "lines" for suffix in row.suffixes
)  # a file so named is of that format, whatever the task's own is
PACKED_SUFFIXES = (".gz", ".bz2", ".xz")
REFUSED = ("reject", "ignore")
"""What `answer` says in Prodigy's files where a row's label is not right."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Source(abc.ABC):
    """What all sources share: any of them also reads `tfds:NAME` and `hf:NAME`.

    Args:
        hub_names: for a column of ours, its name at tfds and hf, where it differs.
        hub_splits: for a split of ours, its name at tfds and hf, where it differs.
        encoding: of files, as Python calls it ("cp1252"); None: UTF-8, or what a file's byte order mark says.
        bad_rows_share: largest share of a split's rows that may be left out when they are bad.

    >>> from bert_tf.data import Csv
    >>> source = Csv(files={"train": "train.csv"}, hub_names={"text": "sentence"}, encoding="cp1252")
    >>> isinstance(source, Source), source.encoding
    (True, 'cp1252')
    """

    hub_names: Mapping[str, str] = field(default_factory=dict)
    hub_splits: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    bad_rows_share: float = SHARE

    has_own_place: ClassVar[bool] = True
    """Whether the source itself says where the data is: in memory, or at a hub."""

    @property
    def hub(self) -> str | None:
        """The place at a hub that the source itself names, `tfds:NAME` or `hf:NAME`; None: it names none."""
        return None

    def with_options(self, *, encoding: str | None, bad_rows_share: float) -> Source:
        """The same source as a run has it read; its own encoding stays where the run names none."""
        return replace(self, encoding=encoding or self.encoding, bad_rows_share=bad_rows_share)

    def for_new_data(self) -> Source:
        """The same source for other data than a run's own; here as it is."""
        return self

    @property
    def reader(self) -> Source:
        """What reads files, where the source only chooses among their rows; here the source itself."""
        return self

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
            skip_bad_rows: leave bad rows out and count them, up to `bad_rows_share`.
            adapt: see `bert_tf.data.rows.table.collect`.
        Raises: UserError that names file and line, and says what was expected and what came.
        """
        options: dict[str, Any] = {"optional": optional, "skip_bad_rows": skip_bad_rows}
        options |= {"bad_rows_share": self.bad_rows_share, "adapt": adapt}
        if hubs.is_hub(where):
            return self._open_hub(str(where), split, parsers, **options)
        return self._open(where, split, parsers, **options)

    def _open_hub(self, where: str, split: str, parsers: Parsers, **options: Any) -> Table:
        names = {name: self.hub_names.get(name, name) for name in parsers}
        found, rows = hubs.read(where, self.hub_splits.get(split, split), names)
        check_names(found, parsers, options["optional"], where)
        return collect(rows, parsers, origin=f"{where} {split}", has_lines=False, **options)

    def wanted(self, parsers: Parsers, optional: Collection[str]) -> Wanted:
        """What readers of files are to know of the columns asked for."""
        return Wanted(
            required=tuple(name for name in parsers if name not in optional),
            optional=tuple(name for name in parsers if name in optional),
            aliases=self.hub_names,
            reads={name: read for name, read in parsers.items() if not _takes_any_text(read)},
        )

    takes_patterns: ClassVar[bool] = False
    """Whether a place may be a pattern of files' names, and one file may hold every split."""
    holds_splits: ClassVar[bool] = False
    """Whether one file may hold the rows of training and of validation."""
    reads_folders: ClassVar[bool] = False
    """Whether a split is more than one file, which the source finds in a folder."""

    @abc.abstractmethod
    def _open(self, where: str | os.PathLike[str] | None, split: str, parsers: Parsers, **options: Any) -> Table: ...


@dataclass(frozen=True, kw_only=True)
class FileSource(Source):
    """One file for each split. A file of another known format is read as its suffix says: CSV, TSV, JSON, Parquet
    or Excel.

    Args:
        files: for each split, its file in the folder; gzipped with `.gz` after the name as well. Where it is not there,
            but one file of the same name with another known suffix is, that one is read, which is said.
    """

    files: Mapping[str, str]

    has_own_place: ClassVar[bool] = False
    own_suffixes: ClassVar[tuple[str, ...]] = ()
    """Suffixes of files that the source reads in its own way, though the table of formats has them too."""

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
        exact = self.exact_path(place, split)
        if exact is not None:
            return exact
        name = self.files[split]
        others = [path for path in _same_name(place / name) if path.name not in self.files.values()]
        if len(others) == 1:
            logger.warning("%s: read in the place of %s, which is not there", others[0], name)
            return others[0]
        inside = sorted(entry.name for entry in place.iterdir())
        came = ", ".join(inside[:10]) + (f" and {len(inside) - 10} more" if len(inside) > 10 else "")
        raise UserError(
            f"{place}: expected the file {name}. Received: {came or 'an empty folder'}{self._remedy(split)}"
        )

    @property
    def declared_suffixes(self) -> set[str]:
        """Suffixes of the files that `files` names."""
        return {DataFile(Path(name)).suffix for name in self.files.values()}

    def exact_path(self, folder: Path, split: str) -> Path | None:
        """The file of a split by its own name, or packed; None where there is none."""
        if split not in self.files:
            return None
        paths = (folder / f"{self.files[split]}{packed}" for packed in ("", *PACKED_SUFFIXES))
        return next((path for path in paths if path.is_file()), None)

    def _remedy(self, split: str) -> str:
        if split != "validation":
            return ""
        return ". A model is chosen by its score on this split: name the file so, or put some training rows aside in it"

    def _open(self, where: str | os.PathLike[str] | None, split: str, parsers: Parsers, **options: Any) -> Table:
        path = self.path(where, split)
        return table_of(self.rows_of(path, self.wanted(parsers, options["optional"])), parsers, options)

    def rows_of(self, path: Path, wanted: Wanted) -> Rows:
        """The rows of a file: in the source's own format, but for a file whose suffix is another known format's."""
        file = DataFile(path, self.encoding)
        if file.suffix not in {*self.declared_suffixes, *self.own_suffixes} and file.suffix in OTHER_SUFFIXES:
            return read_rows(file, wanted, format_of(file))
        return self._read_own(file, wanted)

    def _read_own(self, file: DataFile, wanted: Wanted) -> Rows:
        assert file.path is not None
        names, rows = self._read(file.path)
        return Rows(names, rows, Notes(file.origin))

    def _read(self, path: Path) -> tuple[Sequence[str], Iterator[Row]]:
        """The names of the columns, none where rows name their own, and the rows."""
        raise NotImplementedError


@dataclass(frozen=True)
class Tfds(Source):
    """A set of TensorFlow Datasets, as `tfds:NAME` for any other source; needs the extra `tfds`.

    Args:
        name: as `tfds.load` takes it: "glue/sst2".

    >>> Tfds("glue/sst2").name
    'glue/sst2'
    """

    name: str

    @property
    def hub(self) -> str:
        return f"tfds:{self.name}"

    def _open(self, where: str | os.PathLike[str] | None, split: str, parsers: Parsers, **options: Any) -> Table:
        _check_nowhere(where)
        return self._open_hub(self.hub, split, parsers, **options)


@dataclass(frozen=True)
class HuggingFaceDataset(Source):
    """A set of the Hugging Face hub, as `hf:NAME` for any other source; needs the extra `datasets`.

    Args:
        name: "org/name" or "org/name:config", or a local folder.

    >>> HuggingFaceDataset("nyu-mll/glue:sst2").name
    'nyu-mll/glue:sst2'
    """

    name: str

    @property
    def hub(self) -> str:
        return f"hf:{self.name}"

    def _open(self, where: str | os.PathLike[str] | None, split: str, parsers: Parsers, **options: Any) -> Table:
        _check_nowhere(where)
        return self._open_hub(self.hub, split, parsers, **options)


def table_of(found: Rows, parsers: Parsers, options: Mapping[str, Any]) -> Table:
    """The checked columns of a file's rows; says what its reader noted.

    Args:
        options: of `collect`.
    Raises: UserError for a column that is not there, and as `collect`.
    """
    origin = found.notes.origin
    if found.names:
        is_other = not any(name in found.names for name in parsers)
        hint = " A file without a header needs columns=(...) and header=False in its source." if is_other else ""
        try:
            check_names(found.names, parsers, options["optional"], f"{origin}:1")
        except UserError as error:
            raise UserError(f"{error}{hint}") from None
    rows = map(_accepted, found.rows) if not found.names and "answer" not in parsers else found.rows
    table = collect(rows, parsers, origin=origin, has_lines=found.has_lines, **options)
    found.notes.tell()
    return table


def _accepted(row: Row) -> Row:
    """The row, or a bad one in its place where the annotators of Prodigy did not accept what it says."""
    number, cells = row
    if isinstance(cells, BadRow) or "_task_hash" not in cells or cells.get("answer") not in REFUSED:
        return row
    return number, BadRow(f"expected an annotation that was accepted. Received: 'answer': {cells['answer']!r}")


def _check_nowhere(where: object) -> None:
    if where is not None:
        raise UserError(f"this task's data are at a hub: expected tfds:NAME or hf:NAME, or nothing. Received: {where}")


def _same_name(path: Path) -> list[Path]:
    """Files of the same folder that have the name of `path` but for a suffix that is a known format's."""
    stem = path.name.removesuffix(path.suffix)
    names = [f"{stem}{suffix}{packed}" for suffix in sorted(OTHER_SUFFIXES) for packed in ("", *PACKED_SUFFIXES)]
    return [path.with_name(name) for name in names if path.with_name(name).is_file()]


def _takes_any_text(read: Any) -> bool:
    try:
        read("a name")
    except Exception:  # whatever a parser of somebody's own raises
        return False
    return True
