"""Ctrl-C in a training: the updates under way are finished first, so that a checkpoint of them can be written."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

SAID = "Stopping after the updates under way; Ctrl-C once more ends at once."


class Interruption:
    """Python's own answer to Ctrl-C (SIGINT), but for what is held: that ends first. A second one waits for nothing.

    A program's own handler is left alone, as are threads other than the first, which Python's signals do not reach.

    Attributes:
        asked: whether Ctrl-C was pressed while something was held.

    >>> with Interruption() as interruption, interruption.held():
    ...     interruption.asked
    False
    """

    def __init__(self) -> None:
        self.asked = False
        self.holds = False
        self.replaced: Any = None

    def __enter__(self) -> Interruption:
        is_pythons = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if is_pythons and threading.current_thread() is threading.main_thread():
            self.replaced = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *error: object) -> None:
        if self.replaced is not None:
            signal.signal(signal.SIGINT, self.replaced)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """What is to end before Ctrl-C has its effect. Raises: KeyboardInterrupt at its end, if one came."""
        self.holds = True
        try:
            yield
        finally:
            self.holds = False
        if self.asked:
            raise KeyboardInterrupt

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.asked or not self.holds:
            raise KeyboardInterrupt
        self.asked = True
        print(f"\n{SAID}", file=sys.stderr, flush=True)
