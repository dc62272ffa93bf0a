"""The exact GELU, with a gradient that costs less to work out."""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from bert_tf.layers.functions.gradients import upstream_of


def gelu(x, training=None):
    """x * Phi(x), Phi the normal distribution function: the exact form, as in BERT, not the tanh approximation.

    In low precision the work is done in float32: there the error function is both rough and slow.

    Args:
        x: float, any shape.
        training: use the cheaper gradient; otherwise the backend's own function, which its converters know.
    Returns: the shape and dtype of `x`.
    Reference: Hendrycks and Gimpel, 2016, https://arxiv.org/abs/1606.08415
    """
    if training:
        return _trained_gelu(x)
    return ops.cast(ops.gelu(ops.cast(x, "float32"), approximate=False), x.dtype)


@ops.custom_gradient
def _trained_gelu(x) -> Any:
    # d/dx x Phi(x) = Phi(x) + x phi(x); with h = x / sqrt(2): Phi = (1 + erf h) / 2, x phi(x) = h exp(-h^2) / sqrt(pi).
    h = ops.cast(x, "float32") * math.sqrt(0.5)
    phi = ops.erf(h) * 0.5 + 0.5

    def gradient(*args, upstream=None):
        dy = ops.cast(upstream_of(args, upstream), "float32")
        return ops.cast(dy * (phi + h * ops.exp(-ops.square(h)) * (1.0 / math.sqrt(math.pi))), x.dtype)

    return ops.cast(h * phi * math.sqrt(2.0), x.dtype), gradient
