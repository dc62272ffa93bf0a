"""Reading and changing what is in a TFLite file, as objects."""

from __future__ import annotations

from typing import Any

import numpy as np


def parsed(model: bytes) -> Any:
    from ai_edge_litert.tools import flatbuffer_utils

    return flatbuffer_utils.read_model_from_bytearray(bytearray(model))


def packed(model: Any) -> bytes:
    from ai_edge_litert.tools import flatbuffer_utils

    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def text(name: bytes | str) -> str:
    return name if isinstance(name, str) else name.decode()


def named_operators(model: Any) -> list[tuple[Any, str]]:
    """The operators of the first graph in their order, and what each is called, in capitals."""
    from ai_edge_litert import schema_py_generated as schema

    names = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
    return [
        (operator, names[_builtin(model.operatorCodes[operator.opcodeIndex])]) for operator in graph_of(model).operators
    ]


def graph_of(model: Any) -> Any:
    return model.subgraphs[0]


def numbers_of(model: Any, tensor: int) -> np.ndarray | None:
    """The float32 numbers of a constant tensor; None if it is none."""
    from ai_edge_litert import schema_py_generated as schema

    found = graph_of(model).tensors[tensor]
    content = model.buffers[found.buffer].data
    if content is None or found.type != schema.TensorType.FLOAT32:
        return None
    return np.frombuffer(bytes(content), np.float32).reshape(found.shape)


def add_constant(model: Any, like: int, numbers: np.ndarray) -> int:
    """Adds a tensor of these numbers, float32, named after tensor `like`; the number of it."""
    from ai_edge_litert import schema_py_generated as schema

    tensors = graph_of(model).tensors
    tensor, buffer = schema.TensorT(), schema.BufferT()
    buffer.data = np.frombuffer(np.ascontiguousarray(numbers, np.float32).tobytes(), np.uint8)
    tensor.shape, tensor.type, tensor.buffer = list(numbers.shape), schema.TensorType.FLOAT32, len(model.buffers)
    tensor.name = f"{text(tensors[like].name)}/{len(tensors)}"
    model.buffers.append(buffer)
    tensors.append(tensor)
    return len(tensors) - 1


def new_product(model: Any, tensor: int, factors: np.ndarray) -> tuple[Any, int]:
    """An operator that multiplies float32 [..., C] by factors [C], not yet in the graph; the number of its result."""
    from ai_edge_litert import schema_py_generated as schema

    tensors = graph_of(model).tensors
    pattern, result = tensors[tensor], schema.TensorT()
    result.shape, result.shapeSignature, result.type = pattern.shape, pattern.shapeSignature, pattern.type
    result.name, result.buffer = f"{text(pattern.name)}/{len(tensors)}", 0
    tensors.append(result)
    number = len(tensors) - 1
    operator = schema.OperatorT()
    operator.opcodeIndex = _code(model, schema.BuiltinOperator.MUL)
    operator.builtinOptionsType, operator.builtinOptions = schema.BuiltinOptions.MulOptions, schema.MulOptionsT()
    operator.inputs, operator.outputs = [tensor, add_constant(model, tensor, factors)], [number]
    return operator, number


def _code(model: Any, builtin: int) -> int:
    from ai_edge_litert import schema_py_generated as schema

    for index, code in enumerate(model.operatorCodes):
        if _builtin(code) == builtin:
            return index
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = builtin
    code.version = 1
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def _builtin(code: Any) -> int:
    return max(code.builtinCode, code.deprecatedBuiltinCode)  # the second is what older files have
