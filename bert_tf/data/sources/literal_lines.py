"""Files with a dict a line, as JSON or as Python writes it, in a folder or in a zip archive."""

from __future__ import annotations

import ast
import json
import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from bert_tf.data.files import Row, read_text
from bert_tf.data.rows.cells import shown
from bert_tf.data.rows.table import BadRow
from bert_tf.data.sources.base import FileSource
from bert_tf.errors import UserError
from bert_tf.guard import bounded


@dataclass(frozen=True, kw_only=True)
class LiteralLines(FileSource):
    r"""UTF-8, one dict on each line, whose keys are the columns: JSON, or a literal of Python (in single quotes, say).

    Args:
        archive: a zip archive in the folder that holds the files, where they do not lie in the folder itself.

    >>> import pathlib, tempfile
    >>> source = LiteralLines(files={"train": "train.txt"})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pathlib.Path(folder, "train.txt").write_text("{'text': 'a film', 'label': 1}\n")
    ...     table = source.open(folder, "train", {"text": str})
    >>> table.columns["text"]
    ['a film']
    """

    archive: str | None = None

    own_suffixes: ClassVar[tuple[str, ...]] = (".json", ".jsonl", ".ndjson")

    def path(self, where: str | os.PathLike[str] | None, split: str) -> Path:
        place = Path(where).expanduser() if where is not None else None
        if place is not None and self.archive is not None and split in self.files:
            outer = place if place.suffix == ".zip" else place / self.archive
            inner = place / self.files[split]
            if outer.is_file() and not inner.is_file():
                return outer / self.files[split]
        return super().path(where, split)

    def _read(self, path: Path) -> tuple[Sequence[str], Iterator[Row]]:
        outer = next((parent for parent in path.parents if parent.suffix == ".zip" and parent.is_file()), None)
        text = (
            read_text(path, self.encoding)
            if outer is None
            else _member(outer, path.relative_to(outer).as_posix(), self.encoding)
        )
        return (), _rows(text)


def _member(archive: Path, name: str, encoding: str | None) -> str:
    try:
        with zipfile.ZipFile(archive) as file:
            if name not in file.namelist():
                raise UserError(f"{archive}: expected the file {name} in it. Received: {shown(file.namelist(), 200)}")
            packed = bounded(file.open(name), archive.stat().st_size, archive)
            return packed.read().decode(encoding or "utf-8")
    except (zipfile.BadZipFile, OSError, UnicodeDecodeError) as error:
        raise UserError(f"{archive}: expected a zip archive with UTF-8 text in {name}. Received: {error}") from None


def _rows(text: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, _row(line.removesuffix("\r"))


def _row(line: str) -> dict[str, Any] | BadRow:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        try:
            value = ast.literal_eval(line.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
            return BadRow(f"expected a dict, as JSON or Python writes it. Received: {shown(line)} ({error})")
    if isinstance(value, dict):
        return value
    return BadRow(f"expected a dict, as JSON or Python writes it. Received: {shown(line)}")
