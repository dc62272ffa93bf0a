"""Static 8 bits: a TFLite model whose ranges are fixed beforehand, learnt from the inputs of some examples.

What makes it exact enough for BERT: the dense layers are in 8 bits, which is where the time goes, and norms, sums and
attention stay in float; and channels are brought to one size before and after each dense layer, since one number of a
feed-forward layer's output may be a hundred times as large as the others, and all of a tensor has one scale.

Reference: Xiao et al., 2023, https://arxiv.org/abs/2211.10438 (what is taken from a layer's inputs goes to its kernel);
    Bondarenko et al., 2021, https://arxiv.org/abs/2109.12948 (where BERT's large channels are)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
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
from bert_tf.runtimes.tflite import THREADS, litert

Rows = Sequence[Mapping[str, Any]]
DENSE = "FULLY_CONNECTED"
IN_8_BITS = (DENSE, "GATHER")
INPUT_SHARE = 0.85
"""The power of an input channel's size that goes to the kernel; the rest is that of the kernel's own size there. The
best of 0.7, 0.85 and 1 on sentences of SST-2."""
LEAST = 1e-5
NONE = -1  # the number of an input that is left out
KEEPS_FACTORS = ("NONE", "RELU")  # the activations that a positive factor passes through


def quantize(model: bytes, rows: Rows, *, everything: bool = False) -> bytes:
    """A float32 model in 8 bits.

    Args:
        model: of the converter, without metadata.
        rows: inputs by name, from which the ranges are learnt.
        everything: put all operators into 8 bits that have kernels for that, as some accelerators want it. A BERT
            then loses much.
    """
    from tensorflow.lite.python.convert import mlir_quantize

    kept = None
    if not everything:
        model = balanced(model, rows)
        kept = {name for _, name in named_operators(parsed(model))} - set(IN_8_BITS)
    content: Any = mlir_quantize(with_ranges(model, rows), denylisted_ops=kept)
    return bytes(content)


def balanced(model: bytes, rows: Rows) -> bytes:
    """The same function, with a product before and after each dense layer, which makes its channels alike in size."""
    found = parsed(model)
    graph = graph_of(found)
    dense = [operator for operator, name in named_operators(found) if name == DENSE and _can_be_scaled(found, operator)]
    watched = {number for operator in dense for number in (operator.inputs[0], operator.outputs[0])}
    sizes: dict[int, np.ndarray] = {}
    for number, value in _values(model, rows, sorted(watched)):
        size = np.abs(value).reshape(-1, value.shape[-1]).max(axis=0)
        sizes[number] = np.maximum(sizes.get(number, LEAST), size)

    readers = defaultdict(list)
    for operator in dense:
        readers[operator.inputs[0]].append(operator)
    before: dict[int, Any] = {}
    after: dict[int, Any] = {}
    for source, operators in readers.items():
        kernels = [np.asarray(numbers_of(found, operator.inputs[1])) for operator in operators]  # [out, in]
        kernel_size = np.maximum(np.max([np.abs(kernel).max(axis=0) for kernel in kernels], axis=0), LEAST)
        into = sizes[source] ** INPUT_SHARE / kernel_size ** (1 - INPUT_SHARE)
        before[id(operators[0])], scaled = new_product(found, source, 1 / into)
        for operator, kernel in zip(operators, kernels, strict=True):
            result = operator.outputs[0]
            # A channel that ReLU has let nothing through of would have weights of a size that no kernel takes.
            out = np.where(sizes[result] > LEAST, sizes[result], 1.0).astype(np.float32)
            operator.inputs[0] = scaled
            operator.inputs[1] = add_constant(found, operator.inputs[1], kernel * into / out[:, None])
            if len(operator.inputs) > 2 and operator.inputs[2] != NONE:
                bias = np.asarray(numbers_of(found, operator.inputs[2]))
                operator.inputs[2] = add_constant(found, operator.inputs[2], bias / out)
            # The product gives the tensor that the layer gave, so that what reads it need not change.
            last, small = new_product(found, result, out)
            last.inputs[0], last.outputs[0], operator.outputs[0] = small, result, small
            after[id(operator)] = last
    around = [(before.get(id(operator)), operator, after.get(id(operator))) for operator in graph.operators]
    graph.operators = [operator for three in around for operator in three if operator is not None]
    return packed(found)


def with_ranges(model: bytes, rows: Rows) -> bytes:
    """The model with the least and the greatest number of each tensor noted in it.

    TensorFlow's own calibrator reads a tensor when a later operator may already have written into its memory.
    """
    from ai_edge_litert import schema_py_generated as schema

    found = parsed(model)
    tensors = graph_of(found).tensors
    made = {number for operator, _ in named_operators(found) for number in operator.outputs}
    made |= set(graph_of(found).inputs)
    watched = [number for number in sorted(made) if tensors[number].type == schema.TensorType.FLOAT32]
    ranges: dict[int, tuple[float, float]] = {}
    for number, value in _values(model, rows, watched):
        low, high = ranges.get(number, (np.inf, -np.inf))
        ranges[number] = min(low, float(value.min())), max(high, float(value.max()))
    for number, (low, high) in ranges.items():
        noted = schema.QuantizationParametersT()
        noted.min, noted.max = [low], [high]
        tensors[number].quantization = noted
    return packed(found)


def _values(model: bytes, rows: Rows, tensors: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
    """The tensors of these numbers, of one row after the other."""
    module = litert()
    interpreter = module.Interpreter(
        model_content=model,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        num_threads=THREADS,
    )
    run = interpreter.get_signature_runner()
    for row in rows:
        run(**row)
        for number in tensors:
            value = interpreter.get_tensor(number)
            if value.size:
                yield number, value


def _can_be_scaled(model: Any, operator: Any) -> bool:
    from ai_edge_litert import schema_py_generated as schema

    names = {number: name for name, number in vars(schema.ActivationFunctionType).items() if isinstance(number, int)}
    activation = names[operator.builtinOptions.fusedActivationFunction]
    weights = [number for number in operator.inputs[1:] if number != NONE]
    return activation in KEEPS_FACTORS and all(numbers_of(model, number) is not None for number in weights)
