"""One block of BERT: attention and feed-forward, each added to its input and normalised."""

from __future__ import annotations

import keras
from keras import ops

from bert_tf.layers.dropout import check_rate, dropout, site_seed
from bert_tf.layers.feed_forward import FeedForward
from bert_tf.layers.layer_norm import LayerNorm
from bert_tf.layers.self_attention import SelfAttention
from bert_tf.layers.trainable import Composite


@keras.saving.register_keras_serializable(package="bert_tf")
class EncoderBlock(Composite):
    """Self-attention, then feed-forward; the norm comes after each sum (post-norm).

    Args:
        hidden_dim: width D of input and output.
        num_heads: number of attention heads; must divide `hidden_dim`.
        intermediate_dim: width between the two dense layers of the feed-forward.
        hidden_dropout: share dropped of what attention and feed-forward add, in [0, 1).
        attention_dropout: share of attention weights dropped, in [0, 1).
        activation: see `FeedForward`.
        layer_norm_epsilon: added to the variance before the root.
        initializer_range: deviation of the truncated normal the kernels start from.
    Call arguments:
        x: float [B, S, D].
        bias, relative: float32, see `SelfAttention`.
        queries: float [B, T, D], the tokens to work out; None: all of `x`.
        seed: integer [2] for dropout; the block makes three seeds of it (`site_seed`).
    Returns: float [B, T, D] in the compute dtype.
    Raises: ValueError for a bad argument.
    Reference: Devlin et al., 2019, https://arxiv.org/abs/1810.04805

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

        shared = {"initializer_range": initializer_range, "dtype": self.dtype_policy}
        norm = {"epsilon": layer_norm_epsilon, "dtype": self.dtype_policy}
        self.attention = SelfAttention(hidden_dim, num_heads, dropout=attention_dropout, name="attention", **shared)
        self.attention_norm = LayerNorm(hidden_dim, name="attention_norm", **norm)
        self.feed_forward = FeedForward(
            hidden_dim, intermediate_dim, activation=activation, name="feed_forward", **shared
        )
        self.feed_forward_norm = LayerNorm(hidden_dim, name="feed_forward_norm", **norm)
        self.parts_are_made()

    def build(self, input_shape=None):
        for layer in (self.attention, self.attention_norm, self.feed_forward, self.feed_forward_norm):
            layer.build((None, None, self.hidden_dim))

    def call(self, x, bias=None, queries=None, seed=None, training=None, relative=None):
        options = {} if relative is None else {"relative": relative}
        added = self.attention(x, bias=bias, queries=queries, seed=seed, training=training, **options)  # [B, T, D]
        return self._after_attention(x if queries is None else queries, added, seed, training)

    def decode(self, x, source, past, place, bias=None, relative=None):
        """The block for one new token of each of K sequences: `SelfAttention.decode` has the arguments.

        Returns: float [B, K, D], and `past` with the new tokens' keys and values in it.
        """
        added, past = self.attention.decode(x, source, past, place, bias, relative)
        return self._after_attention(x, added, None, False), past

    def _after_attention(self, x, added, seed, training):
        x = self._add(x, added, site_seed(seed, 1), training)
        x = self.attention_norm(x, training=training)
        added = self.feed_forward(x, training=training)  # [B, T, D]
        x = self._add(x, added, site_seed(seed, 2), training)
        return self.feed_forward_norm(x, training=training)

    def _add(self, x, added, seed, training):
        """The sum in float32: exact where it matters, and on a CPU faster than in bfloat16."""
        added = ops.cast(added, "float32")
        return ops.cast(x, "float32") + (dropout(added, self.hidden_dropout, seed) if training else added)

    def compute_output_spec(self, x, bias=None, queries=None, seed=None, training=None, relative=None):
        shape = (x if queries is None else queries).shape
        return keras.KerasTensor((*shape[:-1], self.hidden_dim), dtype=self.compute_dtype)

    def get_config(self):
        names = ("hidden_dim", "num_heads", "intermediate_dim", "hidden_dropout", "attention_dropout")
        names += ("activation", "layer_norm_epsilon", "initializer_range")
        return super().get_config() | {name: getattr(self, name) for name in names}
