"""A run's settings as a function's arguments, layers as any others."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from bert_tf.config.run import Layer, dotted_layer


def argument_layers(
    settings: Mapping[str, Any] | None,
    sections: Mapping[str, Mapping[str, Any] | BaseModel | None],
    single: Mapping[str, Any],
    groups: Mapping[str, Mapping[str, Any]],
) -> list[Layer]:
    """Layers of what a function was given, each called as its argument is; None stands for what was not given.

    Args:
        settings: any keys, by their whole names.
        sections: section -> its keys.
        single: key of the top level -> its value, which may be a path.
        groups: arguments as an error is to call them -> what they say, nested by section.
    Raises: ValueError for a key that two arguments give.
    """
    layers = [dotted_layer("`settings`", settings or {})]
    for name, section in sections.items():
        if section is not None:
            values = section.model_dump(exclude_unset=True) if isinstance(section, BaseModel) else section
            layers.append(Layer(origin=f"`{name}`", values={name: values}))
    layers += [
        Layer(origin=f"`{name}`", values={name: plain_path(value)})
        for name, value in single.items()
        if value is not None
    ]
    layers += [Layer(origin=origin, values=values) for origin, values in groups.items()]
    _check_given_once(layers)
    return layers


def own_data_groups(own_data: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Arguments about somebody's own data, for `argument_layers`: columns by name, or several in a list."""
    found = {name: list(value) if isinstance(value, tuple) else plain_path(value) for name, value in own_data.items()}
    return {f"`{name}`": {"own_data": {name: value}} for name, value in found.items() if value is not None}


def plain_path(value: Any) -> Any:
    """A path as text; anything else as it is."""
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _check_given_once(layers: Sequence[Layer]) -> None:
    origins: dict[str, str] = {}
    for layer in layers:
        for key in _keys_of(layer.values):
            if key in origins:
                raise ValueError(f"{key!r} must be given once. Received: in {origins[key]} and in {layer.origin}")
            origins[key] = layer.origin


def _keys_of(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _keys_of(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"
