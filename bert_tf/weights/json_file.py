"""Reads a JSON object from a file, or says in one line why it cannot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bert_tf.errors import UserError


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object, with or without a byte order mark. Raises: UserError naming the file."""
    try:
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise UserError(f"{path.parent} holds no {path.name}, which describes the model") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:  # not UTF-8, or not JSON
        raise UserError(f"{path} is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise UserError(f"{path} must hold a JSON object. Received: {type(value).__name__}")
    return value
