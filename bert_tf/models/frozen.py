"""Keeping parts of a model from being trained."""

from __future__ import annotations

from typing import Any

from bert_tf.layers.trainable import DIFFERS, differing, set_trainable
from bert_tf.models.backbones.config import BertConfig
from bert_tf.models.backbones.row_ends import SEES_PADDING


def freeze(model: Any, *, embeddings: bool = False, blocks: int = 0) -> None:
    """Keeps parts of a model from being trained, from the input on.

    Args:
        model: a backbone, or a model with a `backbone`.
        embeddings: whether the token, segment and position vectors and their norm are frozen, and what attention adds
            for distances, or compares them by; a masked-LM head's product with the token vectors is frozen with them.
        blocks: how many encoder blocks are frozen, counted from the input.
    Raises: ValueError for more blocks than there are, or a number that parts blocks which share their weights.
    """
    backbone = getattr(model, "backbone", model)
    choices = freezable(backbone.config)
    if blocks not in choices:
        rule = f"between 0 and {choices[-1]}" if len(choices) > choices[-1] else f"one of {choices}"
        raise ValueError(f"`blocks` must be {rule}. Received: blocks={blocks}")
    if embeddings:
        for layer in (backbone.embeddings, backbone.relative_bias, backbone.relative_vectors):
            if layer is not None:
                layer.trainable = False
    for block in backbone.blocks[:blocks]:
        block.trainable = False


def freezable(config: BertConfig) -> list[int]:
    """How many blocks can be frozen, counted from the input: those that share their weights all or none.

    >>> shape = {"vocabulary_size": 9, "hidden_dim": 8, "num_layers": 4, "num_heads": 2, "intermediate_dim": 8}
    >>> freezable(BertConfig(**shape)), freezable(BertConfig(model_type="albert", layer_groups=2, **shape))
    ([0, 1, 2, 3, 4], [0, 2, 4])
    """
    order = config.block_order
    return [count for count in range(len(order) + 1) if not set(order[:count]) & set(order[count:])]


def frozen_like(model: Any, other: Any) -> Any:
    """`model`, with what is frozen in `other`, a model of the same layers."""
    set_trainable(model, other.trainable, differing(other))
    return model


def arguments_of(model: Any) -> dict[str, Any]:
    """What a model's class was called with, but that the backbone is a Keras config."""
    return {name: value for name, value in model.get_config().items() if name not in (DIFFERS, SEES_PADDING)}
