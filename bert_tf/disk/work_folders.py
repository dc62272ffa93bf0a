"""Folders in which something is made before it gets its name; those of killed processes are taken away."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from bert_tf.disk.locks import is_locked, lock

WORK, LOCK = ".writing-", ".lock"


@contextlib.contextmanager
def work_folder(final: Path) -> Iterator[Path]:
    """Gives an empty folder beside `final`, gone at the end unless it was renamed.

    It is locked meanwhile, so that others tell it from one whose process was killed; such ones, of the same final
    name, are taken away first.

    Args:
        final: what it will be called; the folder around it is there.
    Raises: OSError where it cannot be made.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with work_folder(Path(folder, "model")) as work:
    ...         started = work.name.startswith(".model.writing-")
    ...     started, list(Path(folder).iterdir())
    (True, [])
    """
    remove_leftovers(final.parent, final.name)
    work = final.with_name(f".{final.name}{WORK}{secrets.token_hex(4)}")
    # The lock comes before the folder and goes after it: a folder without one is nobody's.
    with lock(work.with_name(f"{work.name}{LOCK}"), final):
        work.mkdir(mode=0o700)
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


def remove_leftovers(folder: Path, name: str = "") -> list[Path]:
    """Takes away the work folders that lie in `folder` and whose processes are no more.

    Args:
        name: the final name of which they are; "": of any.
    Returns: them.
    """
    removed = []
    for path in list(folder.iterdir()) if folder.is_dir() else ():
        if not path.name.startswith(f".{name}{WORK}" if name else ".") or WORK not in path.name:
            continue
        if is_locked(path.with_name(f"{path.name.removesuffix(LOCK)}{LOCK}")):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
            removed.append(path)
        elif path.name.endswith(LOCK):
            path.unlink(missing_ok=True)
    return removed
