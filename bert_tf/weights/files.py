"""Writes folders so that nothing half-written is ever seen under the final name."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bert_tf.errors import UserError


@contextlib.contextmanager
def written_folder(folder: str | os.PathLike[str], stale: tuple[str, ...] = ()) -> Iterator[Path]:
    """Gives a work folder beside `folder`; its files get their final names when the block ends without an error.

    A new folder appears in one rename. In a folder that is there already each file is replaced in one rename, the
    largest first, so that the description comes after the weights; other files in it stay.

    Args:
        folder: the final name; folders around it are made, and taken away again after an error.
        stale: patterns of files of an earlier save that are removed where this one wrote no such file.
    Raises: UserError if the place cannot be written.
    """
    final = Path(folder)
    made = [parent for parent in final.parents if not parent.exists()]  # the innermost first
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{final.name}.writing-", dir=final.parent))
    except OSError as error:
        raise UserError(f"{final} cannot be written: {error.strerror}") from error
    try:
        yield work
        work.chmod(0o777 & ~_umask())
        for file in work.rglob("*"):
            if file.is_file():  # some writers make files that only their owner can read
                file.chmod(0o666 & ~_umask())
        if final.is_dir():
            _replace_files(work, final, stale)
        else:
            work.rename(final)
    except OSError as error:
        raise UserError(f"{final} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
        for parent in made:  # where nothing came of it
            with contextlib.suppress(OSError):  # what holds something stays
                parent.rmdir()


def write_json(path: Path, value: Any) -> None:
    """Readable JSON, UTF-8."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def amend_json(path: Path, values: Mapping[str, Any]) -> None:
    """Sets some keys of a JSON object that is there already."""
    if values:
        write_json(path, {**json.loads(path.read_text(encoding="utf-8")), **values})


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """One string a line, UTF-8, whatever the machine's own line ends are."""
    path.write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8"))


def _replace_files(work: Path, final: Path, stale: tuple[str, ...]) -> None:
    files = sorted((file for file in work.rglob("*") if file.is_file()), key=lambda file: -file.stat().st_size)
    written = {final / file.relative_to(work) for file in files}
    for file in files:
        place = final / file.relative_to(work)
        place.parent.mkdir(parents=True, exist_ok=True)
        file.replace(place)
    for pattern in stale:
        for file in final.glob(pattern):
            if file not in written:
                file.unlink()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
