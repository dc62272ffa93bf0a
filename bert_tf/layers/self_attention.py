"""Multi-head self-attention."""

from __future__ import annotations

import math

import keras
from keras import ops

from bert_tf.layers.dense import dense, leading_shape, on_tokens
from bert_tf.layers.dropout import check_positive, check_rate, dropout
from bert_tf.layers.functions.masks import MASKED
from bert_tf.layers.trainable import Composite


@keras.saving.register_keras_serializable(package="bert_tf")
class SelfAttention(Composite):
    """Scaled dot-product attention of a sequence to itself, with several heads.

    Args:
        hidden_dim: width D of input and output.
        num_heads: number N of heads; must divide `hidden_dim`.
        dropout: share of attention weights dropped in training, in [0, 1).
        initializer_range: deviation of the truncated normal the kernels start from.
    Call arguments:
        x: float [B, S, D].
        bias: float32 [B, 1, T or 1, S], added to the scores (`masks.attention_bias`); None: everything is seen.
        queries: float [B, T, D], the tokens that look; None: `x` itself, T = S.
        seed: integer [2] for dropout; None: Keras's global generator.
        relative: float32 [B or 1, N, T, S], added to the scores as well (`RelativeBias`); None: nothing.
    Returns: float [B, T, D] in the compute dtype; scores and softmax are float32.
    Raises: ValueError if `num_heads` does not divide `hidden_dim`.
    Reference: Vaswani et al., 2017, section 3.2.2, https://arxiv.org/abs/1706.03762

    >>> import numpy as np
    >>> from bert_tf.layers import attention_bias
    >>> layer, x = SelfAttention(hidden_dim=8, num_heads=2), np.random.default_rng(0).normal(size=(1, 3, 8))
    >>> bias = attention_bias(np.array([[1, 1, 0]]))  # the third token is padding
    >>> x[:, 2] = 99.0
    >>> layer(x, bias=bias).shape, bool(np.abs(layer(x, bias=bias)[:, :2]).max() < 9)
    (TensorShape([1, 3, 8]), True)
    """

    def __init__(
        self, hidden_dim: int, num_heads: int, *, dropout: float = 0.1, initializer_range: float = 0.02, **kwargs
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
        self.head_dim = hidden_dim // num_heads

        def project(name):
            return dense(hidden_dim, initializer_range, name=name, dtype=self.dtype_policy)

        self.query, self.key, self.value = project("query"), project("key"), project("value")
        self.output_dense = project("output")
        self.parts_are_made()

    def build(self, input_shape=None):
        for layer in (self.query, self.key, self.value, self.output_dense):
            layer.build((None, None, self.hidden_dim))

    def call(self, x, bias=None, queries=None, seed=None, training=None, relative=None):
        x = ops.cast(x, self.compute_dtype)
        queries = x if queries is None else ops.cast(queries, self.compute_dtype)
        q = self._queries(queries)
        k, v = self.keys_and_values(x)
        scores = ops.cast(ops.matmul(q, k), "float32")  # [B, N, T, S]
        if bias is not None:
            scores = scores + bias
        if relative is not None:
            scores = scores + relative
        weights = ops.softmax(scores)  # [B, N, T, S]
        if training:
            weights = dropout(weights, self.dropout, seed)
        return self._join(ops.matmul(ops.cast(weights, self.compute_dtype), v))  # [B, T, D]

    def keys_and_values(self, x):
        """What other tokens see of `x`, float [B, S, D], also when they come later: [B, N, H, S] and [B, N, S, H]."""
        k = self._split(on_tokens(self.key, x), (0, 2, 3, 1))
        return k, self._split(on_tokens(self.value, x), (0, 2, 1, 3))

    def decode(self, x, source, past, place, bias=None, relative=None):
        """Attention of one new token for each of K sequences that begin with the same source.

        Args:
            x: float [B, K, D], the tokens.
            source: keys [B, N, H, S] and values [B, N, S, H] of the source.
            past: keys and values, [B * K, N, P, H] each, of each sequence's own tokens so far.
            place: int [], where in `past` the new tokens go; what lies after is not seen.
            bias: float32 [B, 1, 1, S], for the source.
            relative: float32 [B, N, 1, P + S], for each sequence's own tokens and the source; None: nothing.
        Returns: float [B, K, D], and `past` with the new tokens in it.
        """
        x = ops.cast(x, self.compute_dtype)
        number, length = x.shape[1], past[0].shape[2]
        flat = ops.reshape(x, (-1, 1, self.hidden_dim))  # [B * K, 1, D]
        past_k = self._written(past[0], place, on_tokens(self.key, flat))  # [B * K, N, P, H]
        past_v = self._written(past[1], place, on_tokens(self.value, flat))
        scale = 1.0 / math.sqrt(self.head_dim)
        own_q = ops.reshape(on_tokens(self.query, flat) * scale, (-1, self.num_heads, 1, self.head_dim))
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
        weights = ops.cast(ops.softmax(scores + hidden), self.compute_dtype)
        out = ops.matmul(weights[..., length:], source[1])  # [B, N, K, H]
        own_out = ops.matmul(self._of_texts(weights[..., :length], number, length), past_v)  # [B * K, N, 1, H]
        out = self._of_texts(out, number, self.head_dim) + own_out
        out = on_tokens(self.output_dense, ops.reshape(out, (-1, 1, self.hidden_dim)))  # [B * K, 1, D]
        return ops.reshape(out, (-1, number, self.hidden_dim)), (past_k, past_v)

    def _written(self, past, place, new):
        """`past` [R, N, P, H] with `new` [R, 1, D] at `place`: the numbers that change are written and no others, which
        TensorFlow does in place."""
        _, heads, length, width = past.shape
        rows = ops.shape(past)[0] * heads
        where = ops.arange(rows)[:, None] * length + place  # [R * N, 1]
        flat = ops.reshape(past, (-1, width))  # [R * N * P, H]
        flat = ops.scatter_update(flat, where, ops.reshape(new, (-1, width)))
        return ops.reshape(flat, (-1, heads, length, width))

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
        """[B, T, D] -> [B, N, T, H], scaled."""
        return self._split(on_tokens(self.query, x) * (1.0 / math.sqrt(self.head_dim)), (0, 2, 1, 3))

    def _join(self, out):
        """[B, N, T, H] -> [B, T, D], through the last dense layer."""
        out = ops.transpose(out, (0, 2, 1, 3))  # [B, T, N, H]
        return on_tokens(self.output_dense, ops.reshape(out, (*leading_shape(out), self.hidden_dim)))

    def _split(self, x, order):
        """[B, T, D] -> [B, T, N, H] -> its axes in the order asked for."""
        return ops.transpose(ops.reshape(x, (*leading_shape(x), self.num_heads, self.head_dim)), order)

    def compute_output_spec(self, x, bias=None, queries=None, seed=None, training=None, relative=None):
        shape = (x if queries is None else queries).shape
        return keras.KerasTensor((*shape[:-1], self.hidden_dim), dtype=self.compute_dtype)

    def get_config(self):
        names = ("hidden_dim", "num_heads", "dropout", "initializer_range")
        return super().get_config() | {name: getattr(self, name) for name in names}
