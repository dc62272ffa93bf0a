"""From a graph of TensorFlow to an ONNX model, and that in 16 or 8 bits."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bert_tf.exporting.row_files.graph import INPUTS, Graph

OPSET = 17  # the first with LayerNormalization; in later ones fewer runtimes find a layer normalization's parts
FEW = 1024  # numbers in a tensor that is not worth 16 bits


def to_onnx(graph: Graph) -> Any:
    """An ONNX `ModelProto`, with the graph's names for inputs and outputs.

    `tf2onnx.convert` would first have TensorFlow simplify the graph, which hides the GELU from runtimes.
    """
    import tensorflow as tf
    from tf2onnx import optimizer, tfonnx

    with _silent("tf2onnx"), tf.Graph().as_default() as imported:
        tf.import_graph_def(graph.definition, name="")
        inputs = {f"{name}:0": name for name in INPUTS}
        outputs = {tensor: name for name, tensor in graph.outputs.items()}
        made = tfonnx.process_tf_graph(
            imported,
            opset=OPSET,
            input_names=list(inputs),
            output_names=list(outputs),
            tensors_to_rename=inputs | outputs,
        )
        # All that it has are slow, and turn the means of layer normalization into GlobalAveragePool.
        chosen = {
            "constants": optimizer.ConstFoldOptimizer,
            "identities": optimizer.IdentityOptimizer,
            "casts": optimizer.BackToBackOptimizer,
        }
        return optimizer.optimize_graph(made, catch_errors=False, optimizers=chosen).make_model("bert_tf")


def save_float16(model: Any, path: Path) -> None:
    """Writes it with its large tensors in 16 bits, each behind a Cast to float32 in which everything is worked out."""
    import onnx
    from onnx import helper, numpy_helper

    halved = onnx.ModelProto()
    halved.CopyFrom(model)
    casts = []
    for tensor in halved.graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT or np.prod(tensor.dims) < FEW:
            continue
        name = tensor.name
        half = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), f"{name}/float16")
        tensor.CopyFrom(half)
        casts.append(helper.make_node("Cast", [half.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *halved.graph.node]
    del halved.graph.node[:]
    halved.graph.node.extend(nodes)
    onnx.save(halved, str(path))


def save_int8(float32: Path, path: Path) -> None:
    """Writes the model of another file with the kernels of dense layers and the tables in 8 bits; activations are
    brought to 8 bits when they are computed."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with _silent("root"):  # it recommends a pass that needs another package, for other kinds of models
        quantize_dynamic(str(float32), str(path), weight_type=QuantType.QInt8, per_channel=True)


@contextmanager
def _silent(name: str) -> Iterator[None]:
    """Within it a logger says nothing below an error."""
    logger = logging.getLogger(None if name == "root" else name)

    def is_error(record: logging.LogRecord) -> bool:
        return record.levelno >= logging.ERROR

    logger.addFilter(is_error)
    try:
        yield
    finally:
        logger.removeFilter(is_error)
