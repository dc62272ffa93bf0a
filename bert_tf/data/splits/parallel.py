"""Parallel texts in a folder, whose files' names say which split and which column they are."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from bert_tf.data.rows.table import Parsers, Table
from bert_tf.data.sources.base import Source
from bert_tf.data.sources.parallel import Parallel
from bert_tf.data.splits.names import split_called
from bert_tf.errors import UserError


@dataclass(frozen=True, kw_only=True)
class ParallelFolder(Source):
    """A folder with a file for each column of a split, such as train.de and train.en: see `Parallel`.

    Args:
        columns: the columns, which are what the files' names end in.

    >>> ParallelFolder(columns=("de", "en")).reads_folders
    True
    """

    columns: tuple[str, ...]

    has_own_place: ClassVar[bool] = False
    reads_folders: ClassVar[bool] = True

    def _open(self, where: str | os.PathLike[str] | None, split: str, parsers: Parsers, **options: Any) -> Table:
        folder = Path(where or "").expanduser()
        files: Mapping[str, Any] = {}
        if folder.is_dir():
            files = parallel_files(folder, self.columns)
            if split not in files:
                came = ", ".join(files) or "none"
                wanted = " and ".join(f"{split}.{column}" for column in self.columns)
                raise UserError(f"{folder}: expected the files {wanted}. Received: files of the splits {came}")
        names = {found: {name: path.name for name, path in columns.items()} for found, columns in files.items()}
        source = Parallel(files=names, encoding=self.encoding, hub_names=self.hub_names)
        return source._open(where, split, parsers, **options)


def parallel_files(folder: Path, columns: Sequence[str]) -> dict[str, dict[str, Path]]:
    """Split -> column -> its file, of those whose names end in a column's and say the split before.

    Splits that lack a column's file are left out.
    """
    found: dict[str, dict[str, Path]] = {}
    for path in sorted(folder.iterdir()):
        stem, _, end = path.name.removesuffix(".gz").rpartition(".")
        split = split_called(stem.partition(".")[0])
        if split is not None and end in columns and path.is_file():
            found.setdefault(split, {})[end] = path
    return {
        split: {name: files[name] for name in columns} for split, files in found.items() if len(files) == len(columns)
    }
