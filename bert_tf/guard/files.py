"""Files are opened if they are regular files of a bounded size: no pipe that never ends, no device."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path
from typing import Any

from bert_tf.errors import UserError

LARGEST_BYTES = 256 << 20
"""Of a file that is read whole: ten times the largest tokenizer.json of a published BERT."""
MOST_TIMES, FREE_BYTES = 100, 64 << 20
"""How many times its bytes, and how many bytes besides, a packed file may unpack to. Text is packed to a third or a
tenth, tables that repeat themselves to a fiftieth."""
KINDS = {
    stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}  # fmt: skip


def check_regular(path: str | os.PathLike[str], *, largest: int | None = None) -> int:
    """The size of a regular file, links followed, in bytes.

    Args:
        largest: the most bytes that it may have; None: any number.
    Raises: UserError for a folder, a pipe, a device or a socket, which may never end, and for one that is too large;
        OSError if there is none.
    """
    found = os.stat(path)  # noqa: PTH116 (of a str as well)
    if not stat.S_ISREG(found.st_mode):
        kind = KINDS.get(stat.S_IFMT(found.st_mode), "something else")
        raise UserError(f"{path}: expected a regular file. Received: {kind}")
    if largest is not None and found.st_size > largest:
        raise UserError(f"{path}: expected a file of at most {largest:,} bytes. Received: {found.st_size:,}")
    return found.st_size


def read_bytes(path: str | os.PathLike[str], *, largest: int = LARGEST_BYTES) -> bytes:
    """All of a file. Raises: as `check_regular` does."""
    check_regular(path, largest=largest)
    with Path(path).open("rb") as file:
        content = file.read(largest + 1)  # a file may grow
    if len(content) > largest:
        raise UserError(f"{path}: expected a file of at most {largest:,} bytes. Received: more")
    return content


def bounded(unpacking: Any, packed_bytes: int, where: str | os.PathLike[str]) -> io.BufferedReader:
    """What a packed file unpacks to, until that is more than text can be packed by.

    Args:
        unpacking: gives the unpacked bytes, as a `gzip.GzipFile` does.
        packed_bytes: how many bytes the packed file has.
        where: the file, for errors.
    Raises: UserError, where too much is read.
    """
    return io.BufferedReader(_Bounded(unpacking, packed_bytes, where), 1 << 16)


class _Bounded(io.RawIOBase):
    def __init__(self, unpacking: Any, packed_bytes: int, where: str | os.PathLike[str]) -> None:
        super().__init__()
        self.unpacking, self.where = unpacking, where
        self.left = FREE_BYTES + MOST_TIMES * packed_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self.unpacking.read(len(buffer))
        buffer[: len(chunk)] = chunk
        self.left -= len(chunk)
        if self.left < 0:
            raise UserError(
                f"{self.where}: expected a packed file of text. Received: one that unpacks to more than "
                f"{MOST_TIMES} times its bytes; unpack it yourself if that is meant"
            )
        return len(chunk)


def read_text(path: str | os.PathLike[str], *, largest: int = LARGEST_BYTES) -> str:
    """All of a file, UTF-8 without a byte order mark. Raises: as `read_bytes` does; UserError for other bytes."""
    content = read_bytes(path, largest=largest)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        came = content[error.start : error.end]
        raise UserError(f"{path}: expected UTF-8. Received: {came!r} at byte {error.start}") from None
