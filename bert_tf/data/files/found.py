"""Several files by one name: those of a folder, or those that a pattern finds."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from bert_tf.data.files.open_file import DataFile
from bert_tf.data.files.text import decoding_error, read_text
from bert_tf.errors import UserError

TEXT_SUFFIXES = (".txt", ".text", ".md", ".markdown", ".rst")
"""Of files that hold one text, as people write them."""
WILD = re.compile(r"[*?\[]")


class FoundFile(NamedTuple):
    """A file, and its name below the folder that was asked for, with /."""

    path: Path
    name: str

    @property
    def suffix(self) -> str:
        """As `DataFile` has it: without one of packing."""
        return DataFile(self.path).suffix


def is_several(name: str) -> bool:
    """Whether a name stands for several files: a folder's, or a pattern where no file is called so."""
    path = Path(name).expanduser()
    return path.is_dir() or (WILD.search(name) is not None and not path.exists())


def found_files(name: str, suffixes: Collection[str], flag: str) -> list[FoundFile]:
    """The files of a folder that end in one of `suffixes`, or all files that a pattern finds, by their names.

    Of a folder those in folders within it too, but none whose name, or whose folder's, begins with a dot. In a pattern
    ** stands for any folders.

    Args:
        flag: that gave the name, for messages.
    Raises: UserError where there is none.
    """
    place = Path(name).expanduser()
    if place.is_dir():
        every = sorted(path for path in place.rglob("*") if path.is_file())
        names = [(path, path.relative_to(place)) for path in every]
        found = [
            FoundFile(path, inner.as_posix())
            for path, inner in names
            if DataFile(path).suffix in suffixes and not any(part.startswith(".") for part in inner.parts)
        ]
        if not found:
            ends = ", ".join(suffix for suffix in suffixes if suffix)
            came = f"{len(every)} files of other names" if every else "an empty folder"
            raise UserError(f"{flag}={name}: expected a folder with files ending in {ends}. Received: {came}")
        return found
    pattern = os.path.expanduser(name)  # noqa: PTH111 (a Path would lose a / at the end)
    paths = sorted(Path(path) for path in glob.glob(pattern, recursive=True))  # noqa: PTH207 (takes no pattern with ..)
    root = Path(pattern[: WILD.search(pattern).start()] + "x").parent  # type: ignore[union-attr]
    found = [FoundFile(path, path.relative_to(root).as_posix()) for path in paths if path.is_file()]
    if not found:
        came = f"{len(paths)} folders" if paths else "none"
        raise UserError(f"{flag}={name}: expected files of a name like this. Received: {came}")
    return found


def whole_file(path: Path, encoding: str | None = None, *, is_text: bool = False) -> str:
    """All of a text file, as one text, its lines ending in \\n.

    Args:
        is_text: whether somebody said that it is text, so that markup is text like any other.

    Raises: UserError that names the file for one that cannot be read, is no text, or is not in the encoding.
    """
    text = read_text(DataFile(path, encoding, is_text=is_text)).replace("\r\n", "\n")
    bad = None if text.isascii() else decoding_error(text, encoding)
    if bad is not None:
        raise UserError(f"{path}: {bad.reason}")
    return text
