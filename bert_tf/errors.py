"""What a command shows without a traceback: the one error, and where it was stopped."""

from __future__ import annotations

import difflib
import os
import re
import signal
import stat
import sys
from collections.abc import Iterable
from types import FrameType
from typing import NoReturn

LONGEST = 8000  # characters of a message; values of strangers' files are cut shorter where they are quoted
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class UserError(Exception):
    """Something the person at the keyboard can put right: a file, data, a flag or the environment.

    The message is one line that names the thing, what was expected and what came. Commands print it on
    stderr and exit with status 2. Wrong arguments in Python raise `ValueError` instead.

    >>> raise UserError("film.csv, line 3: expected a label of 0 or 1. Received: 'good'")
    Traceback (most recent call last):
    bert_tf.errors.UserError: film.csv, line 3: expected a label of 0 or 1. Received: 'good'
    """

    def __init__(self, message: str):
        super().__init__(_one_line(str(message)))


def _one_line(message: str) -> str:
    """A message without characters that move a terminal's cursor or change its colours, cut where it has no end."""
    line = " ".join(message.split("\n"))
    line = UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), line)
    if len(line) <= LONGEST:
        return line
    return f"{line[: LONGEST // 2]} ... {line[-LONGEST // 2 :]}"


INTERRUPTED, RUN_AGAIN = 130, 75
"""Exit statuses: of Ctrl-C, as shells have it, and of what may be run again (sysexits.h:
EX_TEMPFAIL): SIGTERM or SIGHUP has stopped it, or another worker has ended."""


class RunAgain(UserError):  # noqa: N818  # as `Stopped`, said of what is to be done
    """What ended a command is over when the same command runs again: another worker has ended, say.

    Commands print it as any `UserError`, and exit with the status `RUN_AGAIN`.

    >>> isinstance(RunAgain("worker 1 (host:2222) has ended"), UserError)
    True
    """


class Stopped(KeyboardInterrupt):
    """Ctrl-C or a signal to end, with what it left: a command prints that on stderr and exits with `status`.

    Args:
        message: what was stopped, and how it resumes.
        status: 130 for Ctrl-C; 75 for SIGTERM and SIGHUP, which mean that the same command is to be run again.

    >>> isinstance(Stopped("stopped at step 12 of 90"), KeyboardInterrupt)
    True
    """

    def __init__(self, message: str, status: int = INTERRUPTED):
        super().__init__(message)
        self.status = status


def say_at_once(line: str) -> None:
    """A line on stderr, from whatever is going on; nothing where nobody can read it, as after the terminal has gone.

    A terminal that has gone takes away SIGHUP's whole point otherwise: the next line that is said would be an error.
    """
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stderr, sys.stdout):
            number = stream.fileno()
            if stream is sys.stderr or stat.S_ISCHR(os.fstat(number).st_mode):  # what goes to a file stays
                os.dup2(nowhere, number)
        os.close(nowhere)


def stop(number: int, frame: FrameType | None) -> NoReturn:
    """A handler for SIGTERM and SIGHUP, so that what is half-written is taken away as after an error."""
    raise Stopped(f"stopped by {signal.Signals(number).name}", RUN_AGAIN)


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """Returns ` Did you mean 'x'?` for the choice nearest to `name`, or an empty string where none is near.

    One that begins with the name is nearer than others.

    >>> did_you_mean("--text", ["--set", "--text-column"]), did_you_mean("--nothing", ["--set"])
    (" Did you mean '--text-column'?", '')
    """
    folded, wanted = {choice.lower(): choice for choice in choices}, name.lower()
    longer = [choice for choice in folded if choice.startswith(wanted)]
    near = difflib.get_close_matches(wanted, longer, n=1, cutoff=0.5)
    near = near or difflib.get_close_matches(wanted, list(folded), n=1, cutoff=0.5)
    return f" Did you mean {folded[near[0]]!r}?" if near else ""


FLAG = re.compile(r"(python -m [^;,]*)|--([a-z]+(?:-[a-z]+)*)(=?)")


def in_python(message: str) -> str:
    """A message written for the command line as Python knows its arguments: `run` for --run, `settings` for --set.

    A whole command to type, python -m ..., stays as it is.
    """

    def named(found: re.Match[str]) -> str:
        if found[1]:
            return found[1]
        name = {"set": "settings"}.get(found[2], found[2].replace("-", "_"))
        return f"{name}=" if found[3] else f"`{name}`"

    return FLAG.sub(named, message)
