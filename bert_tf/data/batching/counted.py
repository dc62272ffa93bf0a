"""What is said of so many of a set's texts: once, also where the set is tokenised in parts."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

_COUNTS: ContextVar[dict[tuple[Any, ...], list[int]] | None] = ContextVar("bert_tf_counts", default=None)


def say_count(logger: logging.Logger, message: str, count: int, of: int, *more: Any) -> None:
    """Warns of `count` texts of a set, where there are any.

    Args:
        message: with places for the count, for `of`, how many texts there are, and for `more`.
    """
    counts = _COUNTS.get()
    if counts is not None:
        counted = counts.setdefault((logger, message, *more), [0, 0])
        counted[0] += count
        counted[1] += of
    elif count:
        logger.warning(message, count, of, *more)


@contextlib.contextmanager
def counted_together() -> Iterator[None]:
    """What `say_count` is to say meanwhile is added up, and said at the end.

    >>> with counted_together():
    ...     for count in (0, 0):
    ...         say_count(logging.getLogger(), "%d of %d texts are cut", count, 10)
    """
    counts: dict[tuple[Any, ...], list[int]] = {}
    token = _COUNTS.set(counts)
    try:
        yield
    finally:
        _COUNTS.reset(token)
    for (logger, message, *more), (count, of) in counts.items():
        say_count(logger, message, count, of, *more)
