"""A task as JSON, so that a SavedModel says itself how its answers read. Needs no TensorFlow."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from bert_tf import kinds
from bert_tf.guard import held, short
from bert_tf.kinds.base import Kind
from bert_tf.lookup import wrong_field
from bert_tf.models.generation.settings import Generation

OF_TRAINING = ("source", "sample", "defaults", "how_to_get", "also_score", "simple_answers")


def to_json(kind: Kind, *, task: str, sequence_length: int) -> dict[str, Any]:
    """Everything about a task but where its data is.

    Args:
        task: its name.
        sequence_length: most tokens of an example.
    """
    fields = {
        field.name: getattr(kind, field.name) for field in dataclasses.fields(kind) if field.name not in OF_TRAINING
    }
    settings = {
        name: dataclasses.asdict(value) if isinstance(value, Generation) else value for name, value in fields.items()
    }
    return {"task": task, "kind": type(kind).__name__, "settings": settings | {"sequence_length": sequence_length}}


def from_json(described: Mapping[str, Any]) -> Kind:
    """The task again; one of a kind that bert_tf does not have is looked up by its name.

    Raises: UserError if it is of a kind or has settings that are not known.
    """
    from bert_tf.data import InMemory
    from bert_tf.kinds.definitions import recorded_task

    name = described.get("kind", "")
    found = _kind_called(name)
    if found is None:
        why = f"its kind {short(name)} is not one of bert_tf's"
        return recorded_task(str(described.get("task")), "task.json", why)
    with held("task.json", f"a task of the kind {name}"):
        settings = {key: _tuples(value) for key, value in described.get("settings", {}).items()}
        if "generation" in settings:
            settings["generation"] = Generation(**settings["generation"])
        task = found(source=InMemory({}), **settings)
        if wrong := wrong_field(task):
            raise ValueError(wrong)
        return task


def is_known(described: Mapping[str, Any]) -> bool:
    """Whether the task is of a kind that bert_tf has."""
    return _kind_called(described.get("kind", "")) is not None


def _kind_called(name: Any) -> type[Kind] | None:
    found = getattr(kinds, name, None) if isinstance(name, str) and name in kinds.__all__ else None
    return found if isinstance(found, type) and issubclass(found, Kind) else None


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
