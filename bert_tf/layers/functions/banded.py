"""Local attention: a row is cut into blocks of queries, each of which sees the keys around it and no others.

A token sees those that stand at most `reach` away. A block of W = 2 * reach queries then looks at 2 W keys: its own,
and `reach` on either side. So a row of T tokens costs T * 2 W scores instead of T * T, and what is left to do is
ordinary attention of many short rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from bert_tf.layers.functions.masks import Sight, hidden

NOBODY = -1
"""Number of the keys that are added at a row's ends."""


def in_bands(attend: Callable[..., Any], q, k, v, sight: Sight, reach: int):
    """Attention of every token to those at most `reach` away.

    Args:
        attend: attention of rows that are short, of q, k, v and a bias float32 [B, 1, T, S].
        q, k, v: float [B, T, N, H].
        sight: who sees whom besides.
        reach: 1 or more.
    Returns: float [B, T, N, H].
    Reference: Beltagy et al., 2020, section 3.1, https://arxiv.org/abs/2004.05150
    """
    width, length = 2 * reach, ops.shape(q)[1]
    out = attend(_blocks(q, width), _around(k, reach), _around(v, reach), _bias(sight, reach))  # [B * C, W, N, H]
    out = ops.reshape(out, (ops.shape(q)[0], -1, *q.shape[2:]))  # [B, C * W, N, H]
    return out[:, :length]


def _bias(sight: Sight, reach: int):
    """float32 [B * C, 1, W, 2 W]: 0 where a query of a block may look."""
    width = 2 * reach
    offsets = np.arange(2 * width)[None, :] - np.arange(width)[:, None] - reach  # [W, 2 W], keys' less queries' places
    queries = _blocks(sight.queries, width)  # [B * C, W]
    keys = _around(sight.keys, reach, fill=NOBODY)  # [B * C, 2 W]
    seen = ops.equal(ops.expand_dims(queries, 2), ops.expand_dims(keys, 1))
    return hidden(ops.expand_dims(ops.logical_and(seen, np.abs(offsets) <= reach), 1), sight.masked)


def _blocks(x, width: int):
    """[B, T, ...] -> [B * C, W, ...], the last block of a row filled up."""
    return ops.reshape(_padded(x, 0, _missing(x, width)), (-1, width, *x.shape[2:]))


def _around(x, reach: int, fill: int = 0):
    """[B, T, ...] -> [B * C, 2 W, ...]: each block's own, and `reach` on either side.

    Moved on by `reach`, a row falls into C + 1 parts of W, and what lies around block c is the parts c and c + 1.
    """
    width = 2 * reach
    x = _padded(x, reach, _missing(x, width) + reach, fill)
    parts = ops.reshape(x, (ops.shape(x)[0], -1, width, *x.shape[2:]))  # [B, C + 1, W, ...]
    both = ops.concatenate([parts[:, :-1], parts[:, 1:]], axis=2)  # [B, C, 2 W, ...]
    return ops.reshape(both, (-1, 2 * width, *x.shape[2:]))


def _missing(x, width: int):
    """How many tokens a row lacks to be whole blocks."""
    return -ops.shape(x)[1] % width


def _padded(x, before, after, fill: int = 0):
    around = [[0, 0], [before, after], *([[0, 0]] * (len(x.shape) - 2))]
    return ops.pad(x, around, mode="constant", constant_values=fill)
