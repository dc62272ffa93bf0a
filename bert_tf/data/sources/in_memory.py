"""Rows that are Python objects already."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bert_tf.data.files import Row, hubs
from bert_tf.data.files.columnar import class_name
from bert_tf.data.rows.cells import shown
from bert_tf.data.rows.table import BadRow, Parsers, Table, collect
from bert_tf.data.sources.base import Source
from bert_tf.errors import UserError, did_you_mean


@dataclass(frozen=True)
class InMemory(Source):
    """Rows that are Python objects already.

    Args:
        splits: for each split a list of dicts, a dict of lists, a DataFrame of pandas or polars, a table of pyarrow, or
            a set of Hugging Face's `datasets`, whose labels come by their class's name.

    >>> source = InMemory({"train": [{"text": "a good film", "label": 1}, {"text": "a bad film", "label": 0}]})
    >>> source.open(None, "train", {"label": int}).columns["label"]
    [1, 0]
    """

    splits: Mapping[str, Any]

    def rows(self, split: str) -> Iterator[Mapping[str, Any]]:
        """The rows of a split, whatever holds them, unchecked; those that are no dicts are left out."""
        return (row for row in _dicts(self.splits[split], {}, split) if isinstance(row, Mapping))

    def _open(self, where: str | os.PathLike[str] | None, split: str, parsers: Parsers, **options: Any) -> Table:
        if where is not None:
            raise UserError(f"this task has its data in memory: expected no place to read. Received: {where}")
        if split not in self.splits:
            raise UserError(
                f"expected a split of {', '.join(self.splits)}. Received: {split!r}.{did_you_mean(split, self.splits)}"
            )
        rows = _mappings(_dicts(self.splits[split], parsers, split))
        return collect(rows, parsers, origin=split, has_lines=False, **options)


def _dicts(rows: Any, parsers: Parsers, split: str) -> Iterator[Any]:
    """Rows of whatever holds them, by what it can do, so that no library of tables need be imported."""
    classes = {}
    if hasattr(rows, "column_names"):  # a set of `datasets`, or a table of pyarrow
        classes = hubs.class_names(getattr(rows, "features", None) or {})
        rows = rows.to_pylist() if hasattr(rows, "to_pylist") else rows
    elif hasattr(rows, "to_dict") and hasattr(rows, "columns"):  # a DataFrame
        names = [str(name) for name in rows.columns]
        for name in parsers:
            if names.count(name) > 1:
                raise UserError(f"{split}: expected one column {name!r}. Received: {names.count(name)} of this name")
        columns = [name for name in rows.columns if names.count(str(name)) == 1]
        rows = {str(name): _listed(rows[name]) for name in columns}
    if isinstance(rows, Mapping):
        sizes = {name: len(values) for name, values in rows.items()}
        if len(set(sizes.values())) > 1:
            raise ValueError(f"`splits` must have columns of one length. Received: {sizes}")
        names, columns = list(rows), list(rows.values())
        rows = (dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True))
    for row in rows:
        yield {**row, **{name: class_name(classes[name], row[name]) for name in classes}} if classes else row


def _listed(column: Any) -> Any:
    return column.tolist() if hasattr(column, "tolist") else column.to_list()


def _mappings(rows: Iterator[Any]) -> Iterator[Row]:
    for number, row in enumerate(rows):
        is_row = isinstance(row, Mapping)
        yield number, row if is_row else BadRow(f"expected a dict of columns. Received: {shown(row)}")
