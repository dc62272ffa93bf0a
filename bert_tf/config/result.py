"""What a finished run says of itself, read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bert_tf.errors import UserError
from bert_tf.guard import Checked, read_json, short, typed

RESULT = "result.json"


class Result(Checked):
    """What is read of it by name; it holds more."""

    steps: int
    metrics: dict[str, float | None]


def read_result(run_folder: Path) -> dict[str, Any] | None:
    """What stands in a run's result.json; None: there is none, as the run is not finished.

    Raises: UserError for one that is not as training writes it.
    """
    path = run_folder / RESULT
    try:
        found = read_json(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f"{path}: expected JSON. Received: {error}") from None
    try:
        typed(Result, found, path)
    except UserError:
        raise UserError(
            f"{path}: expected a run's result, an object with `metrics` and `steps`. Received: {short(found)}"
        ) from None
    return found
