"""Rows of any source, and which of them are for training: by files, by a column, or by a share that is put aside."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from bert_tf.data.files import FORMATS
from bert_tf.data.files.hubs import is_hub
from bert_tf.data.rows.column import taken
from bert_tf.data.rows.quiet import quiet
from bert_tf.data.rows.table import BadRow, Parsers, Table
from bert_tf.data.sources.base import Source
from bert_tf.data.splits.draw import drawn, text_key
from bert_tf.data.splits.names import TRAIN, VALIDATION, WORDS, split_called, split_files
from bert_tf.errors import UserError

SUFFIXES = tuple(suffix for name, row in FORMATS.items() if name != "lines" for suffix in row.suffixes)


@dataclass(frozen=True, kw_only=True)
class Splits(Source):
    """Somebody's own data: a file, a folder, or rows in memory, with or without a part for validation.

    A folder's files are found by their names: see `bert_tf.data.splits.names.split_files`.

    Args:
        rows: reads a file, whatever the split; or has the rows in memory.
        validation: the file with the rows of "validation", where it is not in the folder.
        share: of the training rows, how many are put aside as "validation", in (0, 1); 0: none.
        same: columns; rows that are alike in all of them go to the same side.
        balance: columns of labels, of which each side gets its share; none: rows have none.
        column: the column that says which split a row belongs to, such as "train" or "dev".
        suffixes: of the files in a folder that are data.
        seed: of the draw.

    >>> from bert_tf.data import InMemory
    >>> rows = InMemory({"train": [{"text": word} for word in "abcde"]})
    >>> source = Splits(rows=rows, share=0.2, same=("text",))
    >>> [len(source.open(None, split, {"text": str})) for split in ("train", "validation")]
    [4, 1]
    """

    rows: Source
    validation: str | None = None
    share: float = 0.0
    same: tuple[str, ...] = ()
    balance: tuple[str, ...] = ()
    column: str | None = None
    suffixes: tuple[str, ...] = SUFFIXES
    seed: int = 1

    holds_splits: ClassVar[bool] = True

    @property
    def has_own_place(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.rows.has_own_place

    @property
    def hub(self) -> str | None:
        return self.validation if is_hub(self.validation) else self.rows.hub

    @property
    def reader(self) -> Source:
        return self.rows.reader

    def with_options(self, *, encoding: str | None, bad_rows_share: float) -> Splits:
        return replace(self, rows=self.rows.with_options(encoding=encoding, bad_rows_share=bad_rows_share))

    def for_new_data(self) -> Splits:
        """Of another file every row counts; a folder's files are still told apart by their names."""
        return replace(self, share=0.0, column=None, validation=None)

    def files(self, where: str | os.PathLike[str]) -> dict[str, Path]:
        """Split -> its file in the folder `where`. Raises: UserError where that cannot be told."""
        return split_files(Path(where).expanduser(), self.suffixes)

    def _open(self, where: str | os.PathLike[str] | None, split: str, parsers: Parsers, **options: Any) -> Table:
        if split == VALIDATION and self.validation is not None:
            return self.rows.open(self.validation, split, parsers, **_without_share(options))
        is_drawn = bool(self.share) and split in (TRAIN, VALIDATION)
        read = TRAIN if is_drawn or self.column is not None else split
        adapt = options.get("adapt")
        if self.column is not None:
            options |= {"adapt": self._of_split(TRAIN if is_drawn else split, adapt)}
        place = self._place(where, read, split)
        if not is_drawn:
            return self.rows.open(place, read, parsers, **_without_share(options))
        also = {name: _as_it_is for name in (*self.same, *self.balance) if name not in parsers}
        with quiet(split == VALIDATION):  # what is to be said of the file was said when the training rows were read
            table = self.rows.open(place, read, {**parsers, **also}, **_without_share(options))
        return self._part(table, split, parsers)

    def _place(self, where: str | os.PathLike[str] | None, read: str, split: str) -> str | os.PathLike[str] | None:
        if where is None or self.rows.reads_folders:
            return where
        if not Path(where).expanduser().is_dir():
            if self.column is None and read not in (TRAIN, VALIDATION) and (self.share or self.validation):
                raise UserError(f"{where}: expected a split of train, validation. Received: {split!r}")
            return where
        files = self.files(where)
        if read not in files:
            came = ", ".join(f"{name} ({path.name})" for name, path in files.items())
            raise UserError(f"{where}: expected a file for the split {split}. Received: {came}")
        return files[read]

    def _part(self, table: Table, split: str, parsers: Parsers) -> Table:
        size = len(table)
        same = [table.columns[name] for name in self.same if name in table.columns]
        keys = [tuple(map(text_key, cells)) for cells in zip(*same, strict=True)] if same else list(range(size))
        aside = drawn(keys, self._labels(table), share=self.share, seed=self.seed)
        if not any(aside):
            raise UserError(
                f"{table.origin}: expected rows that can be put aside for validation, with another of every class left "
                f"for training. Received: {size} rows, {len(set(keys))} of them different; give more, or a file of "
                "their own with --validation=FILE"
            )
        chosen = [row for row in range(size) if aside[row] == (split == VALIDATION)]
        return dataclasses.replace(
            table,
            columns={name: taken(values, chosen) for name, values in table.columns.items() if name in parsers},
            numbers=taken(table.numbers, chosen),
        )

    def _labels(self, table: Table) -> list[tuple[Any, ...]] | None:
        held = [name for name in self.balance if name in table.columns]
        if not held:
            return None
        if len(held) > 1:  # a column a label, of 0 and 1
            rows = zip(*(table.columns[name] for name in held), strict=True)
            return [tuple(name for name, cell in zip(held, cells, strict=True) if cell) for cells in rows]
        return [tuple(cell) if isinstance(cell, list | tuple) else (cell,) for cell in table.columns[held[0]]]

    def _of_split(self, split: str, adapt: Callable[..., Any] | None) -> Callable[[Iterable[Any], str], Iterator[Any]]:
        """Only the rows of one split, and then what `adapt` makes of them."""
        column = self.column

        def chosen(rows: Iterable[Any], origin: str) -> Iterator[Any]:
            for number, row in rows:
                found = None if isinstance(row, BadRow) else split_called(row.get(column))
                if found is None and not isinstance(row, BadRow):
                    came = f"Received: {row.get(column)!r:.80}"
                    yield number, BadRow(f"column {column!r}: expected one of {', '.join(WORDS)}. {came}")
                elif found in (None, split):
                    yield number, row

        return chosen if adapt is None else lambda rows, origin: adapt(chosen(rows, origin), origin)


def _as_it_is(cell: Any) -> Any:
    return cell


def _without_share(options: dict[str, Any]) -> dict[str, Any]:
    """Of `collect`'s options those of `Source.open`, which puts its own share of bad rows in."""
    return {name: value for name, value in options.items() if name != "bad_rows_share"}
