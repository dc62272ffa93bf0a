"""From a graph of TensorFlow to a model of OpenVINO, and that in 8 bits."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bert_tf.errors import UserError
from bert_tf.exporting.row_files.graph import INPUTS, Graph
from bert_tf.runtimes.openvino import openvino


def to_openvino(graph: Graph) -> Any:
    """An `openvino.Model`, with the graph's names for inputs and outputs.

    Read by the runtime itself: `openvino.convert_model`, which Keras's own export calls, reports each conversion to its
    makers over the network.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "graph.pb"
        path.write_bytes(graph.definition.SerializeToString())
        model = openvino().Core().read_model(str(path))
    wanted = set(graph.outputs.values())
    for result in model.get_results():
        if not result.input_value(0).names & wanted:  # an input that nothing reads is read as an output too
            model.remove_result(result)
    for item in model.inputs:
        name = next(name for name in INPUTS if f"{name}:0" in item.names or name in item.names)
        item.get_node().set_friendly_name(name)
        item.tensor.set_names({name})
    for item in model.outputs:
        name = next(name for name, tensor in graph.outputs.items() if tensor in item.names)
        item.get_node().set_friendly_name(name)
        item.tensor.set_names({name})
    return model


def quantized(model: Any, rows: Sequence[Mapping[str, Any]]) -> Any:
    """The model with dense layers in 8 bits, weights and activations.

    Args:
        rows: the inputs of examples by name, from which the activations' ranges are learnt.
    """
    tool = nncf()
    names = {item.any_name for item in model.inputs}
    given = [{name: array for name, array in row.items() if name in names} for row in rows]
    settings = {"model_type": tool.ModelType.TRANSFORMER, "subset_size": len(given), "fast_bias_correction": True}
    with contextlib.redirect_stdout(sys.stderr):  # it shows its progress
        return tool.quantize(model, tool.Dataset(given), **settings)


def save(model: Any, path: Path, *, float16: bool) -> None:
    """Writes the `.xml` and its `.bin`; float16: weights that are not in 8 bits are of 16."""
    openvino().save_model(model, str(path), compress_to_fp16=float16)


def nncf() -> Any:
    """OpenVINO's package for 8 bits. Raises: UserError if it is not installed."""
    os.environ.setdefault("NNCF_CI", "1")  # with which it reports nothing over the network
    try:
        import nncf as tool
    except ImportError as error:
        raise UserError(f"expected NNCF: pip install 'bert_tf[openvino]'. Received: {error}") from error
    return tool
