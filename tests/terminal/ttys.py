"""A pseudo-terminal in place of standard output and input, for tests in this process."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator

import pytest

pty = pytest.importorskip("pty", reason="pseudo-terminals are Unix's")


class Screen:
    """What a terminal was sent, after the `with` is left."""

    text = ""


@contextlib.contextmanager
def terminal(monkeypatch: pytest.MonkeyPatch, typed: str = "", columns: int = 80) -> Iterator[Screen]:
    """Standard output, and standard input where something is typed, are a terminal within."""
    master, slave = pty.openpty()
    screen, found = Screen(), bytearray()
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)

    def read() -> None:
        with contextlib.suppress(OSError):  # EIO: nobody has it open any more
            while part := os.read(master, 65536):
                found.extend(part)

    reader = threading.Thread(target=read, daemon=True)
    with (
        monkeypatch.context() as patched,
        os.fdopen(slave, "r", encoding="utf-8", closefd=False) as stdin,
        os.fdopen(slave, "w", encoding="utf-8") as stdout,
    ):
        patched.setattr(sys, "stdout", stdout)
        if typed:
            patched.setattr(sys, "stdin", stdin)
            os.write(master, typed.encode())
        reader.start()
        yield screen
    reader.join(timeout=10)
    os.close(master)
    screen.text = found.decode("utf-8")
