"""What the heads' losses share: the loss of each place, where it counts, and the weighted mean."""

from __future__ import annotations

from typing import Any

from keras import ops

IGNORED_LABEL = -100
"""Stands where there is no label, as in Transformers."""


def cross_entropy(logits, labels, *, name: str = "labels") -> tuple[Any, Any]:
    """The cross entropy at each place, and where it counts.

    Args:
        logits: float32 [..., C].
        labels: int [...], in [0, C), or `IGNORED_LABEL`.
        name: of the labels, for the error.
    Returns: losses float32 [...], and counted float32 [...], 1 where there is a label.
    Raises: ValueError if the shapes do not fit.
    """
    check_shape(name, labels.shape, logits.shape[:-1])
    counted = ops.not_equal(labels, IGNORED_LABEL)
    labels = ops.where(counted, labels, ops.zeros_like(labels))
    return ops.sparse_categorical_crossentropy(labels, logits, from_logits=True), ops.cast(counted, "float32")


def weighted_mean(losses, counted, example_weight=None):
    """The mean of the losses that count, each with its example's weight; 0 where none counts.

    Args:
        losses, counted: float32 [B, ...].
        example_weight: float [B], or with more axes of `losses`; None: 1.
    Returns: float32 [].
    Raises: ValueError if the shape of `example_weight` does not fit.
    """
    if example_weight is not None:
        example_weight = ops.cast(example_weight, "float32")
        axes = len(losses.shape) - len(example_weight.shape)
        check_shape("example_weight", example_weight.shape, losses.shape[: len(losses.shape) - max(axes, 0)])
        counted = counted * ops.reshape(example_weight, (*_known(example_weight), *[1] * axes))
    total = ops.sum(counted)
    # No example at all gives a loss of 0, not 0 / 0.
    return ops.sum(losses * counted) / ops.where(ops.equal(total, 0.0), ops.ones_like(total), total)


def check_shape(name: str, shape, wanted) -> None:
    """Raises: ValueError if an argument's shape is not the wanted one; None fits anything."""
    shape, wanted = tuple(shape), tuple(wanted)
    if len(shape) != len(wanted) or any(a != b for a, b in zip(shape, wanted, strict=True) if None not in (a, b)):
        raise ValueError(f"`{name}` must have the shape {list(wanted)}. Received: {name} of shape {list(shape)}")


def _known(x) -> tuple:
    shape = ops.shape(x)
    return tuple(shape[i] if size is None else size for i, size in enumerate(x.shape))
