"""A folder of flat arrays and their description: mapped into memory, never held; whole, or made again.

It is made under another name and renamed, so what is there is whole unless the disk has damaged it since; its name is
that of what it was made of, so it is never out of date.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from bert_tf.disk.whole import checksums, damage
from bert_tf.errors import UserError

DESCRIPTION, CHECKSUMS, ARRAYS = "store.json", "checksums", "arrays"
LOG = logging.getLogger(__name__)
T = TypeVar("T")


def cache_folder(asked: str | None) -> Path:
    """Where is kept what can be made again: the folder asked for; None: bert_tf in $XDG_CACHE_HOME or ~/.cache."""
    if asked is not None:
        return Path(asked).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "bert_tf"


def describe(folder: Path, described: Mapping[str, Any]) -> None:
    """Writes the description of the arrays that lie in a folder, which makes them a store.

    Args:
        described: has, as `arrays`, of each the name, the NumPy type and the shape, or the number of values.
    """
    (folder / DESCRIPTION).write_text(json.dumps({**described, CHECKSUMS: checksums(folder)}, indent=2) + "\n")


def description(folder: Path) -> dict[str, Any]:
    """What `describe` wrote. Raises: OSError, ValueError."""
    return json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))


def mapped_arrays(folder: Path) -> dict[str, np.ndarray]:
    """The arrays, mapped into memory. Raises: UserError if their files are not of the sizes that are described."""
    arrays: dict[str, np.ndarray] = {}
    for name, (dtype, size) in description(folder)[ARRAYS].items():
        path, shape = folder / f"{name}.bin", (size,) if isinstance(size, int) else tuple(size)
        count = int(np.prod(shape))
        if np.dtype(dtype).kind not in "iuf":
            raise UserError(f"{folder / DESCRIPTION}: expected numbers. Received: {dtype!r}")
        if not path.is_file() or path.stat().st_size != np.dtype(dtype).itemsize * count:
            raise UserError(f"{path}: expected {count} numbers of {dtype}. Delete {folder} to make it again")
        arrays[name] = np.memmap(path, dtype, "r", shape=shape) if count else np.zeros(shape, dtype)
    return arrays


def whole(folder: Path, opened: Callable[[Path], T], what: str, *, said: bool = False) -> T | None:
    """A store, where it is there and its files are those that were written, byte for byte; else None.

    Args:
        opened: opens it.
        what: is in it, for the warning.
        said: whether one that is there and is not whole is named in a warning.
    """
    if not folder.is_dir():
        return None
    found = None
    try:
        described = description(folder)
        missing = {f"{name}.bin" for name in described[ARRAYS]} - set(described.get(CHECKSUMS, ()))
        why = "it is of an earlier version" if missing else damage(folder, described[CHECKSUMS])
        if why is None:
            found = opened(folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, UserError) as error:
        why = str(error) if isinstance(error, OSError | UserError) else f"{DESCRIPTION} is not as it was written"
    if why is not None and said:
        LOG.warning("%s in %s cannot be used and is made again: %s", what, folder, why)
    return found
