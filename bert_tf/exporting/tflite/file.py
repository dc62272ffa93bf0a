"""The TFLite file itself: metadata put in, and what is in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bert_tf.exporting.tflite.edit import graph_of, packed, parsed, text
from bert_tf.exporting.tflite.metadata import with_files

METADATA = "TFLITE_METADATA"


def finish(
    model: bytes,
    inputs: Sequence[str],
    outputs: Sequence[str],
    *,
    description: str,
    metadata: bytes | None = None,
    contents: Mapping[str, bytes] | None = None,
) -> bytes:
    """The converter's model with the names and the order of inputs and outputs that were asked for, metadata inside it
    and an archive of files behind it. The converter orders inputs as it likes and numbers outputs.

    The inputs become tensors 0, 1, 2, ...: MediaPipe 1.2.2 resizes tensor i where it means input i.

    Args:
        inputs: their names in the converter's signature, in the order they are to have.
        outputs: names for them, in the order they were numbered in, which is kept.
        metadata: of `lite_metadata.metadata`.
        contents: files by name.
    """
    from ai_edge_litert import schema_py_generated as schema

    changed = parsed(model)
    changed.description = description
    graph, signature = graph_of(changed), changed.signatureDefs[0]
    _move_first(graph, signature, [_place(signature, name) for name in inputs])
    places = {text(item.name): item.tensorIndex for item in signature.inputs}
    signature.inputs = sorted(signature.inputs, key=lambda item: inputs.index(text(item.name)))
    graph.inputs = [places[name] for name in inputs]
    signature.outputs = sorted(signature.outputs, key=lambda item: int(text(item.name).rpartition("_")[2]))
    graph.outputs = [item.tensorIndex for item in signature.outputs]
    for item, name in zip(signature.outputs, outputs, strict=True):
        item.name = name
    for name, index in zip((*inputs, *outputs), (*graph.inputs, *graph.outputs), strict=True):
        graph.tensors[index].name = name
    if metadata is not None:
        buffer, entry = schema.BufferT(), schema.MetadataT()
        buffer.data = np.frombuffer(metadata, np.uint8)
        entry.name, entry.buffer = METADATA, len(changed.buffers)
        changed.buffers.append(buffer)
        changed.metadata = [*(changed.metadata or []), entry]
    content = packed(changed)
    return with_files(content, contents) if contents else content


def _place(signature: Any, name: str) -> int:
    return next(item.tensorIndex for item in signature.inputs if text(item.name) == name)


def _move_first(graph: Any, signature: Any, chosen: Sequence[int]) -> None:
    """Puts the tensors of these numbers at the front, in this order, and renumbers all that speaks of tensors."""
    order = [*chosen, *(number for number in range(len(graph.tensors)) if number not in set(chosen))]
    new = {old: number for number, old in enumerate(order)} | {-1: -1}  # -1: an operator's input that is left out
    graph.tensors = [graph.tensors[old] for old in order]
    graph.inputs, graph.outputs = ([new[old] for old in numbers] for numbers in (graph.inputs, graph.outputs))
    for operator in graph.operators:
        operator.inputs, operator.outputs = ([new[old] for old in n] for n in (operator.inputs, operator.outputs))
        if operator.intermediates is not None:
            operator.intermediates = [new[old] for old in operator.intermediates]
    for item in (*signature.inputs, *signature.outputs):
        item.tensorIndex = new[item.tensorIndex]


def operators(path: Path) -> Counter[str]:
    """How often each operator occurs in a file: a name in capitals for TFLite's own, or the name of a custom one."""
    from ai_edge_litert import schema_py_generated as schema

    names = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
    parsed: Any = schema.Model.GetRootAsModel(path.read_bytes(), 0)
    codes = []
    for i in range(parsed.OperatorCodesLength()):
        code = parsed.OperatorCodes(i)
        number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        codes.append((code.CustomCode() or b"").decode() if names[number] == "CUSTOM" else names[number])
    found: Counter[str] = Counter()
    for i in range(parsed.SubgraphsLength()):
        graph = parsed.Subgraphs(i)
        found.update(codes[graph.Operators(j).OpcodeIndex()] for j in range(graph.OperatorsLength()))
    return found


def foreign_operators(path: Path, allowed: frozenset[str] = frozenset()) -> list[str]:
    """Operators that a plain TFLite runtime lacks: TensorFlow's ("Flex") and custom ones that are not allowed."""
    return sorted(name for name in operators(path) if not name.isupper() and name not in allowed)
