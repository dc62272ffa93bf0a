"""Which split a name stands for: of a file, or in a column."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from bert_tf.data.files.open_file import PACKED
from bert_tf.errors import UserError

TRAIN, VALIDATION, TEST = "train", "validation", "test"
WORDS = {
    **dict.fromkeys(("train", "training", "trn"), TRAIN),
    **dict.fromkeys(("validation", "valid", "val", "dev", "development", "eval"), VALIDATION),
    **dict.fromkeys(("test", "testing", "tst"), TEST),
}
"""What splits are called -> ours."""


def split_called(name: object) -> str | None:
    """The split of this name; None of another one.

    >>> split_called(" Dev"), split_called("other")
    ('validation', None)
    """
    return WORDS.get(name.strip().casefold()) if isinstance(name, str) else None


def split_files(folder: Path, suffixes: Collection[str]) -> dict[str, Path]:
    """Split -> its file in a folder: that of the whole name, else the only one with such a word in its name.

    Where no name says so, the folder's only file is that of "train".

    Args:
        suffixes: of the files that are looked at, without one of packing.
    Raises: UserError where there is no file for training, or several may be one split's.
    """
    files = data_files(folder, suffixes)
    found: dict[str, list[Path]] = {}
    whole: dict[str, list[Path]] = {}
    for path in files:
        stem = _whole_name(path).removesuffix(_suffix(path))  # "a.dev" of a.dev.conll.gz
        if split := split_called(stem):
            whole.setdefault(split, []).append(path)
        words = {split_called(word) for word in re.split(r"[^A-Za-z]+", stem)} - {None}
        if len(words) == 1:
            found.setdefault(str(words.pop()), []).append(path)
    chosen = {split: whole.get(split, paths) for split, paths in found.items()}
    for split, paths in chosen.items():
        if len(paths) > 1:
            raise UserError(
                f"{folder}: expected one file for {split}. Received: {', '.join(path.name for path in paths)}; "
                "give one with --data=FILE"
            )
    if TRAIN not in chosen and len(files) == 1:
        return {TRAIN: files[0]}
    if TRAIN not in chosen:
        came = ", ".join(path.name for path in files[:10]) or "no file of data"
        raise UserError(
            f"{folder}: expected a file with train in its name, or one file alone. Received: {came}; give one with "
            "--data=FILE"
        )
    return {split: paths[0] for split, paths in sorted(chosen.items(), key=lambda item: list(WORDS).index(item[0]))}


def data_files(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """The files of a folder that may be data, by their suffixes, without hidden ones."""
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and _suffix(path) in suffixes]
    return [path for path in files if not path.name.startswith((".", "_"))]


def _suffix(path: Path) -> str:
    return Path(_whole_name(path)).suffix


def _whole_name(path: Path) -> str:
    """A file's name in lower case, without a suffix of packing."""
    name = path.name.lower()
    for _, _, packed in PACKED.values():
        name = name.removesuffix(packed)
    return name
