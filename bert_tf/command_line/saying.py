"""What commands say on stderr while they work, and how much of it."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator
from typing import TextIO

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
LIBRARY = "bert_tf"
PROGRESS = logging.getLogger(f"{LIBRARY}.progress")
"""What is being done and what was found: said by commands, and in Python only where somebody asks for its log lines."""


def say(message: str) -> None:
    """One line on stderr, unless --verbosity asks for less."""
    PROGRESS.info("%s", message)


@contextlib.contextmanager
def said_while(message: str, *, unless: bool = False) -> Iterator[None]:
    """One line on stderr before something slow; a terminal's is wiped when that is done."""
    if unless or not is_said():
        yield
    elif not sys.stderr.isatty():
        say(message)
        yield
    else:
        sys.stderr.write(f"{message} ...")
        sys.stderr.flush()
        try:
            yield
        finally:
            sys.stderr.write("\r\x1b[K")  # to the line's beginning, and clear it
            sys.stderr.flush()


def is_said(level: str = "info") -> bool:
    """Whether --verbosity asks for so much."""
    return PROGRESS.isEnabledFor(LEVELS[level])


def set_verbosity(name: str) -> None:
    """Says from now on what is as weighty as `name`, a key of `LEVELS`, on stderr.

    The library's own lines are those of Python's `logging`, under names that begin with bert_tf: a program that imports
    it filters them as any other library's. Keras's and TensorFlow's lines are absl's, and follow where less than
    warnings, or all, is asked for. What they log from C++ is for TF_CPP_MIN_LOG_LEVEL.
    """
    level = LEVELS[name]
    PROGRESS.setLevel(level)
    PROGRESS.propagate = False  # said once, however a program that calls a command in Python logs
    _show(PROGRESS)
    if level in (logging.INFO, logging.WARNING):
        return  # as Python shows warnings anyway
    from absl import logging as absl_logging

    library = logging.getLogger(LIBRARY)
    library.setLevel(level)
    if level == logging.DEBUG:
        _show(library)  # Python shows no less than warnings by itself
    absl_logging.set_verbosity(name)
    logging.getLogger("tensorflow").setLevel(level)


def show_warnings() -> None:
    """In a process of a command's own, shows the library's warnings as bare lines from beginning to end.

    Python does so by itself until TensorFlow writes its first checkpoint: absl then gives the root logger a handler
    whose lines begin with WARNING:bert_tf.training.loop: or the like. Other libraries' lines keep such a beginning.
    """
    if not logging.root.handlers:
        logging.root.addHandler(_Warnings())


def _show(logger: logging.Logger) -> None:
    if not any(isinstance(handler, _Stderr) for handler in logger.handlers):
        logger.addHandler(_Stderr())


class _Stderr(logging.StreamHandler[TextIO]):
    """Bare lines on what is sys.stderr when they are written."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # pyright: ignore[reportIncompatibleVariableOverride]
        return sys.stderr


class _Warnings(_Stderr):
    """The lines of all loggers, but for those that the library's own handler has shown."""

    def __init__(self) -> None:
        super().__init__()
        self.of_others = logging.Formatter(logging.BASIC_FORMAT)

    def filter(self, record: logging.LogRecord) -> bool | logging.LogRecord:
        shown = record.name.startswith(LIBRARY) and any(
            isinstance(handler, _Stderr) for handler in logging.getLogger(LIBRARY).handlers
        )
        return not shown and super().filter(record)

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record) if record.name.startswith(LIBRARY) else self.of_others.format(record)
