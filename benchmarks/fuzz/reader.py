"""What a reader of files is, to a fuzz."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

Change = Callable[[bytes, np.random.Generator], bytes]


class Reader(NamedTuple):
    """A reader of files.

    Args:
        make: writes a valid folder.
        read: reads it, all that is used of it.
        files: which of them are changed, and how besides byte by byte.
        share: of a number of inputs that is asked, for what takes long.
    """

    make: Callable[[Path], object]
    read: Callable[[Path], object]
    files: dict[str, Change | None]
    share: float = 1.0
