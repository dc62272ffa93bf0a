"""Which operators a SavedModel needs."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

OF_TEXT = ("FastWordpieceTokenizeWithOffsets", "TFText>")  # tensorflow_text's: names, and its namespace
OF_PYTHON = {"PyFunc", "PyFuncStateless", "EagerPyFunc"}  # TensorFlow's own, but they call back into Python


def operators_in(path: Path) -> set[str]:
    """Names of all operators in a saved_model.pb, those of its functions among them."""
    from tensorflow.core.protobuf import saved_model_pb2

    found: set[str] = set()
    for graph in saved_model_pb2.SavedModel.FromString(path.read_bytes()).meta_graphs:
        library = graph.graph_def.library.function
        nodes = [*graph.graph_def.node, *(node for function in library for node in function.node_def)]
        found |= {node.op for node in nodes} - {function.signature.name for function in library}
    return found


def foreign_operators(path: Path) -> list[str]:
    """Those that TensorFlow Serving does not link: neither TensorFlow's own nor tensorflow_text's."""
    return sorted(
        name
        for name in operators_in(path)
        if name in OF_PYTHON or not (name.startswith(OF_TEXT) or hasattr(tf.raw_ops, name))
    )
