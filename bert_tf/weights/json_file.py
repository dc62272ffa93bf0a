"""Reads a JSON object from a file, or says in one line why it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bert_tf.errors import UserError
from bert_tf.guard import read_object


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object, with or without a byte order mark. Raises: UserError naming the file."""
    try:
        return read_object(path)
    except FileNotFoundError:
        raise UserError(f"{path.parent} holds no {path.name}, which describes the model") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
