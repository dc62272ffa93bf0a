"""What stands in a norm's place where nothing is normalised, and the choice between both."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from bert_tf.layers.dropout import check_positive
from bert_tf.layers.norms.layer_norm import LayerNorm

NORM_KINDS = ("layer_norm", "no_norm")


@keras.saving.register_keras_serializable(package="bert_tf")
class NoNorm(keras.layers.Layer):
    """A learned scale and shift of each column: a layer norm without its mean and variance, which phones are slow at.

    Float32 inside, whatever the policy.

    Args:
        dim: width D.
        use_bias: whether there is a shift.
    Call arguments:
        x: float [..., D] in any precision; it is not cast to the compute dtype first.
        training: changes nothing, and is there because other norms take it.
    Returns: float [..., D] in the compute dtype.
    Raises: ValueError if `dim` is not an integer of at least 1.
    Reference: Sun et al., 2020, section 3.2, https://arxiv.org/abs/2004.02984

    >>> import numpy as np
    >>> NoNorm(4)(np.array([[1.0, 1.0, 3.0, 3.0]])).numpy().tolist()
    [[1.0, 1.0, 3.0, 3.0]]
    """

    def __init__(self, dim: int, *, use_bias: bool = True, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.dim = check_positive("dim", dim)
        self.use_bias = use_bias

    def build(self, input_shape=None):
        self.gamma = self.add_weight(shape=(self.dim,), initializer="ones", name="gamma", autocast=False)
        self.beta: Any = None
        if self.use_bias:
            self.beta = self.add_weight(shape=(self.dim,), initializer="zeros", name="beta", autocast=False)

    def call(self, x, training=None):
        x = ops.cast(x, "float32") * ops.cast(self.gamma, "float32")
        x = x if self.beta is None else x + ops.cast(self.beta, "float32")
        return ops.cast(x, self.compute_dtype)  # [..., D]

    def compute_output_spec(self, x, training=None):
        return keras.KerasTensor(x.shape, dtype=self.compute_dtype)

    def get_config(self):
        return super().get_config() | {"dim": self.dim, "use_bias": self.use_bias}


def norm_of_kind(kind: str, dim: int, *, epsilon: float, use_bias: bool = True, **kwargs: Any) -> LayerNorm | NoNorm:
    """A `LayerNorm`, or a `NoNorm`, which has no use for `epsilon`.

    Args:
        kind: "layer_norm" or "no_norm".
        kwargs: of both, such as their name.
    Raises: ValueError for another `kind`.
    """
    if kind not in NORM_KINDS:
        raise ValueError(f"`norm_kind` must be one of {', '.join(NORM_KINDS)}. Received: norm_kind={kind!r}")
    if kind == "no_norm":
        return NoNorm(dim, use_bias=use_bias, **kwargs)
    return LayerNorm(dim, epsilon=epsilon, use_bias=use_bias, **kwargs)
