"""Rotary positions: what attention compares is turned by an angle that grows with the token's place."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

Turns = tuple[Any, Any]
"""Cosines and sines, float32 [B, T, 1, H/2] each."""


def turns_of(positions, width: int, base: float) -> Turns:
    """The angles of tokens: place p turns the i-th pair of a head's values by p * base^(-2i/H).

    A product of two vectors that are turned so depends on how far apart they stand, and not on where.

    Args:
        positions: int [B, T].
        width: of a head, H, even.
        base: the larger, the slower the last pairs turn.
    Returns: cosines and sines, float32 [B, T, 1, H/2], to be worked out once a batch.
    Reference: Su et al., 2021, section 3.2, https://arxiv.org/abs/2104.09864
    """
    rates = (1.0 / base ** (np.arange(0, width, 2) / width)).astype("float32")  # [H/2]
    angles = ops.expand_dims(ops.cast(positions, "float32"), (2, 3)) * rates  # [B, T, 1, H/2]
    return ops.cos(angles), ops.sin(angles)


def rotate(x, turns: Turns):
    """Every head turned by its token's angles; a value of the first half and its like of the second are a pair.

    Args:
        x: float [B, T, N, H].
        turns: of `turns_of`.
    Returns: the shape and dtype of `x`; the work is done in float32.
    """
    cos, sin = turns
    first, second = ops.split(ops.cast(x, "float32"), 2, axis=-1)  # [B, T, N, H/2]
    return ops.cast(ops.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1), x.dtype)
