"""Multi-head self-attention."""

from __future__ import annotations

import math

import keras
from keras import ops

from bert_tf.layers.dense import dense, leading_shape, on_tokens
from bert_tf.layers.dropout import check_positive, check_rate, dropout


@keras.saving.register_keras_serializable(package="bert_tf")
class SelfAttention(keras.layers.Layer):
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
    Returns: float [B, T, D] in the compute dtype; scores and softmax are float32.
    Raises: ValueError if `num_heads` does not divide `hidden_dim`.
    Reference: Vaswani et al., 2017, section 3.2.2, https://arxiv.org/abs/1706.03762
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

    def build(self, input_shape=None):
        for layer in (self.query, self.key, self.value, self.output_dense):
            layer.build((None, None, self.hidden_dim))

    def call(self, x, bias=None, queries=None, seed=None, training=None):
        x = ops.cast(x, self.compute_dtype)
        queries = x if queries is None else ops.cast(queries, self.compute_dtype)
        q = on_tokens(self.query, queries) * (1.0 / math.sqrt(self.head_dim))  # [B, T, D]
        q = self._split(q, (0, 2, 1, 3))  # [B, N, T, H]
        k = self._split(on_tokens(self.key, x), (0, 2, 3, 1))  # [B, N, H, S]
        v = self._split(on_tokens(self.value, x), (0, 2, 1, 3))  # [B, N, S, H]
        scores = ops.cast(ops.matmul(q, k), "float32")  # [B, N, T, S]
        if bias is not None:
            scores = scores + bias
        weights = ops.softmax(scores)  # [B, N, T, S]
        if training:
            weights = dropout(weights, self.dropout, seed)
        out = ops.matmul(ops.cast(weights, self.compute_dtype), v)  # [B, N, T, H]
        out = ops.transpose(out, (0, 2, 1, 3))  # [B, T, N, H]
        return on_tokens(self.output_dense, ops.reshape(out, (*leading_shape(out), self.hidden_dim)))  # [B, T, D]

    def _split(self, x, order):
        """[B, T, D] -> [B, T, N, H] -> its axes in the order asked for."""
        return ops.transpose(ops.reshape(x, (*leading_shape(x), self.num_heads, self.head_dim)), order)

    def compute_output_spec(self, x, bias=None, queries=None, seed=None, training=None):
        shape = (x if queries is None else queries).shape
        return keras.KerasTensor((*shape[:-1], self.hidden_dim), dtype=self.compute_dtype)

    def get_config(self):
        names = ("hidden_dim", "num_heads", "dropout", "initializer_range")
        return super().get_config() | {name: getattr(self, name) for name in names}
