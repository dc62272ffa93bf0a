"""Which parts of a layer are trained: told apart, kept in its config, and set again."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import keras

BACKBONE = "backbone"
DIFFERS = "trainable_differs"
"""Key of a Keras config: paths of the layers and weights whose `trainable` is not that of what holds them."""


class Composite(keras.layers.Layer):
    """A layer made of layers. Keras's own config keeps the outer layer's `trainable` alone; this one keeps them all."""

    def parts_are_made(self) -> None:
        """Hands `trainable=False` on to the layers within, which are made after Keras has read it."""
        if not self.trainable:
            self.trainable = True  # on TensorFlow, setting what is set already does nothing
            self.trainable = False

    def get_config(self):
        differs = differing(self)
        return super().get_config() | ({DIFFERS: differs} if differs else {})

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        differs = config.pop(DIFFERS, ())
        layer = cls(**config)
        if differs:
            layer.build(None)
            set_trainable(layer, layer.trainable, differs)
        return layer


def differing(layer: keras.layers.Layer) -> list[str]:
    """Paths of the layers and weights within, whose `trainable` is not that of the layer or model which holds them.

    Paths are those of `weights_by_path`, and the backbone within a head is "backbone". With the outermost `trainable`
    they say all there is to know.
    """
    return [path for path, part, holder in _parts(layer) if part.trainable != holder.trainable]


def set_trainable(layer: keras.layers.Layer, trainable: bool, differs: Collection[str]) -> None:
    """Sets `trainable` of a layer or model and all within it, as `differing` found it in another one of its kind."""
    layer.trainable = trainable
    for path, part, holder in _parts(layer):  # what holds comes before what is held
        part.trainable = holder.trainable != (path in differs)


def _parts(holder: keras.layers.Layer, prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Path, layer or weight, and what holds it; from the outside inwards."""
    inner = holder._flatten_layers(include_self=False, recursive=False)
    inner = [part for part in inner if not isinstance(part, keras.layers.InputLayer)]
    for part in inner:
        if isinstance(part, keras.Model):
            beside = getattr(holder, "parts_beside", {})
            name = next((name for name, other in beside.items() if other is part), None)
            yield f"{prefix}{name or BACKBONE}", part, holder
            yield from _parts(part, prefix if name is None else f"{prefix}{name}/")
        else:
            yield f"{prefix}{part.name}", part, holder
            yield from _parts(part, f"{prefix}{part.name}/")
    held = {id(weight) for part in inner for weight in part.weights}
    for weight in holder.weights:
        if id(weight) not in held:
            yield f"{prefix}{weight.name}", weight, holder
