"""Dense layers in 8 bits that older runtimes know, with the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from bert_tf.exporting.tflite.edit import (
    add_constant,
    graph_of,
    named_operators,
    new_product,
    numbers_of,
    packed,
    parsed,
)

DENSE = "FULLY_CONNECTED"
BY_CHANNEL = 12
"""The version of a dense layer whose input is float and whose weights have a scale a channel: TFLite 2.15 and later."""
BY_LAYER = 9
"""The same with one scale for all weights: TFLite 2.4 and later."""
NONE = -1  # the number of an input that is left out
KEEPS_FACTORS = ("NONE", "RELU")  # the activations that a positive factor passes through


def with_outer_scales(model: bytes) -> bytes:
    """A model of dynamic-range quantization, its dense layers' scales taken out of them.

    The converter gives each output channel of a dense layer a scale of its own, for which runtimes from before 2024
    have no kernel: the Task Library among them does not open such a file. Here the weights' 8 bits stay as they are,
    all with the scale 1, and a product behind the layer has the channels' scales: the same function.

    Args:
        model: of the converter, without metadata. One that has other activations in its dense layers than ReLU stays
            as it is.
    """
    found = parsed(model)
    graph = graph_of(found)
    if not all(_can_be_scaled(operator) for operator, name in named_operators(found) if name == DENSE):
        return model
    operators: list[Any] = []
    unscaled: dict[int, np.ndarray] = {}  # the scales that a weights' tensor had, by its number
    for operator, name in named_operators(found):
        operators.append(operator)
        if name != DENSE:
            continue
        weights = operator.inputs[1]
        if weights not in unscaled:
            scales = _scales_by_channel(graph.tensors[weights])
            if scales is None:
                continue
            unscaled[weights] = scales
            noted = graph.tensors[weights].quantization
            noted.scale, noted.zeroPoint, noted.quantizedDimension = [1.0], [0], 0
        operators.append(_scaled_after(found, operator, unscaled[weights]))
    graph.operators = operators
    for code in found.operatorCodes:
        if code.version == BY_CHANNEL and code.builtinCode == _builtin(DENSE):
            code.version = BY_LAYER
    return packed(found)


def _scaled_after(model: Any, operator: Any, scales: np.ndarray) -> Any:
    """The product behind a dense layer, whose result takes the layer's place."""
    if len(operator.inputs) > 2 and operator.inputs[2] != NONE:
        bias = np.asarray(numbers_of(model, operator.inputs[2]))
        operator.inputs[2] = add_constant(model, operator.inputs[2], bias / scales)
    result = operator.outputs[0]
    product, small = new_product(model, result, scales)
    product.inputs[0], product.outputs[0], operator.outputs[0] = small, result, small
    return product


def _can_be_scaled(operator: Any) -> bool:
    from ai_edge_litert import schema_py_generated as schema

    activation = operator.builtinOptions.fusedActivationFunction
    return activation in [getattr(schema.ActivationFunctionType, name) for name in KEEPS_FACTORS]


def _scales_by_channel(tensor: Any) -> np.ndarray | None:
    """float32 [out] of a tensor in 8 bits that has a scale a channel; None for another tensor."""
    from ai_edge_litert import schema_py_generated as schema

    noted = tensor.quantization
    if tensor.type != schema.TensorType.INT8 or noted is None or noted.scale is None or len(noted.scale) < 2:
        return None
    return np.asarray(noted.scale, np.float32)


def _builtin(name: str) -> int:
    from ai_edge_litert import schema_py_generated as schema

    return int(getattr(schema.BuiltinOperator, name))
