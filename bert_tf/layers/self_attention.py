"""Multi-head self-attention."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import keras
from keras import ops

from bert_tf.layers.dense import dense, leading_shape, on_tokens
from bert_tf.layers.dropout import check_positive, check_rate, dropout, second_seed
from bert_tf.layers.functions.banded import in_bands
from bert_tf.layers.functions.chunked import in_chunks, in_slices
from bert_tf.layers.functions.distances import distance_scores, scores_of_new
from bert_tf.layers.functions.kept import written
from bert_tf.layers.functions.masks import MASKED, sight_of, take_positions
from bert_tf.layers.functions.rotary import rotate
from bert_tf.layers.trainable import Composite

WHOLE = 1024
"""Tokens of a row up to which all scores are worked out at once; of a longer one, some queries' at a time."""
DISTANCE_TERMS = ("", "c2p", "p2c", "c2p|p2c")
"""What is compared with the vectors of distances: nothing, queries (content to position), keys, or both."""


@keras.saving.register_keras_serializable(package="bert_tf")
class SelfAttention(Composite):
    """Scaled dot-product attention of a sequence to itself, with several heads.

    Args:
        hidden_dim: width D of input and output.
        num_heads: number N of heads; must divide `hidden_dim`.
        dropout: share of attention weights dropped in training, in [0, 1).
        initializer_range: deviation of the truncated normal the kernels start from.
        use_bias: whether the four dense layers have biases.
        reach: how far a token looks to each side; 0: everywhere. With it long rows are worked out in bands
            (`functions.banded`).
        distance_terms: one of `DISTANCE_TERMS`. Scores are then divided by the root of H times their number, that of
            queries and keys among them.
        shares_distances: whether the vectors become keys and queries as tokens do, and not by layers of their own.
        distance_dropout: share of the vectors of distances dropped in training, in [0, 1).
        value_dim: width of what values are made of; None: D, as all else.
    Call arguments:
        x: float [B, S, D].
        bias: float32 [B, 1, T or 1, S], added to the scores (`masks.attention_bias`); None: everything is seen.
        queries: float [B, T, D], the tokens that look; None: `x` itself, T = S.
        seed: integer [2] for dropout; None: Keras's global generator.
        relative: float32 [B or 1, N, T, S], added to the scores as well (`RelativeBias`); None: nothing.
        rotary: angles of the tokens of `x`, by which queries and keys are turned (`functions.rotary`); None: they are
            not.
        sight: what `bias` says, as a `masks.Sight`, so that long rows are worked out without all of their scores at
            once. With `queries` it has their places, which `rotary` and `reach` need.
        distances: a `Distances` (`RelativeVectors`), which `distance_terms` need; with `queries` it has their places,
            or there is one of each row, its first token.
        values: float [B, S, value_dim], what values are made of; None: `x`.
    Returns: float [B, T, D] in the compute dtype; scores and softmax are float32.
    Raises: ValueError if `num_heads` does not divide `hidden_dim`.
    Reference: Vaswani et al., 2017, section 3.2.2, https://arxiv.org/abs/1706.03762; distances: He et al., 2020,
        section 3.1, https://arxiv.org/abs/2006.03654

    >>> import numpy as np
    >>> from bert_tf.layers import attention_bias
    >>> layer, x = SelfAttention(hidden_dim=8, num_heads=2), np.random.default_rng(0).normal(size=(1, 3, 8))
    >>> bias = attention_bias(np.array([[1, 1, 0]]))  # the third token is padding
    >>> x[:, 2] = 99.0
    >>> layer(x, bias=bias).shape, bool(np.abs(layer(x, bias=bias)[:, :2]).max() < 9)
    (TensorShape([1, 3, 8]), True)
    """

    def __init__(
        self,
        hidden_dim: int,
        num_heads: int,
        *,
        dropout: float = 0.1,
        initializer_range: float = 0.02,
        use_bias: bool = True,
        reach: int = 0,
        distance_terms: str = "",
        shares_distances: bool = False,
        distance_dropout: float = 0.0,
        value_dim: int | None = None,
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)
        self.hidden_dim = check_positive("hidden_dim", hidden_dim)
        self.num_heads = check_positive("num_heads", num_heads)
        if hidden_dim % num_heads:
            raise ValueError(
                f"`num_heads` must divide `hidden_dim`. Received: num_heads={num_heads}, hidden_dim={hidden_dim}"
            )
        self.dropout = check_rate("dropout", dropout)
        self.initializer_range = initializer_range
        self.use_bias = use_bias
        self.reach = check_positive("reach", reach) if reach != 0 else 0
        self.value_dim = None if value_dim is None else check_positive("value_dim", value_dim)
        self.head_dim = hidden_dim // num_heads
        if distance_terms not in DISTANCE_TERMS:
            terms = ", ".join(map(repr, DISTANCE_TERMS))
            raise ValueError(f"`distance_terms` must be one of {terms}. Received: distance_terms={distance_terms!r}")
        self.distance_terms, self.shares_distances = distance_terms, shares_distances
        self.distance_dropout = check_rate("distance_dropout", distance_dropout)
        self.terms = tuple(term for term in distance_terms.split("|") if term)
        self.scale = 1.0 / math.sqrt(self.head_dim * (1 + len(self.terms)))
        # A converter may say False: its graph then has no branches and loops, and takes no dropout.
        self.may_branch = True

        def project(name):
            return dense(hidden_dim, initializer_range, name=name, dtype=self.dtype_policy, use_bias=use_bias)

        self.query, self.key, self.value = project("query"), project("key"), project("value")
        self.output_dense = project("output")
        own = () if shares_distances else self.terms
        self.distance_key: Any = project("distance_key") if "c2p" in own else None
        self.distance_query: Any = project("distance_query") if "p2c" in own else None
        self.parts_are_made()

    def build(self, input_shape=None):
        own = (self.distance_key, self.distance_query)
        for layer in (self.query, self.key, self.output_dense, *own):
            if layer is not None:
                layer.build((None, None, self.hidden_dim))
        self.value.build((None, None, self.hidden_dim if self.value_dim is None else self.value_dim))

    def call(
        self,
        x,
        bias=None,
        queries=None,
        seed=None,
        training=None,
        relative=None,
        rotary=None,
        sight=None,
        distances=None,
        values=None,
    ):
        x = ops.cast(x, self.compute_dtype)
        values = x if values is None else ops.cast(values, self.compute_dtype)
        q = self._queries(x if queries is None else ops.cast(queries, self.compute_dtype))  # [B, T, N, H]
        k, v = self._heads(on_tokens(self.key, x)), self._heads(on_tokens(self.value, values))  # [B, S, N, H]
        places = None if sight is None else sight.places
        if queries is not None and places is None and (self.reach or rotary is not None):
            raise ValueError("`sight` must have the places of `queries`. Received: queries, and no places")
        if rotary is not None:
            own = rotary if places is None else tuple(take_positions(part, places) for part in rotary)
            q, k = rotate(q, own), rotate(k, rotary)
        if self.reach and sight is None:
            sight = sight_of(ops.zeros_like(x[..., 0], "int32"))
        rate = self.dropout if training else 0.0
        if self.terms:
            scores = self._distance_scores(q, k, distances, queries is not None, training, seed)
            relative = scores if relative is None else scores + relative
        if sight is not None and queries is None and bias is None and relative is None:
            return self._join(self._by_length(q, k, v, sight, rate, seed))
        hidden = None if sight is None else sight.bias(self.reach)
        return self._join(_attend(q, k, v, bias, relative, hidden, rate=rate, seed=seed))  # [B, T, D]

    def _by_length(self, q, k, v, sight, rate: float, seed):
        """Attention by `sight` alone: all scores at once of rows that are short, and of longer ones in parts."""
        attend = partial(_attend, rate=rate, seed=seed)
        if self.reach:
            most = 4 * self.reach  # twice a block, which has that many keys
            in_parts = partial(in_bands, attend, q, k, v, sight, self.reach)
        else:
            most = WHOLE
            in_parts = partial(in_chunks, q, k, v, sight, rate=rate, drop=dropout, seed=_seed_for(rate, seed))

        def whole():
            return attend(q, k, v, sight.bias(self.reach))

        length = q.shape[1]
        if not self.may_branch and not self.reach:
            return whole() if (length or 0) <= most else in_slices(attend, q, k, v, sight)
        if length is None and self.may_branch:
            return ops.cond(ops.shape(q)[1] <= most, whole, in_parts)
        return whole() if length is not None and length <= most else in_parts()

    def _distance_scores(self, q, k, distances, alone: bool, training, seed):
        if distances is None:
            raise ValueError(f"`distances` are needed for distance_terms={self.distance_terms!r}. Received: None")
        of_them = self.of_distances(distances.vectors, training, seed)
        return distance_scores(q, k, distances, *of_them, first=alone and distances.places is None)

    def of_distances(self, vectors, training=None, seed=None):
        """What vectors of distances, float [R, D], are as keys and as queries, [R, N, H]; None what has no part."""
        x = ops.cast(vectors, self.compute_dtype)
        x = dropout(x, self.distance_dropout, second_seed(seed)) if training else x
        key, query = (self.key, self.query) if self.shares_distances else (self.distance_key, self.distance_query)
        heads = (-1, self.num_heads, self.head_dim)
        keys = ops.reshape(key(x), heads) if "c2p" in self.terms else None
        return keys, ops.reshape(query(x) * self.scale, heads) if "p2c" in self.terms else None

    def keys_and_values(self, x, rotary=None, values=None):
        """What other tokens see of `x`, float [B, S, D], also when they come later: [B, N, H, S] and [B, N, S, H].

        Args: `rotary` and `values` as in the call.
        """
        values = x if values is None else values
        k, v = self._heads(on_tokens(self.key, x)), self._heads(on_tokens(self.value, values))  # [B, S, N, H]
        k = k if rotary is None else rotate(k, rotary)
        return ops.transpose(k, (0, 2, 3, 1)), ops.transpose(v, (0, 2, 1, 3))

    def decode(self, x, source, past, place, bias=None, relative=None, rotary=None, distances=None, values=None):
        """Attention of one new token for each of K sequences that begin with the same source.

        Args:
            x: float [B, K, D], the tokens.
            source: keys [B, N, H, S] and values [B, N, S, H] of the source.
            past: keys and values, [B * K, N, P, H] each, of each sequence's own tokens so far.
            place: int [], where in `past` the new tokens go; what lies after is not seen.
            bias: float32 [B, 1, 1, S], for the source.
            relative: float32 [B, N or 1, 1, P + S], for each sequence's own tokens and the source; None: nothing.
            rotary: angles of the tokens, as in the call.
            distances: keys and queries of `of_distances`, and int32 [B, P + S], which of them each key's distance is;
                what `distance_terms` need.
            values: as in the call, of the tokens.
        Returns: float [B, K, D], and `past` with the new tokens in it.
        """
        x = ops.cast(x, self.compute_dtype)
        number, length = x.shape[1], past[0].shape[2]
        flat = ops.reshape(x, (-1, 1, self.hidden_dim))  # [B * K, 1, D]
        values = flat if values is None else ops.reshape(values, (-1, 1, values.shape[-1]))
        own_q, own_k = self._queries(flat), self._heads(on_tokens(self.key, flat))  # [B * K, 1, N, H]
        if rotary is not None:
            own = tuple(ops.reshape(part, (-1, 1, 1, part.shape[-1])) for part in rotary)
            own_q, own_k = rotate(own_q, own), rotate(own_k, own)
        past_k = written(past[0], place, own_k)  # [B * K, N, P, H]
        past_v = written(past[1], place, on_tokens(self.value, values))
        own_q = ops.reshape(own_q, (-1, self.num_heads, 1, self.head_dim))
        q = self._of_sources(own_q, number)  # [B, N, K, H]
        own = self._of_sources(ops.matmul(own_q, ops.transpose(past_k, (0, 1, 3, 2))), number)  # [B, N, K, P]
        scores = ops.cast(ops.concatenate([own, ops.matmul(q, source[0])], axis=-1), "float32")  # [B, N, K, P + S]
        later = ops.cast(ops.arange(length) > place, "float32")[None, None, None] * MASKED  # [1, 1, 1, P]
        if bias is not None:
            hidden = ops.concatenate([later + ops.zeros_like(bias[..., :1]), bias], axis=-1)  # [B, 1, 1, P + S]
        else:
            hidden = ops.pad(later, ((0, 0), (0, 0), (0, 0), (0, source[1].shape[2])))
        if relative is not None:
            hidden = hidden + relative
        if distances is not None:
            hidden = hidden + scores_of_new(q, source[0], past_k, *distances)
        weights = ops.cast(ops.softmax(scores + hidden), self.compute_dtype)
        out = ops.matmul(weights[..., length:], source[1])  # [B, N, K, H]
        own_out = ops.matmul(self._of_texts(weights[..., :length], number, length), past_v)  # [B * K, N, 1, H]
        out = self._of_texts(out, number, self.head_dim) + own_out
        out = on_tokens(self.output_dense, ops.reshape(out, (-1, 1, self.hidden_dim)))  # [B * K, 1, D]
        return ops.reshape(out, (-1, number, self.hidden_dim)), (past_k, past_v)

    def _of_sources(self, x, number: int):
        """[B * K, N, 1, W] -> [B, N, K, W]"""
        if number == 1:
            return x
        x = ops.reshape(x, (-1, number, self.num_heads, x.shape[-1]))
        return ops.transpose(x, (0, 2, 1, 3))

    def _of_texts(self, x, number: int, width: int):
        """[B, N, K, W] -> [B * K, N, 1, W]"""
        if number == 1:
            return x
        return ops.reshape(ops.transpose(x, (0, 2, 1, 3)), (-1, self.num_heads, 1, width))

    def _queries(self, x):
        """[B, T, D] -> [B, T, N, H], scaled."""
        return self._heads(on_tokens(self.query, x) * self.scale)

    def _heads(self, x):
        """[B, T, D] -> [B, T, N, H]"""
        return ops.reshape(x, (*leading_shape(x), self.num_heads, self.head_dim))

    def _join(self, out):
        """[B, T, N, H] -> [B, T, D], through the last dense layer."""
        return on_tokens(self.output_dense, ops.reshape(out, (*leading_shape(out), self.hidden_dim)))

    def compute_output_spec(self, x, bias=None, queries=None, **others):
        shape = (x if queries is None else queries).shape
        return keras.KerasTensor((*shape[:-1], self.hidden_dim), dtype=self.compute_dtype)

    def get_config(self):
        names = ("hidden_dim", "num_heads", "dropout", "initializer_range", "use_bias", "reach")
        names += ("distance_terms", "shares_distances", "distance_dropout", "value_dim")
        return super().get_config() | {name: getattr(self, name) for name in names}


def _attend(q, k, v, *biases, rate: float, seed):
    """Attention of rows, all of their scores at once.

    Args:
        q, k, v: float [B, T, N, H], and [B, S, N, H] twice; q is scaled.
        biases: float32, added to the scores [B, N, T, S]; None: nothing.
        rate, seed: of the dropout of attention weights.
    Returns: float [B, T, N, H].
    """
    scores = ops.matmul(ops.transpose(q, (0, 2, 1, 3)), ops.transpose(k, (0, 2, 3, 1)))
    scores = ops.cast(scores, "float32")  # [B, N, T, S]
    for bias in biases:
        scores = scores if bias is None else scores + bias
    weights = dropout(ops.softmax(scores), rate, seed)
    out = ops.matmul(ops.cast(weights, v.dtype), ops.transpose(v, (0, 2, 1, 3)))  # [B, N, T, H]
    return ops.transpose(out, (0, 2, 1, 3))


def _seed_for(rate: float, seed):
    """The seed of what is worked out twice and must drop the same: a new one where none is given and one is needed."""
    if seed is None and rate:
        return keras.random.randint((2,), 0, 2**30, dtype="int32")
    return ops.zeros((2,), "int32") if seed is None else seed
