"""Files that are whole or not there, after a lost process and after a lost machine."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bert_tf.errors import UserError

REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file would be larger than is allowed here (ulimit -f)",
    errno.EROFS: "the disk can only be read",
    errno.EIO: "the disk has failed",
    errno.ESTALE: "the network disk has gone away",
}
"""What an error's number says of the disk, which the person at the keyboard can put right."""
DENIED = {errno.EACCES: "there is no permission", errno.EPERM: "there is no permission"}
BLOCK_BYTES = 1 << 20


def write_whole(path: Path, content: str | bytes) -> None:
    """Writes a file so that under its name stands the old content or the new, and never a part.

    Args:
        content: a string is written as UTF-8.
    Raises: OSError where that cannot be; nothing is left then, and what was there stays.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_whole(Path(folder, "a.json"), "{}")
    ...     [path.name for path in Path(folder).iterdir()], Path(folder, "a.json").read_text()
    (['a.json'], '{}')
    """
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Puts the names in a folder on the disk, where the system can do that."""
    with contextlib.suppress(OSError):  # some network file systems cannot
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def sync_tree(folder: Path) -> None:
    """Puts all that lies below a folder on the disk, content before names."""
    for path in (*folder.rglob("*"), folder):
        if path.is_dir():
            sync_folder(path)
        elif path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                os.fsync(file.fileno())


def checksums(folder: Path, chosen: Callable[[Path], bool] = lambda path: True) -> dict[str, dict[str, int | str]]:
    """The chosen files below a folder: its path in it -> its `bytes` and `sha256`. Hidden ones are left out.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a").write_text("x")
    ...     checksums(Path(folder))["a"]["bytes"]
    1
    """
    found: dict[str, dict[str, int | str]] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in name.parts) and chosen(path):
            found[name.as_posix()] = {"bytes": path.stat().st_size, "sha256": sha256(path)}
    return found


def damage(folder: Path, noted: Mapping[str, Mapping[str, int | str]]) -> str | None:
    """How a folder's files differ from what `checksums` noted of them; None: in nothing. Other files do not count.

    >>> damage(Path("/nowhere"), {"model.safetensors": {"bytes": 4, "sha256": "..."}})
    'model.safetensors is missing'
    """
    for name, of_file in noted.items():
        path = folder / name
        try:
            if path.exists() and not path.is_file():
                return f"{name} is no file"
            size = path.stat().st_size
            if size != of_file["bytes"]:
                return f"{name} has {size} bytes, and had {of_file['bytes']}"
            if sha256(path) != of_file["sha256"]:
                return f"{name} has another content than was written"
        except FileNotFoundError:
            return f"{name} is missing"
        except OSError as error:
            return f"{name} cannot be read ({error.strerror or error})"
    return None


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def reason(error: BaseException) -> str | None:
    """Why something could not be written, in words; None where that is not what an error says.

    Libraries that write by themselves say it in words of their own, so these are looked at, too.

    >>> reason(OSError(errno.ENOSPC, "No space left on device")), reason(ValueError("a")), reason(FileNotFoundError())
    ('the disk is full', None, None)
    """
    if isinstance(error, OSError) and error.errno is not None:
        return (REASONS | DENIED).get(error.errno)
    text = str(error)
    return next((said for number, said in REASONS.items() if os.strerror(number) in text), None)


@contextlib.contextmanager
def writing(place: object, then: str = "") -> Iterator[None]:
    """What cannot be written is said in one line.

    Args:
        place: what is named: a file, a folder, a flag with its value.
        then: what is left, or can be done; a sentence of its own.
    Raises: UserError for an error that says something of the disk or the place; others are let through.

    >>> with writing("--output=a.csv"):
    ...     raise OSError(errno.ENOSPC, "No space left on device")
    Traceback (most recent call last):
    bert_tf.errors.UserError: --output=a.csv cannot be written: the disk is full
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        why = reason(error)
        if why is None:
            raise
        raise UserError(f"{place} cannot be written: {why}{f'. {then}' if then else ''}") from error
