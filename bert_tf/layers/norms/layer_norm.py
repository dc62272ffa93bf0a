"""Layer normalisation in float32, with a gradient that costs less to work out."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from bert_tf.layers.dropout import check_positive
from bert_tf.layers.functions.gradients import upstream_of


@keras.saving.register_keras_serializable(package="bert_tf")
class LayerNorm(keras.layers.Layer):
    """Mean 0 and variance 1 over the last axis, then a learned scale and shift. Float32 inside, whatever the policy.

    Args:
        dim: width D.
        epsilon: added to the variance before the root, above 0; BERT's is 1e-12.
        use_bias: whether there is a shift.
    Call arguments:
        x: float [..., D] in any precision; it is not cast to the compute dtype first.
        training: use the cheaper gradient.
    Returns: float [..., D] in the compute dtype.
    Raises: ValueError if `dim` is below 1 or `epsilon` is not above 0.
    Reference: Ba et al., 2016, https://arxiv.org/abs/1607.06450

    >>> import numpy as np
    >>> LayerNorm(4)(np.array([[1.0, 1.0, 3.0, 3.0]])).numpy().tolist()
    [[-1.0, -1.0, 1.0, 1.0]]
    """

    def __init__(self, dim: int, *, epsilon: float = 1e-12, use_bias: bool = True, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.dim = check_positive("dim", dim)
        if not epsilon > 0:
            raise ValueError(f"`epsilon` must be above 0. Received: epsilon={epsilon!r}")
        self.epsilon = epsilon
        self.use_bias = use_bias

    def build(self, input_shape=None):
        self.gamma = self.add_weight(shape=(self.dim,), initializer="ones", name="gamma", autocast=False)
        self.beta: Any = None
        if self.use_bias:
            self.beta = self.add_weight(shape=(self.dim,), initializer="zeros", name="beta", autocast=False)

    def call(self, x, training=None):
        gamma = ops.cast(ops.convert_to_tensor(self.gamma), "float32")
        beta = ops.zeros_like(gamma)
        if self.beta is not None:
            beta = ops.cast(ops.convert_to_tensor(self.beta), "float32")
        x = ops.cast(x, "float32")
        x = _with_gradient(self.epsilon)(x, gamma, beta) if training else _normalize(x, self.epsilon)[0] * gamma + beta
        return ops.cast(x, self.compute_dtype)  # [..., D]

    def compute_output_spec(self, x, training=None):
        return keras.KerasTensor(x.shape, dtype=self.compute_dtype)

    def get_config(self):
        return super().get_config() | {"dim": self.dim, "epsilon": self.epsilon, "use_bias": self.use_bias}


def _normalize(x, epsilon):
    """float32 [..., D] with mean 0 and variance 1, and what it was multiplied by [..., 1]."""
    x = x - ops.mean(x, axis=-1, keepdims=True)
    scale = ops.rsqrt(ops.mean(ops.square(x), axis=-1, keepdims=True) + epsilon)
    return x * scale, scale


def _with_gradient(epsilon):
    @ops.custom_gradient
    def normalize(x, gamma, beta):
        normal, scale = _normalize(x, epsilon)  # [..., D], [..., 1]

        def gradient(*args, upstream=None):
            dy = upstream_of(args, upstream)
            dy_normal = dy * normal
            leading = tuple(range(len(x.shape) - 1))
            column = gamma[:, None] / x.shape[-1]  # [D, 1]
            # dx = scale * (dy g - mean(dy g) - normal mean(dy g normal)); the means are products with g / D.
            centred = dy * gamma - (ops.matmul(dy, column) + normal * ops.matmul(dy_normal, column))
            return centred * scale, ops.sum(dy_normal, axis=leading), ops.sum(dy, axis=leading)

        return normal * gamma + beta, gradient

    return normalize
