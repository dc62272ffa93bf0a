"""A value in a message, cut to a length that a line has room for."""

from __future__ import annotations

import reprlib
from typing import Any

MOST = 80


def short(value: Any, most: int = MOST) -> str:
    """`repr`, cut; of a nested value no more is looked at than is shown.

    >>> short("a" * 1000, 20)
    "'aaaaaaaaaaaaaaaa..."
    >>> short({"a": [1, 2]})
    "{'a': [1, 2]}"
    """
    cutter = reprlib.Repr()
    cutter.maxlevel, cutter.maxstring, cutter.maxlong, cutter.maxother = 4, 4 * most, 4 * most, 4 * most
    cutter.maxdict = cutter.maxlist = cutter.maxtuple = cutter.maxset = 10
    text = cutter.repr(value)
    return text if len(text) <= most else f"{text[: most - 3]}..."
