"""A choice among the texts that go with a text."""

from __future__ import annotations

from typing import Any

from keras import ops

from bert_tf.models.losses.classification import smoothed
from bert_tf.models.losses.means import check_shape
from bert_tf.sentinels import NEVER


def choice_cross_entropy(logits, labels, choice_mask=None, *, label_smoothing: float = 0.0) -> tuple[Any, Any]:
    """The cross entropy of choosing, each example among the choices that it has.

    Args:
        logits: float [B, K]; of packed rows [B, M * K], an example's choices one after the other. The work is done in
            float32.
        labels: int [B], in [0, K), or of packed rows [B, M]. What is not in [0, K), such as -100, and a label of a
            choice that is not there, leave the example out.
        choice_mask: int or bool, shaped as `logits`, or [B, M, K]: not 0 at the choices that an example has; None: all.
        label_smoothing: share of the target spread evenly over these.
    Returns: losses and counted, float32 [B] or [B, M]; an example that is left out does not count.
    Raises: ValueError if the shapes do not fit.
    Reference: BertForMultipleChoice of Transformers, https://github.com/huggingface/transformers

    Example:
        >>> import numpy as np
        >>> from bert_tf.models.losses.choices import choice_cross_entropy
        >>> losses, counted = choice_cross_entropy(np.log([[0.2, 0.3, 0.5]]), np.array([1]), np.array([[1, 1, 0]]))
        >>> print(np.asarray(losses).round(4), np.asarray(counted))
        [0.5108] [1.]
    """
    logits, labels = ops.cast(logits, "float32"), ops.cast(ops.convert_to_tensor(labels), "int32")
    logits = _of_each(logits, labels)  # [B, (M), K]
    there = ops.ones_like(logits, dtype="bool")
    if choice_mask is not None:
        there = ops.not_equal(ops.cast(ops.convert_to_tensor(choice_mask), "int32"), 0)
        there = there if len(there.shape) == 3 else _of_each(there, labels)
        check_shape("choice_mask", there.shape, logits.shape)
    places = ops.arange(ops.shape(logits)[-1], dtype="int32")
    chosen = ops.logical_and(ops.equal(labels[..., None], places), there)  # [B, (M), K]
    is_counted = ops.any(chosen, axis=-1)
    log_p = ops.log_softmax(ops.where(there, logits, NEVER))
    losses = -ops.sum(ops.where(chosen, log_p, 0.0), axis=-1)
    if label_smoothing:
        count = ops.maximum(ops.sum(ops.cast(there, "float32"), axis=-1), 1.0)
        losses = smoothed(losses, -ops.sum(ops.where(there, log_p, 0.0), axis=-1) / count, label_smoothing)
    return ops.where(is_counted, losses, ops.zeros_like(losses)), ops.cast(is_counted, "float32")


def _of_each(logits, labels):
    """Logits [B, K], or [B, M * K], with an axis for each of `labels`, [B] or [B, M], and one for K."""
    given, wanted = tuple(logits.shape), tuple(labels.shape)
    fits = len(given) == 2 and len(wanted) in (1, 2) and (None in (given[0], wanted[0]) or given[0] == wanted[0])
    slots = wanted[1] if len(wanted) == 2 else 1
    if not fits or (given[1] is not None and slots is not None and given[1] % slots):
        raise ValueError(
            "`labels` must be one for each example: [B] for logits [B, K], [B, M] for [B, M * K]. "
            f"Received: labels of shape {list(wanted)}, logits of shape {list(given)}"
        )
    return ops.reshape(logits, (*ops.shape(labels), -1))
