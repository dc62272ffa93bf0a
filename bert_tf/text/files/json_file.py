"""JSON files that a tokenizer has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bert_tf.errors import UserError


def read_json(path: Path) -> dict[str, Any]:
    """Reads an object; a byte order mark before it is left out. Raises: UserError if it is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: expected JSON: {error}") from error
    if not isinstance(value, dict):
        raise UserError(f"{path}: expected a JSON object. Received: {type(value).__name__}")
    return value


def read_if_there(path: Path) -> dict[str, Any]:
    """The same, or {} if there is no such file."""
    return read_json(path) if path.is_file() else {}
