"""From a function of TensorFlow to the bytes of a TFLite model, in float or in 8 bits."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

QUANTIZATIONS = ("float32", "float16", "int8", "static_int8")
Rows = Sequence[Mapping[str, Any]]


def frozen(function: Any) -> Any:
    """The one graph of a `tf.function` with a signature, its weights made constants: what the converter gets right.

    A Keras model that is handed over as such gives a file without weights, or with NaN, and no error.
    """
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    return convert_variables_to_constants_v2(function.get_concrete_function())


def convert(
    graph: Any,
    quantization: str,
    *,
    rows: Rows | None = None,
    every_operator: bool = False,
    custom_ops: bool = False,
    outer_scales: bool = True,
) -> bytes:
    """The model's bytes, without metadata.

    Args:
        graph: of `frozen`.
        quantization: "float32"; "float16", weights of 16 bits; "int8", weights of 8 bits, and activations brought to 8
            bits when they are computed ("dynamic range"); "static_int8", the activations' ranges fixed beforehand.
        rows: for "static_int8", the inputs of some examples by name, from which the ranges are learnt.
        every_operator: for "static_int8", see `bert_tf.exporting.tflite.static`.
        custom_ops: whether operators are kept that TFLite has no kernels for itself.
        outer_scales: for "int8", whether runtimes from before 2024 are to run the file, which costs about 5 % of the
            time: see `bert_tf.exporting.tflite.outer_scales`.
    Raises: ValueError for another quantization, or rows where there should be none or none where there should be.
    """
    if quantization not in QUANTIZATIONS:
        raise ValueError(
            f"`quantization` must be one of {', '.join(QUANTIZATIONS)}. Received: quantization={quantization!r}"
        )
    if (quantization == "static_int8") != (rows is not None):
        raise ValueError(f"`rows` are for static_int8. Received: quantization={quantization!r}, rows={rows!r}")
    converter = tf.lite.TFLiteConverter.from_concrete_functions([graph], tf.Module())
    converter.allow_custom_ops = custom_ops
    if quantization not in ("float32", "static_int8"):
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantization == "float16":
        converter.target_spec.supported_types = [tf.float16]
    with warnings.catch_warnings():  # of the interpreter that the converter itself uses
        warnings.filterwarnings("ignore", r"\s*Warning: tf\.lite\.Interpreter is deprecated", UserWarning)
        model = converter.convert()
    if quantization == "int8" and outer_scales:
        from bert_tf.exporting.tflite.outer_scales import with_outer_scales

        return with_outer_scales(model)
    if rows is None:
        return model
    from bert_tf.exporting.tflite.static import quantize

    return quantize(model, rows, everything=every_operator)
