"""What a pipeline can be made of: a folder, or parts that are there already."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def check_arguments(place: Any, parts: Mapping[str, Any], *, of_place: bool, of_parts: bool) -> None:
    """Raises: ValueError unless there is a place, or all parts, and nothing that belongs to the other."""
    given = [name for name, part in parts.items() if part is not None]
    if place is not None and (given or of_parts):
        came = f"where={os.fspath(place)!r} and {', '.join(given) or 'sequence_length'}"
        raise ValueError(f"`where` cannot go with `model`, `tokenizer`, `kind` or `sequence_length`. Received: {came}")
    if place is None and len(given) < len(parts):
        raise ValueError(
            "expected `where`, a folder, or a `model`, its `tokenizer` and a `kind`. "
            f"Received: {' and '.join(given) or 'nothing'} alone"
        )
    if place is None and of_place:
        raise ValueError(
            "`task`, `lowercase`, `ignore` and `ignore_tokenizer` say how a folder is read, and go with `where` alone. "
            "Received: one of them with a model"
        )


def check_reading(folder: Path, *, is_run: bool, saved: bool, exported: bool) -> None:
    """Raises: ValueError where arguments say how a folder is read that says all of this itself."""
    if is_run or saved or exported:
        what = "a run" if is_run else "a SavedModel" if saved else "an exported model"
        raise ValueError(
            f"`lowercase`, `ignore` and `ignore_tokenizer` are for folders of other models, and {folder} is {what}, "
            "which says all of this itself"
        )
