"""What is said about settings that cannot be right: where they stand, the rule, and the nearest right one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from bert_tf.errors import UserError, did_you_mean
from bert_tf.guard import short

_ABSENT = object()


def check_keys(root: type[BaseModel], values: Mapping[str, Any], origin: str) -> None:
    """Raises a UserError if `values` has a key that `root` or its sections do not, or a value for a section."""
    _check_section(root, root, values, origin, prefix="")


def explain(root: type[BaseModel], error: ValidationError, layers: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """One line: for each wrong key where it was last set, the rules it broke (a union has several) and the value.

    Args:
        layers: (origin, nested values), the winning one last.
    """
    rules: dict[str, list[str]] = {}
    known = _all_keys(root)
    for item in error.errors():
        path = [str(part) for part in item["loc"]]
        key = ".".join(path[:2]) if ".".join(path[:2]) in known else path[0]
        rule = (
            item["msg"]
            .removeprefix("Input should be ")
            .removeprefix("Value error, ")
            .replace("a valid tuple", "a list")
        )
        rules.setdefault(key, []).append("is required" if item["type"] == "missing" else f"must be {rule}")
    parts = []
    for key, broken in rules.items():
        origin, value = next(_settings(layers, key), ("the run's settings", None))
        received = "" if "is required" in broken else f". Received: {short(value)}"
        parts.append(f"{origin}: {key!r} {' or '.join(dict.fromkeys(broken))}{received}")
    return "; ".join(parts)


def _check_section(
    root: type[BaseModel], section: type[BaseModel], values: Mapping[str, Any], origin: str, *, prefix: str
) -> None:
    inner = _sections(section)
    for key, value in values.items():
        name = f"{prefix}{key}"
        if key not in section.model_fields:
            place = f"[{prefix[:-1]}]" if prefix else "the top level"
            nearest = did_you_mean(name, [*_all_keys(root), *_sections(root)])
            known = ", ".join(section.model_fields)
            raise UserError(f"{origin}: unknown key {short(name)}.{nearest} Known keys of {place}: {known}")
        if key not in inner:
            continue
        if not isinstance(value, Mapping):
            known = ", ".join(f"{name}.{field}" for field in inner[key].model_fields)
            raise UserError(f"{origin}: {name!r} is a section, with the keys {known}. Received: {short(value)}")
        _check_section(root, inner[key], value, origin, prefix=f"{name}.")


def _sections(section: type[BaseModel]) -> dict[str, type[BaseModel]]:
    kinds = {name: field.annotation for name, field in section.model_fields.items()}
    return {name: kind for name, kind in kinds.items() if isinstance(kind, type(BaseModel))}


def _all_keys(section: type[BaseModel], prefix: str = "") -> list[str]:
    inner = _sections(section)
    keys: list[str] = []
    for name in section.model_fields:
        keys += _all_keys(inner[name], f"{prefix}{name}.") if name in inner else [f"{prefix}{name}"]
    return keys


def _settings(layers: Sequence[tuple[str, Mapping[str, Any]]], key: str) -> Iterator[tuple[str, Any]]:
    for origin, values in reversed(layers):
        node: Any = values
        for part in key.split("."):
            node = node.get(part, _ABSENT) if isinstance(node, Mapping) else _ABSENT
        if node is not _ABSENT:
            yield origin, node
