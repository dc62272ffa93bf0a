"""A file that somebody names for what is written: replaced when all is written, where it is a regular file.

A device, a pipe, a socket or a descriptor (/dev/stdout) is written to, as other commands do: a regular file there
would be of no use to whoever reads there. Where the name is a link, what it leads to is replaced, and the link stays.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from bert_tf.disk.whole import sync_folder, writing
from bert_tf.errors import UserError

DESCRIPTOR = re.compile(r"/dev/fd/\d+|/proc/(self|thread-self|\d+)(/task/\d+)?/fd/\d+")
MOST_LINKS = 40  # as Linux follows


def place_of(name: str | os.PathLike[str], flag: str) -> Path:
    """Where a file of this name is, links followed; it need not be there.

    Args:
        flag: what an error begins with.
    Raises: UserError for a folder, or a name that cannot be one.
    """
    place = Path(name).expanduser()
    try:
        place = _followed(place)
        mode = place.stat().st_mode
    except FileNotFoundError:
        return place
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise UserError(f"{flag}={name}: expected a file that can be written. Received: {said}") from None
    if stat.S_ISDIR(mode):
        raise UserError(f"{flag}={name}: expected a file. Received: a folder")
    return place


def is_replaced(place: Path) -> bool:
    """Whether what is written gets the name when all of it is there; else it is written to what stands there."""
    if DESCRIPTOR.fullmatch(str(place)):
        return False
    try:
        return stat.S_ISREG(place.stat().st_mode)
    except FileNotFoundError:
        return True


@contextlib.contextmanager
def named_file(name: str | os.PathLike[str], flag: str) -> Iterator[IO[str]]:
    """A file to write UTF-8 to, its lines ending as they are written.

    A regular file stays as it is until the block ends without an error; folders around it are made, and taken away
    again after one.

    Args:
        flag: such as --output, for errors.
    Raises: UserError for a folder, and where the disk or the place does not allow it.
    """
    place = place_of(name, flag)
    with writing(f"{flag}={name}"):
        if not is_replaced(place):
            with place.open("a", encoding="utf-8", newline="\n") as file:
                yield file
            return
        beside = place.with_name(f".{place.name[:200]}.{os.getpid()}.partial")
        made = [parent for parent in place.parents if not parent.exists()]  # the innermost first
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with beside.open("w", encoding="utf-8", newline="\n") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileNotFoundError):
                beside.chmod(stat.S_IMODE(place.stat().st_mode))
            beside.replace(place)
            sync_folder(place.parent)
        finally:
            beside.unlink(missing_ok=True)
            for parent in made:  # where nothing came of it
                with contextlib.suppress(OSError):  # what holds something stays
                    parent.rmdir()


def _followed(path: Path) -> Path:
    """The end of a chain of links, or the descriptor that it comes to: what that is open on has a name for nobody."""
    for _ in range(MOST_LINKS):
        here = Path(os.path.realpath(path.parent), path.name)
        if DESCRIPTOR.fullmatch(str(here)) or not here.is_symlink():
            return here
        path = Path(here.parent, here.readlink())
    raise OSError(0, "too many links")
