"""The two dense layers that follow attention in every block."""

from __future__ import annotations

import keras
from keras import ops

from bert_tf.layers.dense import dense, on_tokens
from bert_tf.layers.dropout import check_positive, check_rate, dropout
from bert_tf.layers.functions.gelu import gelu
from bert_tf.layers.trainable import Composite

ACTIVATIONS = ("gelu", "gelu_tanh", "quick_gelu", "relu", "silu", "mish", "tanh", "linear")
# What is one operation; both kinds of GELU are not.
SIMPLE = {
    "quick_gelu": lambda x: x * ops.sigmoid(1.702 * x),
    "relu": ops.relu,
    "silu": ops.silu,
    "mish": lambda x: x * ops.tanh(ops.softplus(x)),
    "tanh": ops.tanh,
    "linear": lambda x: x,
}


def activate(name: str, x, training=None):
    """The activation of that name. "gelu" is the exact one (erf), as BERT's; "gelu_tanh" its approximation."""
    if name == "gelu":
        return gelu(x, training=training)
    if name == "gelu_tanh":
        return ops.gelu(x, approximate=True)
    return SIMPLE[name](x)


@keras.saving.register_keras_serializable(package="bert_tf")
class FeedForward(Composite):
    """A dense layer to a larger width, an activation, and a dense layer back, for each token alone.

    Args:
        hidden_dim: width D of input and output.
        intermediate_dim: width F between the two.
        activation: "gelu" (exact), "gelu_tanh", "quick_gelu" (x sigmoid(1.702 x)), "relu", "silu", "mish", "tanh" or
            "linear" (none).
        initializer_range: deviation of the truncated normal the kernels start from.
        gated: the first layer gives 2 F values; the activation of the first half is multiplied with the second. With
            "gelu" that is GeGLU.
        use_bias: whether both layers have biases.
        dropout: share of the F values dropped in training, in [0, 1).
    Call arguments:
        x: float [B, T, D].
        seed: integer [2] for dropout; None: Keras's global generator.
    Returns: float [B, T, D] in the compute dtype.
    Raises: ValueError for a width below 1 or an unknown activation.
    Reference: Vaswani et al., 2017, section 3.3, https://arxiv.org/abs/1706.03762;
        GELU: Hendrycks and Gimpel, 2016, https://arxiv.org/abs/1606.08415;
        GeGLU: Shazeer, 2020, https://arxiv.org/abs/2002.05202

    >>> layer = FeedForward(hidden_dim=8, intermediate_dim=16, activation="gelu")
    >>> layer(keras.random.normal((2, 5, 8))).shape
    TensorShape([2, 5, 8])
    """

    def __init__(
        self,
        hidden_dim: int,
        intermediate_dim: int,
        *,
        activation: str = "gelu",
        initializer_range: float = 0.02,
        gated: bool = False,
        use_bias: bool = True,
        dropout: float = 0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.hidden_dim = check_positive("hidden_dim", hidden_dim)
        self.intermediate_dim = check_positive("intermediate_dim", intermediate_dim)
        if activation not in ACTIVATIONS:
            raise ValueError(
                f"`activation` must be one of {', '.join(ACTIVATIONS)}. Received: activation={activation!r}"
            )
        self.activation = activation
        self.initializer_range = initializer_range
        self.gated, self.use_bias = gated, use_bias
        self.dropout = check_rate("dropout", dropout)

        shared = {"dtype": self.dtype_policy, "use_bias": use_bias}
        width = 2 * intermediate_dim if gated else intermediate_dim
        self.intermediate = dense(width, initializer_range, name="intermediate", **shared)
        self.output_dense = dense(hidden_dim, initializer_range, name="output", **shared)
        self.parts_are_made()

    def build(self, input_shape=None):
        self.intermediate.build((None, None, self.hidden_dim))
        self.output_dense.build((None, None, self.intermediate_dim))

    def call(self, x, seed=None, training=None):
        x = on_tokens(self.intermediate, x)  # [B, T, F or 2 F]
        if self.gated:
            x, gate = ops.split(x, 2, axis=-1)
            x = activate(self.activation, x, training=training) * gate
        else:
            x = activate(self.activation, x, training=training)  # [B, T, F]
        if training:
            x = dropout(x, self.dropout, seed)
        return on_tokens(self.output_dense, x)  # [B, T, D]

    def compute_output_spec(self, x, seed=None, training=None):
        return keras.KerasTensor((*x.shape[:-1], self.hidden_dim), dtype=self.compute_dtype)

    def get_config(self):
        names = ("hidden_dim", "intermediate_dim", "activation", "initializer_range", "gated", "use_bias", "dropout")
        return super().get_config() | {name: getattr(self, name) for name in names}
