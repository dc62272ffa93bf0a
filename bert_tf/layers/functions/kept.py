"""Keys and values that are kept from token to token."""

from __future__ import annotations

from keras import ops


def written(past, place, new):
    """`past` with `new` at one place: what changes is written and nothing else, which TensorFlow does in place.

    Args:
        past: [R, N, P, H].
        place: int [], in [0, P).
        new: N * H numbers for each row.
    Returns: [R, N, P, H].
    """
    _, heads, length, width = past.shape
    rows = ops.shape(past)[0] * heads
    where = ops.arange(rows)[:, None] * length + place  # [R * N, 1]
    flat = ops.reshape(past, (-1, width))  # [R * N * P, H]
    flat = ops.scatter_update(flat, where, ops.reshape(new, (-1, width)))
    return ops.reshape(flat, (-1, heads, length, width))
