"""What predict may change of a task: how texts are answered."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from bert_tf.errors import UserError


def check_answer_settings(task: Any, known: Collection[str], settings: Mapping[str, Any]) -> None:
    """Raises: UserError for a setting of another name or type than those `known` of the task."""
    for name, value in settings.items():
        if name not in known:
            listed = ", ".join(known) or "none"
            raise UserError(f"--set: this task's answers have no setting {name!r}. There are: {listed}")
        now = getattr(task, name)
        if not isinstance(value, type(now)) or isinstance(value, bool) != isinstance(now, bool):
            raise UserError(f"--set {name}: expected a {type(now).__name__}, such as {now}. Received: {value!r}")
