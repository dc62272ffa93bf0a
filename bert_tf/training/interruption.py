"""Ctrl-C and signals to end in a training: the updates under way are finished first, and a checkpoint written."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any, NoReturn

from bert_tf.errors import say_at_once, stop

SAID = "Stopping after the updates under way; {once_more} once more ends at once."
OURS = {signal.SIGINT: (signal.default_int_handler,), signal.SIGTERM: (signal.SIG_DFL, stop),
        signal.SIGHUP: (signal.SIG_DFL, stop)}  # fmt: skip
"""The signals that stop a run -> the handlers that are replaced: Python's and the commands', and no program's own."""


class Interruption:
    """What Ctrl-C (SIGINT), SIGTERM and SIGHUP do, but for what is held, which ends first. A second one does not wait.

    A program's own handlers are left alone, and so are signals that are ignored; threads other than the first are, too,
    which Python's signals do not reach.

    Attributes:
        asked: the signal that came while something was held; 0: none.

    >>> with Interruption() as interruption, interruption.held():
    ...     interruption.asked
    0
    """

    def __init__(self) -> None:
        self.asked = 0
        self.holds = False
        self.replaced: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            for number, handlers in OURS.items():
                if signal.getsignal(number) in handlers:
                    self.replaced[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *error: object) -> None:
        for number, before in self.replaced.items():
            signal.signal(number, before)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """What is to end before a signal has its effect. Raises: KeyboardInterrupt at its end, if one came."""
        self.holds = True
        try:
            yield
        finally:
            self.holds = False
        if self.asked:
            _interrupt(self.asked)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.asked or not self.holds:
            _interrupt(number)
        self.asked = number
        once_more = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
        say_at_once(f"\n{SAID.format(once_more=once_more)}")


def _interrupt(number: int) -> NoReturn:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    stop(number, None)
