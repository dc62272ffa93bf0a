"""The standard streams of a process, where one of them is closed or takes no more."""

from __future__ import annotations

import os
import sys


def write_no_more() -> None:
    """Python would complain once more on closing stdout."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def open_streams() -> None:
    """Gives a process that was started without them the standard streams, which go nowhere then.

    Otherwise the next file that is opened would be standard error, and get TensorFlow's remarks.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: PTH123, SIM115
