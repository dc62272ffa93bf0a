"""JSON files that a tokenizer has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bert_tf.errors import UserError
from bert_tf.guard import read_object


def read_json(path: Path) -> dict[str, Any]:
    """Reads an object; a byte order mark before it is left out. Raises: UserError if it is none."""
    try:
        return read_object(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error


def read_if_there(path: Path) -> dict[str, Any]:
    """The same, or {} if there is no such file."""
    return read_json(path) if path.is_file() else {}
