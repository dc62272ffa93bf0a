"""From the loss of each place to that of each example, and to one number."""

from __future__ import annotations

from keras import ops

from bert_tf.layers.functions.masks import take_positions


def weighted_mean(losses, counted, example_weight=None, example_ids=None):
    """The mean of the losses that count, each with its example's weight; 0 where none counts.

    Args:
        losses, counted: float32 [B, ...].
        example_weight: float [B], or with more axes of `losses`; with `example_ids` also [B, M], a weight for each
            example of a row; None: 1.
        example_ids: int [B, T], where losses [B, T] are of the tokens of packed rows: the token's example, counted from
            1, 0 at padding.
    Returns: float32 [].
    Raises: ValueError if the shape of `example_weight` does not fit.

    Example:
        >>> from bert_tf.models.losses.means import weighted_mean
        >>> float(weighted_mean([3.0, 5.0, 0.0], [1.0, 1.0, 0.0], example_weight=[3.0, 1.0, 1.0]))
        3.5
    """
    losses, counted = ops.convert_to_tensor(losses, "float32"), ops.convert_to_tensor(counted, "float32")
    if example_weight is not None:
        example_weight = ops.cast(example_weight, "float32")
        if example_ids is not None and len(example_weight.shape) == 2 and example_weight.shape[1] != losses.shape[1]:
            losses = sums_of_examples(losses * counted, example_ids, example_weight)
            counted = sums_of_examples(counted, example_ids, example_weight)
            check_shape("example_weight", example_weight.shape, losses.shape)
            return _share(ops.sum(losses * example_weight), ops.sum(counted * example_weight))
        axes = len(losses.shape) - len(example_weight.shape)
        check_shape("example_weight", example_weight.shape, losses.shape[: len(losses.shape) - max(axes, 0)])
        counted = counted * ops.reshape(example_weight, (*_known(example_weight), *[1] * axes))
    return _share(ops.sum(losses * counted), ops.sum(counted))


def sums_of_examples(values, example_ids, example_weight, positions=None):
    """What the places of each example have, added up.

    Args:
        values: float32 [B, T], of the tokens of each row; with `positions` [B, P], of some of them.
        example_ids: int [B, T], the example of each token, counted from 1 in each row, 0: none; None: a row is one
            example.
        example_weight: [B, M], or [B]: only its shape counts.
        positions: int [B, P], in [0, T), where in the row the values are; None: they are of all tokens.
    Returns: float32 [B, M], or [B].

    Example:
        >>> import numpy as np
        >>> from bert_tf.models.losses.means import sums_of_examples
        >>> values, example_ids = np.array([[1.0, 2.0, 4.0, 8.0]], "float32"), np.array([[1, 1, 2, 0]])
        >>> np.asarray(sums_of_examples(values, example_ids, example_weight=np.ones((1, 3)))).tolist()
        [[3.0, 4.0, 0.0]]
    """
    if example_ids is None:
        return ops.sum(values, axis=-1)
    example_ids = ops.convert_to_tensor(example_ids)
    if positions is not None:
        example_ids = take_positions(example_ids, positions)
    own = ops.one_hot(example_ids - 1, ops.shape(example_weight)[1], dtype="float32")  # [B, T or P, M], 0 where none
    return ops.einsum("bt,btm->bm", values, own)


def check_shape(name: str, shape, wanted) -> None:
    """Checks the shape of an argument called `name`.

    Raises: ValueError if an argument's shape is not the wanted one; None fits anything.

    Example:
        >>> from bert_tf.models.losses.means import check_shape
        >>> check_shape("labels", (4,), wanted=(8,))
        Traceback (most recent call last):
            ...
        ValueError: `labels` must have the shape [8]. Received: labels of shape [4]
    """
    shape, wanted = tuple(shape), tuple(wanted)
    if len(shape) != len(wanted) or any(a != b for a, b in zip(shape, wanted, strict=True) if None not in (a, b)):
        raise ValueError(f"`{name}` must have the shape {list(wanted)}. Received: {name} of shape {list(shape)}")


def _share(part, total):
    # No example at all gives a loss of 0, not 0 / 0.
    return part / ops.where(ops.equal(total, 0.0), ops.ones_like(total), total)


def _known(x) -> tuple:
    shape = ops.shape(x)
    return tuple(shape[i] if size is None else size for i, size in enumerate(x.shape))
