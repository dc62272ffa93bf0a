"""One block of an encoder: attention and feed-forward, each added to its input, which is normalised after or before."""

from __future__ import annotations

from typing import Any

import keras

from bert_tf.layers.bottleneck import Bottleneck
from bert_tf.layers.convolution import Convolution
from bert_tf.layers.dropout import add, check_positive, check_rate, second_seed, site_seed
from bert_tf.layers.feed_forward import FeedForward
from bert_tf.layers.norms.no_norm import norm_of_kind
from bert_tf.layers.self_attention import SelfAttention
from bert_tf.layers.trainable import Composite


@keras.saving.register_keras_serializable(package="bert_tf")
class EncoderBlock(Composite):
    """Self-attention, then feed-forward; the norm comes after each sum (post-norm), or before what is added (pre-norm).

    Blocks of pre-norm hand on the sum itself, in float32, and the encoder normalises the last one's. In training they
    drop where ModernBERT does: what attention adds, by `attention_dropout`, and values within the feed-forward.

    With a bottleneck all of this is done in a narrower width W, and then brought back to D and added to the block's
    input. Dropped is what is added there alone.

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
        norm_kind: "layer_norm" or "no_norm", see `NoNorm`.
        bottleneck_dim: the width W, which `num_heads` must divide then; 0: there is no bottleneck, W = D.
        bottleneck_attention: whether attention sees what is narrow already, values too, which are of the block's whole
            input without it.
        shared_bottleneck: whether queries and keys are of a bottleneck of their own, or else of the block's input, of
            which W must be the width then.
        num_feed_forwards: how many feed-forwards with their norms stand one after the other.
        last_epsilon: of the norm after the last of them; None: `layer_norm_epsilon`.
    Call arguments:
        x: float [B, S, D].
        bias, relative, rotary, sight, distances: see `SelfAttention`.
        near: see `Convolution`, which needs it.
        queries: float [B, T, D], the tokens to work out; None: all of `x`.
        seed: integer [2] for dropout; the block makes three seeds of it (`site_seed`).
    Returns: float [B, T, D] in the compute dtype, of pre-norm in float32.
    Raises: ValueError for a bad argument.
    Reference: Devlin et al., 2019, https://arxiv.org/abs/1810.04805; pre-norm: Xiong et al., 2020,
        https://arxiv.org/abs/2002.04745; bottlenecks: Sun et al., 2020, section 3.1, https://arxiv.org/abs/2004.02984

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
        norm_kind: str = "layer_norm",
        bottleneck_dim: int = 0,
        bottleneck_attention: bool = False,
        shared_bottleneck: bool = False,
        num_feed_forwards: int = 1,
        last_epsilon: float | None = None,
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

        self.bottleneck_dim = check_positive("bottleneck_dim", bottleneck_dim) if bottleneck_dim != 0 else 0
        self.num_feed_forwards = check_positive("num_feed_forwards", num_feed_forwards)
        if norm_first and (bottleneck_dim or num_feed_forwards > 1):
            raise ValueError(
                "`norm_first` must be False with a bottleneck or several feed-forwards. "
                f"Received: bottleneck_dim={bottleneck_dim}, num_feed_forwards={num_feed_forwards}"
            )
        choices = (bottleneck_attention, shared_bottleneck)
        if all(choices) or (any(choices) and not bottleneck_dim):
            raise ValueError(
                "`bottleneck_attention` and `shared_bottleneck` exclude one another and need `bottleneck_dim`. "
                f"Received: {bottleneck_attention}, {shared_bottleneck}, bottleneck_dim={bottleneck_dim}"
            )
        self.bottleneck_attention, self.shared_bottleneck = bottleneck_attention, shared_bottleneck
        self.norm_kind, self.last_epsilon = norm_kind, last_epsilon

        width = bottleneck_dim or hidden_dim
        self.inner_dropout = 0.0 if bottleneck_dim else self.hidden_dropout
        shared = {"initializer_range": initializer_range, "dtype": self.dtype_policy}
        norm = {"epsilon": layer_norm_epsilon, "use_bias": norm_bias, "dtype": self.dtype_policy}
        around = {"norm_kind": norm_kind, "layer_norm_epsilon": layer_norm_epsilon, **shared}
        self.bottleneck = self.attention_bottleneck = self.output_bottleneck = None
        if bottleneck_dim:
            self.bottleneck = Bottleneck(hidden_dim, width, name="bottleneck", **around)
            self.output_bottleneck = Bottleneck(
                width, hidden_dim, dropout=hidden_dropout, name="output_bottleneck", **around
            )
        if shared_bottleneck:
            self.attention_bottleneck = Bottleneck(hidden_dim, width, name="attention_bottleneck", **around)
        self.attention = SelfAttention(
            width,
            num_heads,
            value_dim=hidden_dim if bottleneck_dim and not bottleneck_attention else None,
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
            self.attention_norm = norm_of_kind(norm_kind, width, name="attention_norm", **norm)

        def feed_forward(name):
            return FeedForward(
                width,
                intermediate_dim,
                activation=activation,
                gated=gated,
                use_bias=feed_forward_bias,
                dropout=feed_forward_dropout,
                name=name,
                **shared,
            )

        first = range(num_feed_forwards - 1)
        self.first_feed_forwards = [feed_forward(f"feed_forward_{j}") for j in first]
        self.first_norms = [norm_of_kind(norm_kind, width, name=f"feed_forward_norm_{j}", **norm) for j in first]
        self.feed_forward = feed_forward("feed_forward")
        last = norm if last_epsilon is None else {**norm, "epsilon": last_epsilon}
        self.feed_forward_norm = norm_of_kind(norm_kind, width, name="feed_forward_norm", **last)
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
        for layer in (self.bottleneck, self.attention_bottleneck, self.attention, self.attention_norm,
                      *self.first_feed_forwards, *self.first_norms, self.feed_forward, self.feed_forward_norm,
                      self.output_bottleneck, self.convolution):  # fmt: skip
            if layer is not None:
                layer.build(None)

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
        base, seen, values = self._seen(x, training)
        if queries is not None:
            base, told["queries"], _ = self._seen(queries, training)
        if values is not None:
            told["values"] = values
        added = self.attention(seen, seed=seed, training=training, **told)  # [B, T, W]
        out = self._after_attention(x if queries is None else queries, base, added, seed, training)
        if self.convolution is None:
            return out
        return self.convolution(x, out, near=near, seed=second_seed(site_seed(seed, 2)), training=training)

    def keys_and_values(self, x, rotary=None):
        """What other tokens see of `x`: `SelfAttention.keys_and_values` says more."""
        _, seen, values = self._seen(x, False)
        return self.attention.keys_and_values(seen, rotary, values)

    def decode(self, x, source, past, place, bias=None, relative=None, rotary=None, distances=None):
        """The block for one new token of each of K sequences: `SelfAttention.decode` has the arguments.

        Returns: float [B, K, D], and `past` with the new tokens' keys and values in it.
        """
        base, seen, values = self._seen(x, False)
        added, past = self.attention.decode(
            seen, source, past, place, bias, relative, rotary, distances=distances, values=values
        )
        return self._after_attention(x, base, added, None, False), past

    def _seen(self, x, training):
        """Of a block's input: what is added to, float [B, T, W], what attention gets, and what values are made of,
        where that is another width."""
        if self.norm_first:
            return x, self.attention_norm(x, training=training) if self.normalizes_input else x, None
        if self.bottleneck is None:
            return x, x, None
        base = self.bottleneck(x, training=training)
        if self.bottleneck_attention:
            return base, base, None
        return base, x if self.attention_bottleneck is None else self.attention_bottleneck(x, training=training), x

    def _after_attention(self, whole, base, added, seed, training):
        if self.norm_first:
            x = add(base, added, self.attention_dropout, site_seed(seed, 1), training)
            inner = self.feed_forward_norm(x, training=training)
            added = self.feed_forward(inner, seed=site_seed(seed, 2), training=training)  # [B, T, D]
            return add(x, added, 0.0, None, training)
        x = add(base, added, self.inner_dropout, site_seed(seed, 1), training)
        x = self.attention_norm(x, training=training)
        for feed_forward, norm in zip(self.first_feed_forwards, self.first_norms, strict=True):
            x = norm(add(x, feed_forward(x, training=training), 0.0, None, training), training=training)
        added = self.feed_forward(x, training=training)  # [B, T, W]
        x = add(x, added, self.inner_dropout, site_seed(seed, 2), training)
        x = self.feed_forward_norm(x, training=training)
        if self.output_bottleneck is None:
            return x
        return self.output_bottleneck(x, whole, seed=site_seed(seed, 2), training=training)

    def compute_output_spec(self, x, bias=None, queries=None, **others):
        shape = (x if queries is None else queries).shape
        dtype = "float32" if self.norm_first else self.compute_dtype
        return keras.KerasTensor((*shape[:-1], self.hidden_dim), dtype=dtype)

    def get_config(self):
        names = ("hidden_dim", "num_heads", "intermediate_dim", "hidden_dropout", "attention_dropout")
        names += ("activation", "layer_norm_epsilon", "initializer_range", "norm_first", "normalizes_input")
        names += ("attention_bias", "feed_forward_bias", "norm_bias", "gated", "feed_forward_dropout", "reach")
        names += ("distance_terms", "shares_distances", "kernel_size", "kernel_activation")
        names += ("norm_kind", "bottleneck_dim", "bottleneck_attention", "shared_bottleneck", "num_feed_forwards")
        names += ("last_epsilon",)
        return super().get_config() | {name: getattr(self, name) for name in names}
