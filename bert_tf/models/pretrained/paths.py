"""A model's weights by their paths, by which files know them."""

from __future__ import annotations

from collections.abc import Iterator

import keras


def weights_by_path(model: keras.Model) -> dict[str, keras.Variable]:
    """Every weight by its path inside the model, such as "block_0/attention/query/kernel".

    A model's own name is left off, and so is that of a backbone inside it: a backbone's weights have the same paths
    alone and under any head. Only the paths of `parts_beside` begin with a name, and what they share with the model
    stands there once, as the model's. Seeds are not weights.
    """
    found: dict[str, keras.Variable] = {}
    seen: set[int] = set()
    for path, weight in _weights_in(model):
        if id(weight) in seen:
            continue
        seen.add(id(weight))
        if path in found:
            raise ValueError(f"two weights of `model` have the path {path}. Received: model={model.name}")
        found[path] = weight
    return found


def _weights_in(model: keras.Model) -> Iterator[tuple[str, keras.Variable]]:
    beside = {id(part): f"{name}/" for name, part in getattr(model, "parts_beside", {}).items()}
    layers = model._flatten_layers(include_self=False, recursive=False)
    for layer in sorted(layers, key=lambda layer: id(layer) in beside):  # the model's own first
        if isinstance(layer, keras.Model):
            start = beside.get(id(layer), "")
            yield from ((f"{start}{path}", weight) for path, weight in _weights_in(layer))
        else:
            for weight in layer.weights:
                yield f"{layer.name}{weight.path.removeprefix(layer.path)}", weight
