"""One vector for each text, made of its tokens' vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from bert_tf.layers.functions.masks import take_positions

POOLINGS = ("mean", "cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
SMALLEST_NORM = 1e-12


def check_pooling(pooling: Any) -> str | tuple[str, ...]:
    """`pooling` itself, a list as a tuple. Raises: ValueError if it is none of POOLINGS, nor several of them."""
    names = (pooling,) if isinstance(pooling, str) else tuple(pooling) if isinstance(pooling, (list, tuple)) else ()
    if not names or any(name not in POOLINGS for name in names):
        raise ValueError(
            f"`pooling` must be one of {', '.join(POOLINGS)}, or several of them. Received: pooling={pooling!r}"
        )
    return names[0] if len(names) == 1 else names


def pool(x, inputs, pooling: str | Sequence[str]):
    """One vector for each text.

    Args:
        x: float32 [B, T, D], the tokens' vectors.
        inputs: the model's; with first_positions [B, M] the texts of a row are numbered 1 to M in example_ids.
        pooling: one of POOLINGS, or K of them, whose vectors are put one after the other.
    Returns: float32 [B, K * D], or [B, M, K * D] with first_positions; of a text without a token 0, but for "cls",
        where it is the vector of the first position.
    """
    first_positions, example_ids = inputs.get("first_positions"), inputs.get("example_ids")
    mask = inputs.get("padding_mask")
    numbers = ops.ones_like(inputs["token_ids"]) if example_ids is None else ops.convert_to_tensor(example_ids)
    if mask is not None:
        numbers = ops.where(ops.not_equal(mask, 0), numbers, ops.zeros_like(numbers))  # [B, T], 0 at padding
    if first_positions is None:
        slots = numbers[:, :1]  # the first token's text is the row's
    else:
        slots = ops.ones_like(numbers[:, :1]) * (1 + ops.arange(first_positions.shape[1], dtype=numbers.dtype))
    # Not by new axes of a slice, which LiteRT's converter has no operator for where B and T are not known.
    numbers_of_tokens = ops.expand_dims(numbers, 1)  # [B, 1, T]
    own = ops.equal(numbers_of_tokens, ops.expand_dims(slots, 2))  # [B, M, T]
    own = ops.logical_and(own, ops.not_equal(numbers_of_tokens, 0))

    def pooled(name: str):
        if name == "cls":
            return x[:, 0] if first_positions is None else take_positions(x, first_positions)
        if name == "max":
            vectors = _largest(x, numbers, slots.shape[1]) if first_positions is not None else _largest_of_row(x, own)
            vectors = ops.where(ops.any(own, axis=-1, keepdims=True), vectors, 0.0)
        else:
            vectors = ops.matmul(_shares(own, name), x)  # [B, M, D]
        return vectors[:, 0] if first_positions is None else vectors

    if isinstance(pooling, str):
        return pooled(pooling)
    return ops.concatenate([pooled(name) for name in pooling], axis=-1)


def _shares(own, name: str):
    """How much each token counts in the vector of each text.

    Args:
        own: bool [B, M, T], which tokens are a text's.
        name: one of POOLINGS, but for "cls" and "max".
    Returns: float32 [B, M, T].
    """
    weight = ops.cast(own, "float32")
    if name in ("mean", "mean_sqrt_len_tokens"):
        count = ops.maximum(ops.sum(weight, axis=-1, keepdims=True), 1.0)  # [B, M, 1]
        return weight / (count if name == "mean" else ops.sqrt(count))
    place = ops.cumsum(ops.ones_like(weight), axis=-1)  # [B, M, T], from 1; a graph's T is not known
    placed = weight * place
    last = ops.max(placed, axis=-1, keepdims=True)  # [B, M, 1], 0 without a token
    if name == "lasttoken":
        return weight * ops.cast(ops.equal(placed, last), "float32")
    # Places count from the text's first token on, wherever in the row that stands.
    before = last - ops.max(weight * (last + 1.0 - place), axis=-1, keepdims=True)
    rising = weight * (place - before)
    return rising / ops.maximum(ops.sum(rising, axis=-1, keepdims=True), 1.0)


def _largest_of_row(x, own):
    """[B, T, D] and bool [B, 1, T] -> [B, 1, D]"""
    return ops.max(ops.where(ops.expand_dims(own[:, 0], -1), x, -1e30), axis=1, keepdims=True)


def _largest(x, numbers, slots: int):
    """The largest of each component over the tokens of each number 1 to M, without a tensor [B, M, T, D].

    Args:
        x: float32 [B, T, D].
        numbers: int [B, T].
        slots: M.
    Returns: float32 [B, M, D].
    """
    rows = ops.shape(x)[0]
    flat = ops.reshape(x, (-1, x.shape[-1]))  # [B * T, D]
    start = ops.arange(rows, dtype=numbers.dtype)[:, None] * (slots + 1)
    found = ops.segment_max(flat, ops.reshape(numbers + start, (-1,)), num_segments=rows * (slots + 1))
    return ops.reshape(found, (-1, slots + 1, x.shape[-1]))[:, 1:]


def unit(vectors):
    """Vectors [..., D] scaled to the length 1; 0 stays 0, with a gradient of 0."""
    squares = ops.sum(ops.square(vectors), axis=-1, keepdims=True)
    return vectors * ops.rsqrt(ops.maximum(squares, SMALLEST_NORM**2))
