"""What attention may look at, worked out once a batch and handed to every block."""

from __future__ import annotations

from typing import Any, NamedTuple

from keras import ops

MASKED = -1e4
"""Added to the score of a key that must not be seen: exp(-1e4) is 0 in float32, and float16 holds the number."""


def attention_bias(padding_mask=None, example_ids=None, *, query_ids=None, masked: float = MASKED):
    """The bias that attention adds to its scores: 0 where a query may look, `masked` elsewhere.

    Args:
        padding_mask: int [B, S], 1 at real tokens; None: all are real.
        example_ids: int [B, S], 0 at padding, else the number of the token's example within its row. A query sees
            only keys with its own number, so padding sees padding, and no row of scores is without a key.
        query_ids: int [B, T], the queries' example numbers where the queries are not the keys.
        masked: a finite number; static int8 kernels want a smaller one than the default, such as -50.
    Returns: float32 [B, 1, T, S] with example_ids, [B, 1, 1, S] with padding_mask alone, None with neither.
    """
    allowed = None
    if example_ids is not None:
        query_ids = example_ids if query_ids is None else query_ids
        allowed = ops.equal(query_ids[:, None, :, None], example_ids[:, None, None, :])  # [B, 1, T, S]
        if padding_mask is not None:
            # Padding keeps seeing padding (its number is 0): only a real query is kept from a masked key.
            keep = ops.not_equal(padding_mask, 0)[:, None, None, :]  # [B, 1, 1, S]
            allowed = ops.logical_and(allowed, ops.logical_or(keep, ops.equal(query_ids, 0)[:, None, :, None]))
    elif padding_mask is not None:
        # Not by new axes of a slice, for which the LiteRT runtime has no kernel.
        allowed = ops.expand_dims(ops.not_equal(padding_mask, 0), (1, 2))  # [B, 1, 1, S]
    if allowed is None:
        return None
    return (1.0 - ops.cast(allowed, "float32")) * masked


def sequence_to_sequence_bias(segment_ids, bias=None, *, masked: float = MASKED):
    """For a source and, after it, a target: every token sees the source, a target's tokens also see themselves and what
    stands before them.

    Args:
        segment_ids: int [B, T], 0 in the source, 1 in the target that follows it.
        bias: float32 [B, 1, T or 1, T], of `attention_bias`: what is hidden besides; None: nothing.
        masked: as `attention_bias` takes it.
    Returns: float32 [B, 1, T, T].
    Reference: Dong et al., 2019, figure 1, https://arxiv.org/abs/1905.03197
    """
    place = ops.arange(ops.shape(segment_ids)[1])
    # The targets of an example stand after all of its source, so a source's token never comes after one.
    allowed = ops.logical_or(ops.equal(segment_ids, 0)[:, None, None, :], place[:, None] >= place[None, :])
    hidden = (1.0 - ops.cast(allowed, "float32")) * masked  # [B, 1, T, T]
    return hidden if bias is None else ops.minimum(hidden, bias)


class Sight(NamedTuple):
    """Who sees whom, by numbers: a query sees the keys that have its own. What is hidden is worked out for any few of
    them, so that long rows need no number for each pair.

    Args:
        queries: int [B, T].
        keys: int [B, S].
        masked: float32 [], what is added to a score that must not count, see `attention_bias`.
        places: int [B, T], where among the keys each query stands; None: at its own number, T = S.

    >>> import numpy as np
    >>> seen = sight_of(np.zeros((1, 4), "int32"), padding_mask=np.array([[1, 1, 1, 0]]))
    >>> (seen.bias(reach=1)[0, 0] == 0).numpy().astype(int).tolist()
    [[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 0], [0, 0, 1, 0]]
    """

    queries: Any
    keys: Any
    masked: Any
    places: Any = None

    def at(self, places) -> Sight:
        """The same for the queries at `places`, int [B, M]."""
        return self._replace(queries=take_positions(self.queries, places), places=places)

    def bias(self, reach: int = 0):
        """float32 [B, 1, T, S]: 0 where a query may look, `masked` elsewhere.

        Args:
            reach: how far a query looks to each side; 0: everywhere.
        """
        seen = ops.equal(ops.expand_dims(self.queries, 2), ops.expand_dims(self.keys, 1))  # [B, T, S]
        if reach:
            keys = ops.arange(ops.shape(self.keys)[1], dtype="int32")  # [S]
            places = ops.expand_dims(keys, 0) if self.places is None else ops.cast(self.places, "int32")
            distances = ops.expand_dims(places, 2) - ops.expand_dims(keys, (0, 1))  # [B or 1, T, S]
            seen = ops.logical_and(seen, ops.abs(distances) <= reach)
        return hidden(ops.expand_dims(seen, 1), self.masked)


def sight_of(token_ids, padding_mask=None, example_ids=None, *, masked: float = MASKED) -> Sight:
    """What `attention_bias` says of the same arguments, of queries that are the keys. Args: token_ids, int [B, T]."""
    queries, keys = ops.ones_like(token_ids), ops.ones_like(token_ids)
    if example_ids is not None:
        queries = keys = ops.cast(example_ids, token_ids.dtype)
    if padding_mask is not None:
        nobodys = ops.logical_and(ops.equal(padding_mask, 0), ops.not_equal(keys, 0))  # padding still sees padding
        keys = ops.where(nobodys, -ops.ones_like(keys), keys)
    return Sight(queries, keys, ops.convert_to_tensor(masked, dtype="float32"))


def hidden(seen, masked):
    """bool [...] -> float32 [...]: 0 where something is seen, `masked` elsewhere."""
    return (1.0 - ops.cast(seen, "float32")) * masked


def take_positions(x, positions):
    """Picks tokens out of every row: out[b, m] = x[b, positions[b, m]].

    Args:
        x: [B, T, ...].
        positions: int [B, M], each in [0, T).
    Returns: [B, M, ...] in the dtype of `x`.
    """
    rows, length = ops.shape(x)[0], ops.shape(x)[1]
    flat = ops.reshape(x, (-1, *x.shape[2:]))  # [B * T, ...]
    start = ops.arange(rows, dtype="int32")[:, None] * length  # [B, 1]
    return ops.take(flat, ops.cast(positions, "int32") + start, axis=0)  # [B, M, ...]
