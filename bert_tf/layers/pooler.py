"""One vector for each example, made of its first token; or what a head makes of every token before it looks."""

from __future__ import annotations

import keras

from bert_tf.layers.dense import dense
from bert_tf.layers.dropout import check_positive
from bert_tf.layers.feed_forward import ACTIVATIONS, activate
from bert_tf.layers.norms.layer_norm import LayerNorm
from bert_tf.layers.trainable import Composite


@keras.saving.register_keras_serializable(package="bert_tf")
class Pooler(Composite):
    """A dense layer and an activation over the first token ([CLS]) of each example; after them a norm, if asked for.

    Args:
        hidden_dim: width D of input and output.
        activation: "tanh", as BERT's, or another, see `FeedForward`.
        initializer_range: deviation of the truncated normal the kernel starts from.
        use_bias: whether the dense layer has a bias.
        norm_epsilon: of the norm; None: there is none.
        norm_bias: whether the norm has a shift.
    Call arguments:
        x: float [..., D], the first tokens: [B, D], or [B, M, D] of packed rows (`masks.take_positions`); or all
            tokens.
    Returns: float [..., D] in the compute dtype; of "tanh" in (-1, 1).
    Raises: ValueError if `hidden_dim` is not an integer of at least 1, or for an unknown activation.
    Reference: Devlin et al., 2019, https://arxiv.org/abs/1810.04805 (the released code, `pooler`)

    >>> Pooler(hidden_dim=8)(keras.random.normal((2, 8))).shape
    TensorShape([2, 8])
    """

    def __init__(
        self,
        hidden_dim: int,
        *,
        activation: str = "tanh",
        initializer_range: float = 0.02,
        use_bias: bool = True,
        norm_epsilon: float | None = None,
        norm_bias: bool = True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.hidden_dim = check_positive("hidden_dim", hidden_dim)
        if activation not in ACTIVATIONS:
            raise ValueError(
                f"`activation` must be one of {', '.join(ACTIVATIONS)}. Received: activation={activation!r}"
            )
        self.activation = activation
        self.initializer_range = initializer_range
        self.use_bias, self.norm_epsilon, self.norm_bias = use_bias, norm_epsilon, norm_bias
        self.dense = dense(hidden_dim, initializer_range, name="dense", dtype=self.dtype_policy, use_bias=use_bias)
        self.norm = None
        if norm_epsilon is not None:
            self.norm = LayerNorm(
                hidden_dim, epsilon=norm_epsilon, use_bias=norm_bias, name="norm", dtype=self.dtype_policy
            )
        self.parts_are_made()

    def build(self, input_shape=None):
        self.dense.build((None, self.hidden_dim))
        if self.norm is not None:
            self.norm.build((None, self.hidden_dim))

    def call(self, x, training=None):
        x = activate(self.activation, self.dense(x), training=training)
        return x if self.norm is None else self.norm(x, training=training)

    def compute_output_spec(self, x, training=None):
        return keras.KerasTensor((*x.shape[:-1], self.hidden_dim), dtype=self.compute_dtype)

    def get_config(self):
        names = ("hidden_dim", "activation", "initializer_range", "use_bias", "norm_epsilon", "norm_bias")
        return super().get_config() | {name: getattr(self, name) for name in names}
