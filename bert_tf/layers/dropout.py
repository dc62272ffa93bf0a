"""Dropout whose randomness comes in with the call, so that recomputing a block draws the same mask."""

from __future__ import annotations

import keras
from keras import ops

SITE_STRIDE = 1_000_003
"""Far enough apart that the places of one run do not meet those of the next seed's."""

UPPER_VALUES = 2.0**11
"""Of the 2^23 numbers in [0, 1) that a draw has at least, told apart by its upper bits."""


class GivenSeed(keras.random.SeedGenerator):
    """Hands Keras's random functions a seed that is already a tensor; holds no state of its own."""

    def __init__(self, seed):
        self.seed = ops.cast(seed, "uint32") if keras.backend.backend() == "jax" else seed  # JAX takes no other

    def next(self, ordered=True):
        return self.seed


def site_seed(seed, site: int):
    """A seed for one place of use, from `seed` [2], whose second number counts the steps; None stays None."""
    if seed is None or site == 0:
        return seed
    return seed + ops.convert_to_tensor([site * SITE_STRIDE, 0], dtype=seed.dtype)  # [2]


def second_seed(seed):
    """Another seed for the same place of use, half way to the next one's; None stays None."""
    return None if seed is None else seed + ops.convert_to_tensor([SITE_STRIDE // 2, 0], dtype=seed.dtype)  # [2]


def dropout(x, rate: float, seed=None):
    """`x` with a share `rate` of its elements zeroed and the rest scaled by 1 / (1 - rate).

    Args:
        x: float, any shape.
        rate: share dropped, in [0, 1); 0 returns `x` itself.
        seed: integer [2], all the randomness there is; None draws from Keras's global generator.
    Returns: the shape and dtype of `x`.
    Reference: Srivastava et al., 2014, https://jmlr.org/papers/v15/srivastava14a.html
    """
    if rate == 0.0:
        return x
    keep = ops.cast(_draws(ops.shape(x), seed) >= rate, x.dtype)
    return x * (keep * (1.0 / (1.0 - rate)))


def add(x, added, rate: float, seed, training):
    """`x` and, dropped in training, what is added to it. The sum is in float32: exact where it matters, and on a CPU
    faster than in bfloat16."""
    added = ops.cast(added, "float32")
    return ops.cast(x, "float32") + (dropout(added, rate, seed) if training else added)


def _draws(shape, seed):
    """Uniform in [0, 1), float32 of `shape`, whatever dtype they are for: a bfloat16 draw has 128 values, and 0.1 would
    become 0.102.

    Drawing is the costliest part of dropout on a CPU, so each number serves twice: whole, and by its lower bits, which
    the upper ones say nothing of. The lower half has 2^12 values: a share is kept to 0.00012.
    """
    *leading, last = shape
    generator = None if seed is None else GivenSeed(seed)
    draw = keras.random.uniform((*leading, (last + 1) // 2), dtype="float32", seed=generator)
    low = draw * UPPER_VALUES
    return ops.concatenate([draw, low - ops.floor(low)], axis=-1)[..., :last]


def check_rate(name: str, rate: float) -> float:
    """The rate as a float. Raises: ValueError if it is outside [0, 1)."""
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate < 1:
        raise ValueError(f"`{name}` must be a number in [0, 1). Received: {name}={rate!r}")
    return float(rate)


def check_positive(name: str, value: int) -> int:
    """The value. Raises: ValueError if it is not an integer of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"`{name}` must be an integer of at least 1. Received: {name}={value!r}")
    return value
