"""An answer as a span of tokens: where it starts and where it ends."""

from __future__ import annotations

from typing import Any

from keras import ops

from bert_tf.models.losses.means import check_shape
from bert_tf.sentinels import NEVER


def span_cross_entropy(logits, positions, tokens, *, label_smoothing: float = 0.0) -> tuple[Any, Any]:
    """The mean cross entropy of an answer's start and end, each a choice among the example's own tokens.

    Args:
        logits: float [B, T, 2], of start and end; the work is done in float32.
        positions: int [B, 2], or [B, M, 2] of packed rows: the tokens that the answer starts and ends at. One that is
            not in [0, T) leaves the example out.
        tokens: bool [B, T], or [B, M, T]: which tokens are the example's, as `own_tokens` gives them.
        label_smoothing: share of the target spread evenly over the example's tokens.
    Returns: losses and counted, float32 [B] or [B, M]; an example that is left out, or has no token, does not count.
    Raises: ValueError if the shapes do not fit.
    Reference: Devlin et al., 2019, section 4.2, https://arxiv.org/abs/1810.04805

    Example:
        >>> import numpy as np
        >>> from bert_tf.models.losses.spans import span_cross_entropy
        >>> logits, tokens = np.zeros((1, 4, 2)), np.array([[True, True, True, False]])
        >>> losses, counted = span_cross_entropy(logits, np.array([[1, 2]]), tokens)
        >>> print(np.asarray(losses).round(4), np.asarray(counted))
        [1.0986] [1.]
    """
    logits, positions = ops.cast(logits, "float32"), ops.cast(ops.convert_to_tensor(positions), "int32")
    check_shape("labels", positions.shape, (*tokens.shape[:-1], 2))
    is_counted = ops.all(ops.logical_and(positions >= 0, positions < ops.shape(logits)[1]), axis=-1)
    is_counted = ops.logical_and(is_counted, ops.any(tokens, axis=-1))  # [B, (M)]
    scores = ops.swapaxes(logits, 1, 2)  # [B, 2, T]
    if len(tokens.shape) == 3:
        scores = scores[:, None]  # [B, 1, 2, T]
    own = ops.expand_dims(tokens, -2)  # [B, (M), 1, T]
    everything = ops.logsumexp(ops.where(own, scores, NEVER), axis=-1)  # [B, (M), 2]
    places = ops.arange(ops.shape(logits)[1], dtype="int32")
    chosen = ops.equal(positions[..., None], places)  # [B, (M), 2, T]
    target = ops.sum(ops.where(chosen, scores, 0.0), axis=-1)  # [B, (M), 2]
    if label_smoothing:
        count = ops.maximum(ops.sum(ops.cast(own, "float32"), axis=-1), 1.0)
        average = ops.sum(ops.where(own, scores, 0.0), axis=-1) / count
        target = (1.0 - label_smoothing) * target + label_smoothing * average
    losses = ops.mean(everything - target, axis=-1)
    return ops.where(is_counted, losses, ops.zeros_like(losses)), ops.cast(is_counted, "float32")


def own_tokens(inputs, positions):
    """Which tokens are an example's.

    Args:
        inputs: of a model: token_ids int [B, T]; padding_mask, or of packed rows example_ids, which number their
            examples from 1.
        positions: int [B, 2], or [B, M, 2] of packed rows: only its shape counts.
    Returns: bool [B, T], or [B, M, T] of packed rows.
    Raises: ValueError if the shape of `positions`, the labels, does not fit.

    Example:
        >>> import numpy as np
        >>> from bert_tf.models.losses.spans import own_tokens
        >>> tokens = own_tokens({"example_ids": np.array([[1, 1, 2, 0]])}, np.zeros((1, 2, 2)))
        >>> np.asarray(tokens).tolist()
        [[[True, True, False, False], [False, False, True, False]]]
    """
    example_ids = inputs.get("example_ids")
    if example_ids is not None:
        example_ids = ops.convert_to_tensor(example_ids)
        if len(positions.shape) != 3:
            check_shape("labels", positions.shape, (example_ids.shape[0], None, 2))
        numbers = 1 + ops.arange(positions.shape[1], dtype=example_ids.dtype)
        return ops.equal(example_ids[:, None, :], numbers[None, :, None])
    mask = inputs.get("padding_mask")
    return ops.not_equal(mask, 0) if mask is not None else ops.ones_like(inputs["token_ids"], dtype="bool")
