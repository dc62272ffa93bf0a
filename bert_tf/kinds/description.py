"""A task as JSON, so that a run keeps what it needs of it: data alone, never code."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from bert_tf.errors import UserError
from bert_tf.guard import WRONG, short
from bert_tf.kinds.base import Kind
from bert_tf.lookup import wrong_field

VERSION = 1
CLASS, SETTINGS = "class", "settings"


class NotDataError(ValueError):
    """Something that JSON cannot hold, such as a function, or rows in memory."""


def describe(kind: Kind) -> dict[str, Any] | None:
    """A task as JSON can hold it; None for a kind of your own, which only its code describes.

    Fields that JSON cannot hold, such as functions, or a source of rows in memory, are named under "left_out".
    """
    if type(kind) not in _kinds().values():
        return None
    settings, left_out = {}, []
    for field in dataclasses.fields(kind):
        try:
            settings[field.name] = _encoded(getattr(kind, field.name))
        except NotDataError:
            left_out.append(field.name)
    return {"version": VERSION, CLASS: type(kind).__name__, SETTINGS: settings, "left_out": left_out}


def read_description(described: Any, where: str) -> tuple[Kind, tuple[str, ...]]:
    """A task again, and the names of the fields that were left out of its description, which have their defaults.

    Args:
        where: the file, for errors.
    Raises: UserError if it describes no task of this library.
    """
    from bert_tf.data import InMemory, Source

    try:
        if not isinstance(described, dict) or described.get("version") != VERSION:
            raise NotDataError(f"expected a task, described in version {VERSION}")
        if described.get(CLASS) not in _kinds():
            raise NotDataError(f"expected a kind of {', '.join(_kinds())}")
        settings = {name: _decoded(value) for name, value in described[SETTINGS].items()}
        left_out = tuple(described.get("left_out", ()))
        if not all(isinstance(name, str) for name in left_out):
            raise NotDataError("expected names of fields under left_out")
        if "source" in left_out:
            settings["source"] = InMemory({})
        found = _kinds()[described[CLASS]](**settings)
        if not isinstance(found.source, Source):
            raise NotDataError("expected a source of data")
        if wrong := next(filter(None, map(wrong_field, (found, found.source))), ""):
            raise NotDataError(wrong)
        return found, left_out
    except WRONG as error:
        came = f"{type(error).__name__}: {str(error)[:200]}, in {short(described, 200)}"
        raise UserError(f"{where}: expected a task that bert_tf.train described. Received: {came}") from None


def _encoded(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (tuple, list)):
        return [_encoded(part) for part in value]
    if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
        return {name: _encoded(part) for name, part in value.items()}
    if dataclasses.is_dataclass(value) and type(value) in _parts().values() and not _is_in_memory(value):
        fields = {field.name: _encoded(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {CLASS: type(value).__name__, SETTINGS: fields}
    raise NotDataError(f"expected data. Received: {value!r:.80}")


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_decoded(part) for part in value)
    if isinstance(value, dict) and set(value) == {CLASS, SETTINGS}:
        settings = {name: _decoded(part) for name, part in value[SETTINGS].items()}
        return _parts()[value[CLASS]](**settings)
    if isinstance(value, dict):
        return {name: _decoded(part) for name, part in value.items()}
    return value


def _kinds() -> dict[str, type[Kind]]:
    """The kinds of this library, by name."""
    from bert_tf import kinds

    found = {name: getattr(kinds, name) for name in kinds.__all__}
    return {name: kind for name, kind in found.items() if isinstance(kind, type) and issubclass(kind, Kind)}


def _parts() -> dict[str, Any]:
    """What a task can be made with, by name: sources, and how text is generated."""
    from bert_tf import data
    from bert_tf.data import Source
    from bert_tf.models.generation.settings import Generation

    found = {name: getattr(data, name) for name in data.__all__}
    sources = {name: part for name, part in found.items() if isinstance(part, type) and issubclass(part, Source)}
    return {**sources, "Generation": Generation}


def _is_in_memory(source: Any) -> bool:
    from bert_tf.data import InMemory

    return isinstance(source, InMemory)
