"""What a token's neighbours give it besides attention: a convolution over a row, that stays within its example."""

from __future__ import annotations

import keras
from keras import ops

from bert_tf.layers.dense import leading_shape, truncated_normal
from bert_tf.layers.dropout import check_positive, check_rate, dropout
from bert_tf.layers.feed_forward import ACTIVATIONS, activate
from bert_tf.layers.functions.masks import take_positions
from bert_tf.layers.norms.layer_norm import LayerNorm
from bert_tf.layers.trainable import Composite


@keras.saving.register_keras_serializable(package="bert_tf")
class Convolution(Composite):
    """A convolution of the tokens, dropped out and activated, is added to something, and the sum normalised.

    Args:
        hidden_dim: width D of inputs and output.
        kernel_size: how many tokens it looks at, odd: a token is in the middle of them.
        activation: see `FeedForward`.
        dropout: share of what it gives that is dropped in training, in [0, 1).
        layer_norm_epsilon: added to the variance before the root.
        initializer_range: deviation of the truncated normal the kernel starts from.
    Call arguments:
        x: float [B, S, D], the tokens.
        added: float [B, T, D], what is added to it.
        near: a `masks.Sight`: a token looks at neighbours that it sees, and at nothing elsewhere. Where it has places,
            these are the T tokens that are worked out.
        seed: integer [2] for dropout; None: Keras's global generator.
    Returns: float [B, T, D] in the compute dtype.
    Raises: ValueError for a bad argument.
    Reference: He et al., 2020, https://arxiv.org/abs/2006.03654 (the released code of v2, `ConvLayer`)

    >>> import numpy as np
    >>> from bert_tf.layers import sight_of
    >>> layer, x = Convolution(hidden_dim=8, kernel_size=3), keras.random.normal((2, 5, 8))
    >>> layer(x, x, near=sight_of(np.ones((2, 5), "int32"))).shape
    TensorShape([2, 5, 8])
    """

    def __init__(
        self,
        hidden_dim: int,
        kernel_size: int,
        *,
        activation: str = "tanh",
        dropout: float = 0.1,
        layer_norm_epsilon: float = 1e-12,
        initializer_range: float = 0.02,
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)
        self.hidden_dim = check_positive("hidden_dim", hidden_dim)
        if check_positive("kernel_size", kernel_size) % 2 == 0:
            raise ValueError(f"`kernel_size` must be odd. Received: kernel_size={kernel_size}")
        if activation not in ACTIVATIONS:
            raise ValueError(
                f"`activation` must be one of {', '.join(ACTIVATIONS)}. Received: activation={activation!r}"
            )
        self.kernel_size, self.activation, self.dropout = kernel_size, activation, check_rate("dropout", dropout)
        self.layer_norm_epsilon, self.initializer_range = layer_norm_epsilon, initializer_range
        self.norm = LayerNorm(hidden_dim, epsilon=layer_norm_epsilon, name="norm", dtype=self.dtype_policy)
        self.parts_are_made()

    def build(self, input_shape=None):
        shape = (self.kernel_size, self.hidden_dim, self.hidden_dim)
        start = truncated_normal(self.initializer_range)
        self.kernel = self.add_weight(shape=shape, initializer=start, name="kernel", autocast=False)
        self.bias = self.add_weight(shape=(self.hidden_dim,), initializer="zeros", name="bias", autocast=False)
        self.norm.build((None, None, self.hidden_dim))

    def call(self, x, added, near, seed=None, training=None):
        x = ops.cast(x, self.compute_dtype)
        length = x.shape[1] if x.shape[1] is not None else ops.shape(x)[1]
        half = self.kernel_size // 2
        keys = ops.pad(near.keys, ((0, 0), (half, half)), constant_values=-1)
        rows = ops.pad(x, ((0, 0), (half, half), (0, 0)))
        around = [
            rows[:, i : i + length] * ops.cast(ops.equal(keys[:, i : i + length], near.keys), x.dtype)[..., None]
            for i in range(self.kernel_size)
        ]
        flat = ops.reshape(ops.concatenate(around, axis=-1), (-1, self.kernel_size * self.hidden_dim))
        kernel = ops.cast(ops.reshape(self.kernel, (-1, self.hidden_dim)), x.dtype)  # [K * D, D]
        out = ops.matmul(flat, kernel) + ops.cast(self.bias, x.dtype)
        out = ops.cast(ops.reshape(out, (*leading_shape(x), self.hidden_dim)), "float32")  # [B, S, D]
        out = out if near.places is None else take_positions(out, near.places)
        out = activate(self.activation, dropout(out, self.dropout, seed) if training else out, training=training)
        return self.norm(ops.cast(added, "float32") + out, training=training)

    def compute_output_spec(self, x, added, near, seed=None, training=None):
        return keras.KerasTensor(added.shape, dtype=self.compute_dtype)

    def get_config(self):
        names = ("hidden_dim", "kernel_size", "activation", "dropout", "layer_norm_epsilon", "initializer_range")
        return super().get_config() | {name: getattr(self, name) for name in names}
