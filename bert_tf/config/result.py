"""What a finished run says of itself, read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bert_tf.errors import UserError

RESULT = "result.json"


def read_result(run_folder: Path) -> dict[str, Any] | None:
    """What stands in a run's result.json; None: there is none, as the run is not finished.

    Raises: UserError for one that is not as training writes it.
    """
    path = run_folder / RESULT
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: expected JSON. Received: {error}") from None
    metrics = found.get("metrics") if isinstance(found, dict) else None
    if not isinstance(metrics, dict) or not isinstance(found.get("steps", 0), int):
        raise UserError(
            f"{path}: expected a run's result, an object with `metrics` and `steps`. Received: {str(found)[:80]}"
        )
    return found
