"""Whether readers say what they found, or keep it to themselves as the same file was spoken of already."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

_QUIET: ContextVar[bool] = ContextVar("bert_tf_quiet_readers", default=False)


@contextlib.contextmanager
def quiet(is_so: bool = True) -> Iterator[None]:
    """Nothing is said of files and rows meanwhile: where one is read a second time, or only looked at."""
    token = _QUIET.set(_QUIET.get() or is_so)
    try:
        yield
    finally:
        _QUIET.reset(token)


def is_quiet() -> bool:
    return _QUIET.get()
