"""One block of an encoder: attention and feed-forward, each added to its input, which is normalised after or before."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from bert_tf.layers.convolution import Convolution
from bert_tf.layers.dropout import check_rate, dropout, second_seed, site_seed
from bert_tf.layers.feed_forward import FeedForward
from bert_tf.layers.layer_norm import LayerNorm
from bert_tf.layers.self_attention import SelfAttention
from bert_tf.layers.trainable import Composite


@keras.saving.register_keras_serializable(package="bert_tf")
class EncoderBlock(Composite):
    """Self-attention, then feed-forward; the norm comes after each sum (post-norm), or before what is added (pre-norm).

    Blocks of pre-norm hand on the sum itself, in float32, and the encoder normalises the last one's. In training they
    drop where ModernBERT does: what attention adds, by `attention_dropout`, and values within the feed-forward.

    Args:
        hidden_dim: width D of input and output.
        num_heads: number of attention heads; must divide `hidden_dim`.
        intermediate_dim: width between the two dense layers of the feed-forward.
        hidden_dropout: share dropped of what attention and feed-forward add, in [0, 1); not of pre-norm.
        attention_dropout: share of attention weights dropped, in [0, 1).
        activation: see `FeedForward`.
        layer_norm_epsilon: added to the variance before the root.
        initializer_range: deviation of the truncated normal the kernels start from.
        norm_first: whether it is pre-norm.
        normalizes_input: False leaves the first norm out of a pre-norm block whose input is normalised already.
        attention_bias, feed_forward_bias, norm_bias: whether dense layers and norms have biases.
        gated, feed_forward_dropout: see `FeedForward`, whose `dropout` the second is.
        reach, distance_terms, shares_distances: see `SelfAttention`, which drops of the vectors of distances what
            `hidden_dropout` says.
        kernel_size: of a `Convolution` of the input, added to what the block gives; 0: there is none.
        kernel_activation: of it.
    Call arguments:
        x: float [B, S, D].
        bias, relative, rotary, sight, distances: see `SelfAttention`.
        near: see `Convolution`, which needs it.
        queries: float [B, T, D], the tokens to work out; None: all of `x`.
        seed: integer [2] for dropout; the block makes three seeds of it (`site_seed`).
    Returns: float [B, T, D] in the compute dtype, of pre-norm in float32.
    Raises: ValueError for a bad argument.
    Reference: Devlin et al., 2019, https://arxiv.org/abs/1810.04805; pre-norm: Xiong et al., 2020,
        https://arxiv.org/abs/2002.04745

    >>> layer = EncoderBlock(hidden_dim=8, num_heads=2, intermediate_dim=16)
    >>> layer(keras.random.normal((2, 5, 8))).shape
    TensorShape([2, 5, 8])
    """

    SEEDS = 3

    def __init__(
        self,
        hidden_dim: int,
        num_heads: int,
        intermediate_dim: int,
        *,
        hidden_dropout: float = 0.1,
        attention_dropout: float = 0.1,
        activation: str = "gelu",
        layer_norm_epsilon: float = 1e-12,
        initializer_range: float = 0.02,
        norm_first: bool = False,
        normalizes_input: bool = True,
        attention_bias: bool = True,
        feed_forward_bias: bool = True,
        norm_bias: bool = True,
        gated: bool = False,
        feed_forward_dropout: float = 0.0,
        reach: int = 0,
        distance_terms: str = "",
        shares_distances: bool = False,
        kernel_size: int = 0,
        kernel_activation: str = "tanh",
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)
        self.hidden_dim = hidden_dim
        self.num_heads = num_heads
        self.intermediate_dim = intermediate_dim
        self.hidden_dropout = check_rate("hidden_dropout", hidden_dropout)
        self.attention_dropout = check_rate("attention_dropout", attention_dropout)
        self.activation = activation
        self.layer_norm_epsilon = layer_norm_epsilon
        self.initializer_range = initializer_range
        if not normalizes_input and not norm_first:
            raise ValueError("`normalizes_input` must be True without `norm_first`. Received: normalizes_input=False")
        self.norm_first, self.normalizes_input = norm_first, normalizes_input
        self.attention_bias, self.feed_forward_bias, self.norm_bias = attention_bias, feed_forward_bias, norm_bias
        self.gated, self.feed_forward_dropout, self.reach = gated, feed_forward_dropout, reach
        self.distance_terms, self.shares_distances = distance_terms, shares_distances
        self.kernel_size, self.kernel_activation = kernel_size, kernel_activation

        shared = {"initializer_range": initializer_range, "dtype": self.dtype_policy}
        norm = {"epsilon": layer_norm_epsilon, "use_bias": norm_bias, "dtype": self.dtype_policy}
        self.attention = SelfAttention(
            hidden_dim,
            num_heads,
            dropout=attention_dropout,
            use_bias=attention_bias,
            reach=reach,
            distance_terms=distance_terms,
            shares_distances=shares_distances,
            distance_dropout=hidden_dropout,
            name="attention",
            **shared,
        )
        self.attention_norm: Any = None
        if normalizes_input:
            self.attention_norm = LayerNorm(hidden_dim, name="attention_norm", **norm)
        self.feed_forward = FeedForward(
            hidden_dim,
            intermediate_dim,
            activation=activation,
            gated=gated,
            use_bias=feed_forward_bias,
            dropout=feed_forward_dropout,
            name="feed_forward",
            **shared,
        )
        self.feed_forward_norm = LayerNorm(hidden_dim, name="feed_forward_norm", **norm)
        self.convolution: Any = None
        if kernel_size:
            self.convolution = Convolution(
                hidden_dim,
                kernel_size,
                activation=kernel_activation,
                dropout=hidden_dropout,
                layer_norm_epsilon=layer_norm_epsilon,
                name="convolution",
                **shared,
            )
        self.parts_are_made()

    def build(self, input_shape=None):
        norms = (self.attention_norm, self.feed_forward_norm)
        for layer in (self.attention, self.feed_forward, *norms, self.convolution):
            if layer is not None:
                layer.build((None, None, self.hidden_dim))

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
        near=None,
    ):
        told = {"bias": bias, "relative": relative, "rotary": rotary, "sight": sight, "distances": distances}
        told = {name: value for name, value in told.items() if value is not None}
        if queries is not None:
            told["queries"] = self._seen(queries, training)
        added = self.attention(self._seen(x, training), seed=seed, training=training, **told)  # [B, T, D]
        out = self._after_attention(x if queries is None else queries, added, seed, training)
        if self.convolution is None:
            return out
        return self.convolution(x, out, near=near, seed=second_seed(site_seed(seed, 2)), training=training)

    def keys_and_values(self, x, rotary=None):
        """What other tokens see of `x`: `SelfAttention.keys_and_values` says more."""
        return self.attention.keys_and_values(self._seen(x, False), rotary)

    def decode(self, x, source, past, place, bias=None, relative=None, rotary=None, distances=None):
        """The block for one new token of each of K sequences: `SelfAttention.decode` has the arguments.

        Returns: float [B, K, D], and `past` with the new tokens' keys and values in it.
        """
        added, past = self.attention.decode(
            self._seen(x, False), source, past, place, bias, relative, rotary, distances
        )
        return self._after_attention(x, added, None, False), past

    def _seen(self, x, training):
        """What attention gets of a block's input."""
        return self.attention_norm(x, training=training) if self.norm_first and self.normalizes_input else x

    def _after_attention(self, x, added, seed, training):
        if self.norm_first:
            x = _sum(x, added, self.attention_dropout, site_seed(seed, 1), training)
            inner = self.feed_forward_norm(x, training=training)
            added = self.feed_forward(inner, seed=site_seed(seed, 2), training=training)  # [B, T, D]
            return _sum(x, added, 0.0, None, training)
        x = _sum(x, added, self.hidden_dropout, site_seed(seed, 1), training)
        x = self.attention_norm(x, training=training)
        added = self.feed_forward(x, training=training)  # [B, T, D]
        x = _sum(x, added, self.hidden_dropout, site_seed(seed, 2), training)
        return self.feed_forward_norm(x, training=training)

    def compute_output_spec(self, x, bias=None, queries=None, **others):
        shape = (x if queries is None else queries).shape
        dtype = "float32" if self.norm_first else self.compute_dtype
        return keras.KerasTensor((*shape[:-1], self.hidden_dim), dtype=dtype)

    def get_config(self):
        names = ("hidden_dim", "num_heads", "intermediate_dim", "hidden_dropout", "attention_dropout")
        names += ("activation", "layer_norm_epsilon", "initializer_range", "norm_first", "normalizes_input")
        names += ("attention_bias", "feed_forward_bias", "norm_bias", "gated", "feed_forward_dropout", "reach")
        names += ("distance_terms", "shares_distances", "kernel_size", "kernel_activation")
        return super().get_config() | {name: getattr(self, name) for name in names}


def _sum(x, added, rate: float, seed, training):
    """The sum in float32: exact where it matters, and on a CPU faster than in bfloat16."""
    added = ops.cast(added, "float32")
    return ops.cast(x, "float32") + (dropout(added, rate, seed) if training else added)
