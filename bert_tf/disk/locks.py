"""Locks of folders: one process at a time writes a folder, and a lock is gone as soon as its process is."""

from __future__ import annotations

import contextlib
import datetime
import errno
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from bert_tf.errors import UserError

try:
    import fcntl
except ImportError:  # Windows: there a lock's file alone says that it is held
    fcntl = None

TRIES, PAUSE_SECONDS = 5, 0.01  # whoever asks whether a file is locked holds it for a moment
_HELD: set[str] = set()  # the paths that this process holds: the system minds other processes alone
_GUARD = threading.Lock()


@contextlib.contextmanager
def lock(path: Path, what: object) -> Iterator[None]:
    """Holds a lock meanwhile.

    The system keeps it (`fcntl.lockf`), so that it goes with its process however that ends, on network disks too; the
    file itself, which names the holder, is taken away at the end, and one left by a killed process stands in nobody's
    way. Folders around it are made, and taken away again where nothing else came into them.

    Args:
        path: the lock's file.
        what: what is locked, named in the error.
    Raises: UserError that names the process that holds it; OSError where no file can be made there.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, lock(Path(folder, ".lock"), "--run=a"):
    ...     with lock(Path(folder, ".lock"), "--run=a"):
    ...         pass
    Traceback (most recent call last):
    bert_tf.errors.UserError: --run=a is being written by this process already
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100 (links in it are no matter)
    with _GUARD:
        if str(path) in _HELD:
            raise UserError(f"{what} is being written by this process already")
        made = [parent for parent in path.parents if not parent.exists()]  # the innermost first
        path.parent.mkdir(parents=True, exist_ok=True)
        number = _taken(path)
        if number is None:
            raise UserError(f"{what} is being written by {_holder(path)}. Wait for it, or end it")
        _HELD.add(str(path))
    try:
        about = {"process": os.getpid(), "host": socket.gethostname(), "since": _now()}
        os.ftruncate(number, 0)
        os.write(number, f"{json.dumps(about)}\n".encode())
        yield
    finally:
        with _GUARD:
            with contextlib.suppress(PermissionError):  # Windows keeps files that are open
                path.unlink(missing_ok=True)  # while it is held: whoever waits for it sees that it is another file
            os.close(number)
            _HELD.discard(str(path))
        for parent in made:
            with contextlib.suppress(OSError):  # what holds something stays
                parent.rmdir()


def is_locked(path: Path) -> bool:
    """Whether a living process, this one or another, holds the lock of this file."""
    path = Path(os.path.abspath(path))  # noqa: PTH100
    with _GUARD:
        if str(path) in _HELD:
            return True
        try:
            number = os.open(path, os.O_RDWR)
        except OSError:
            return False
        try:
            if fcntl is None:
                return True
            fcntl.lockf(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(number)  # and with it the lock, if it was given
        return False


def _taken(path: Path) -> int | None:
    """The number of the file, which is locked; None: another process holds it."""
    tries = 0
    while True:
        number = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        if fcntl is None:
            return number
        try:
            fcntl.lockf(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):  # a disk without locks: then there are none
                return number
            os.close(number)
            tries += 1
            if tries == TRIES:
                return None
            time.sleep(PAUSE_SECONDS)
            continue
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(number), path.stat()):
                return number
        os.close(number)  # its last holder has taken it away meanwhile


def _holder(path: Path) -> str:
    """In words, whoever holds a lock."""
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        return f"process {int(about['process'])} on {str(about['host'])[:64]} since {str(about['since'])[:32]}"
    except (OSError, ValueError, KeyError, TypeError):  # it is just being written
        return "another process"


def _now() -> str:
    return datetime.datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
