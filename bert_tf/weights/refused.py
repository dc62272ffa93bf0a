"""A setting of a file that is not supported, and that only models which take it have to refuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bert_tf.errors import UserError


@dataclass(frozen=True)
class Refused:
    """Stands in a Checkpoint's settings for a value that cannot be followed.

    Args:
        message: names the file, the key, the rule and what came, and what to do.
    """

    message: str


def accepted(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings, all of which can be followed. Raises: UserError if one cannot."""
    for value in settings.values():
        if isinstance(value, Refused):
            raise UserError(value.message)
    return dict(settings)
