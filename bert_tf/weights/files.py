"""Writes folders so that nothing half-written is ever seen under the final name."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bert_tf.disk.locks import lock
from bert_tf.disk.whole import sync_folder, sync_tree, writing
from bert_tf.disk.work_folders import work_folder
from bert_tf.errors import UserError


@contextlib.contextmanager
def written_folder(folder: str | os.PathLike[str], stale: tuple[str, ...] = ()) -> Iterator[Path]:
    """Gives a work folder beside `folder`; its files get their final names when the block ends without an error.

    A new folder appears in one rename. In a folder that is there already each file is replaced in one rename, the
    largest first, so that the description comes after the weights; other files in it stay.

    Args:
        folder: the final name; folders around it are made, and taken away again after an error.
        stale: patterns of files of an earlier save that are removed where this one wrote no such file.
    Raises: UserError if the place cannot be written, or another process is writing it.
    """
    final = Path(os.path.abspath(folder))  # noqa: PTH100 (a link stays one)
    made = [parent for parent in final.parents if not parent.exists()]  # the innermost first
    try:
        with writing(folder):
            final.parent.mkdir(parents=True, exist_ok=True)
            with lock(final.with_name(f".{final.name}.lock"), folder), work_folder(final) as work:
                yield work
                _finish(work, final, stale)
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror or error}") from error
    finally:
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


def _finish(work: Path, final: Path, stale: tuple[str, ...]) -> None:
    """Gives the files their names, when their content is on the disk."""
    work.chmod(0o777 & ~_umask())
    for file in work.rglob("*"):
        if file.is_file():  # some writers make files that only their owner can read
            file.chmod(0o666 & ~_umask())
    sync_tree(work)
    if final.is_dir():
        _replace_files(work, final, stale)
        sync_tree(final)
    else:
        work.rename(final)
    sync_folder(final.parent)


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
