"""Which operators a SavedModel has: those that work texts and numbers out, and none that reach outside of its graph.

TensorFlow runs what a graph says, some of it while the graph is loaded. So the graph is read as data first, and one
with an operator that reads or writes files, uses the network, calls Python or ends the process is neither written nor
loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from bert_tf.errors import UserError

OF_TEXT = ("FastWordpieceTokenizeWithOffsets", "TFText>")  # tensorflow_text's: names, and its namespace
FAMILIES = frozenset(
    f"tensorflow.python.ops.gen_{family}_ops"
    for family in (
        "array", "bitwise", "clustering", "control_flow", "functional", "linalg", "list", "lookup", "math", "nn",
        "parsing", "ragged_array", "ragged_conversion", "ragged_math", "random", "resource_variable", "set", "sparse",
        "special_math", "stateful_random", "stateless_random", "stateless_random_ops_v2", "string",
    )
)  # fmt: skip
"""The modules of TensorFlow's operators that take and give tensors alone."""
REACHING_OUT = frozenset({
    "Abort",  # ends the process
    "ImmutableConst", "InitializeTableFromTextFile", "InitializeTableFromTextFileV2",  # read any file
    "RemoteCall",  # runs on a device that it names
})  # fmt: skip
"""Those of these families that do more."""
ALSO = frozenset({"Assert"})
SAVER = frozenset({"MergeV2Checkpoints", "RestoreV2", "SaveV2", "ShardedFilename"})
"""What every SavedModel has in two functions of its own, which `tf.saved_model.load` never calls."""


def operators_in(path: Path) -> set[str]:
    """Names of all operators in a saved_model.pb, those of its functions among them."""
    found: set[str] = set()
    for graph in _read(path).meta_graphs:
        library = graph.graph_def.library.function
        nodes = [*graph.graph_def.node, *(node for function in library for node in function.node_def)]
        found |= {node.op for node in nodes} - {function.signature.name for function in library}
    return found


def foreign_operators(path: Path) -> list[str]:
    """Those that reach out of the graph, or that TensorFlow Serving does not link.

    What saves and restores a SavedModel's variables may stand in functions that nothing of the model calls.
    """
    found: set[str] = set()
    for graph in _read(path).meta_graphs:
        library = {function.signature.name: function for function in graph.graph_def.library.function}
        calls = {name: _calls(function.node_def, library) for name, function in library.items()}
        for gradient in graph.graph_def.library.gradient:
            calls.setdefault(gradient.function_name, set()).add(gradient.gradient_func)
        callable_ = _reachable(_of_objects(graph.object_graph_def), calls)
        found |= {node.op for node in graph.graph_def.node if not _is_plain(node.op) and node.op not in library}
        for name, function in library.items():
            allowed = frozenset() if name in callable_ else SAVER
            names = {node.op for node in function.node_def} - set(library) - allowed
            found |= {operator for operator in names if not _is_plain(operator)}
    return sorted(found)


def check_operators(folder: Path) -> None:
    """Raises: UserError for a SavedModel that is not loaded: its graph reaches out, or cannot be read as data."""
    path = folder / "saved_model.pb"
    graphs = _read(path).meta_graphs
    if len(graphs) != 1 or not graphs[0].HasField("object_graph_def"):  # what TensorFlow 1 wrote runs as it is loaded
        raise UserError(f"{folder}: expected a SavedModel of TensorFlow 2, with one graph. Received: {len(graphs)}")
    if foreign := foreign_operators(path):
        raise UserError(
            f"{folder}: a SavedModel is loaded if its operators work on tensors alone; nothing was run. Received: "
            f"{', '.join(name[:40] for name in foreign[:8])}, which may reach files, the network or the process"
        )


def _read(path: Path) -> Any:
    from tensorflow.core.protobuf import saved_model_pb2

    try:
        return saved_model_pb2.SavedModel.FromString(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    except Exception as error:
        if type(error).__name__ != "DecodeError":  # of the protobuf that TensorFlow brings, whichever that is
            raise
        raise UserError(f"{path}: expected the graph of a SavedModel. Received: bytes that are none") from None


def _is_plain(name: str) -> bool:
    if name.startswith(OF_TEXT) or name in ALSO:
        return True
    return getattr(getattr(tf.raw_ops, name, None), "__module__", "") in FAMILIES and name not in REACHING_OUT


def _of_objects(objects: Any) -> set[str]:
    """The functions that the object graph names, which loading makes callable, or calls."""
    found = set(objects.concrete_functions)
    for node in objects.nodes:
        found |= {*node.function.concrete_functions, node.bare_concrete_function.concrete_function_name}
    return found


def _calls(nodes: Iterable[Any], library: Mapping[str, Any]) -> set[str]:
    """The functions that nodes name, in whatever way."""
    found = {node.op for node in nodes if node.op in library}
    for node in nodes:
        for value in node.attr.values():
            found |= {value.func.name, *(function.name for function in value.list.func)}
    return found


def _reachable(start: Iterable[str], calls: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += calls.get(name, ())
    return found
