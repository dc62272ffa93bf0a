"""Dense layers with BERT's start, applied to flat rows of tokens."""

from __future__ import annotations

import keras
from keras import ops


def truncated_normal(initializer_range: float):
    """A new initialiser each time: one instance used twice would give two weights the same values.

    Reference: Devlin et al., 2019, https://arxiv.org/abs/1810.04805 (the released code: truncated normal, 0.02)
    """
    return keras.initializers.TruncatedNormal(mean=0.0, stddev=initializer_range)


def dense(
    units: int, initializer_range: float, *, name: str, dtype=None, activation=None, use_bias: bool = True
) -> keras.layers.Dense:
    """A dense layer with kernel [in, units] drawn from the truncated normal, and a zero bias [units] or none."""
    kernel = truncated_normal(initializer_range)
    return keras.layers.Dense(
        units, activation=activation, use_bias=use_bias, kernel_initializer=kernel, name=name, dtype=dtype
    )


def on_tokens(layer: keras.layers.Dense, x):
    """`layer(x)`, worked out on a matrix: TensorFlow then joins product and bias into one operation.

    Args:
        layer: a dense layer of F units.
        x: float [B, T, D].
    Returns: float [B, T, F].
    """
    if isinstance(x, keras.KerasTensor):
        return layer(x)  # a graph's lengths are not known, and `reshape` wants them
    flat = layer(ops.reshape(x, (-1, x.shape[-1])))  # [B * T, F]
    return ops.reshape(flat, (*leading_shape(x), layer.units))


def leading_shape(x) -> tuple:
    """The first two axes of `x` as `reshape` wants them: at most one -1, and numbers where they are known."""
    rows, length = x.shape[0], x.shape[1]
    if length is not None:
        return (-1, length)
    return (rows, -1) if rows is not None else (-1, ops.shape(x)[1])
