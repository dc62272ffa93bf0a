"""Keeping parts of a model from being trained."""

from __future__ import annotations

from typing import Any

from bert_tf.layers.trainable import DIFFERS, differing, set_trainable


def freeze(model: Any, *, embeddings: bool = False, blocks: int = 0) -> None:
    """Keeps parts of a model from being trained, from the input on.

    Args:
        model: a backbone, or a model with a `backbone`.
        embeddings: whether the token, segment and position vectors and their norm are frozen, and what attention adds
            for distances; a masked-LM head's product with the token vectors is frozen with them.
        blocks: how many encoder blocks are frozen, counted from the input.
    Raises: ValueError for more blocks than there are.
    """
    backbone = getattr(model, "backbone", model)
    if not 0 <= blocks <= len(backbone.blocks):
        raise ValueError(f"`blocks` must be between 0 and {len(backbone.blocks)}. Received: blocks={blocks}")
    if embeddings:
        for layer in (backbone.embeddings, backbone.relative_bias):
            if layer is not None:
                layer.trainable = False
    for block in backbone.blocks[:blocks]:
        block.trainable = False


def frozen_like(model: Any, other: Any) -> Any:
    """`model`, with what is frozen in `other`, a model of the same layers."""
    set_trainable(model, other.trainable, differing(other))
    return model


def arguments_of(model: Any) -> dict[str, Any]:
    """What a model's class was called with, but that the backbone is a Keras config."""
    return {name: value for name, value in model.get_config().items() if name != DIFFERS}
