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
    remove_leftovers(final)
    work = final.with_name(f".{final.name}{WORK}{secrets.token_hex(4)}")
    # The lock comes before the folder and goes after it: a folder without one is nobody's.
    with lock(work.with_name(f"{work.name}{LOCK}"), final):
        work.mkdir(mode=0o700)
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


def remove_leftovers(final: Path) -> list[Path]:
    """Takes away the work folders of `final` whose processes are no more. Returns: them."""
    removed = []
    prefix = f".{final.name}{WORK}"
    for path in final.parent.iterdir() if final.parent.is_dir() else ():
        if not path.name.startswith(prefix) or is_locked(path.with_name(f"{path.name.removesuffix(LOCK)}{LOCK}")):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
            removed.append(path)
        elif path.name.endswith(LOCK):
            path.unlink(missing_ok=True)
    return removed
