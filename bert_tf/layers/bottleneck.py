"""The way into the narrow part of a block, and out of it."""

from __future__ import annotations

import keras

from bert_tf.layers.dense import dense, on_tokens
from bert_tf.layers.dropout import add, check_positive, check_rate
from bert_tf.layers.norms.no_norm import norm_of_kind
from bert_tf.layers.trainable import Composite


@keras.saving.register_keras_serializable(package="bert_tf")
class Bottleneck(Composite):
    """A dense layer to another width, and a norm; on the way out of a block its result is added to the block's input
    before the norm.

    Args:
        input_dim: width D of the input.
        output_dim: width E of the output.
        dropout: share of what is added dropped in training, in [0, 1).
        norm_kind: "layer_norm" or "no_norm".
        layer_norm_epsilon: of a layer norm.
        initializer_range: deviation of the truncated normal the kernel starts from.
    Call arguments:
        x: float [B, T, D].
        base: float [B, T, E], what the dense layer's result is added to; None: nothing.
        seed: integer [2] for dropout; None: Keras's global generator.
    Returns: float [B, T, E] in the compute dtype.
    Raises: ValueError for a bad argument.
    Reference: Sun et al., 2020, section 3.1, https://arxiv.org/abs/2004.02984

    >>> Bottleneck(8, 4)(keras.random.normal((2, 5, 8))).shape
    TensorShape([2, 5, 4])
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        *,
        dropout: float = 0.0,
        norm_kind: str = "layer_norm",
        layer_norm_epsilon: float = 1e-12,
        initializer_range: float = 0.02,
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)
        self.input_dim = check_positive("input_dim", input_dim)
        self.output_dim = check_positive("output_dim", output_dim)
        self.dropout = check_rate("dropout", dropout)
        self.norm_kind, self.layer_norm_epsilon = norm_kind, layer_norm_epsilon
        self.initializer_range = initializer_range
        self.dense = dense(output_dim, initializer_range, name="dense", dtype=self.dtype_policy)
        self.norm = norm_of_kind(
            norm_kind, output_dim, epsilon=layer_norm_epsilon, name="norm", dtype=self.dtype_policy
        )
        self.parts_are_made()

    def build(self, input_shape=None):
        self.dense.build((None, None, self.input_dim))
        self.norm.build((None, None, self.output_dim))

    def call(self, x, base=None, seed=None, training=None):
        x = on_tokens(self.dense, x)  # [B, T, E]
        x = x if base is None else add(base, x, self.dropout, seed, training)
        return self.norm(x, training=training)

    def compute_output_spec(self, x, base=None, seed=None, training=None):
        return keras.KerasTensor((*x.shape[:-1], self.output_dim), dtype=self.compute_dtype)

    def get_config(self):
        names = ("input_dim", "output_dim", "dropout", "norm_kind", "layer_norm_epsilon", "initializer_range")
        return super().get_config() | {name: getattr(self, name) for name in names}
