"""The model as one graph of TensorFlow from rows of tokens to what the kind's contract gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bert_tf.kinds.serving import Contract

INPUTS = ("token_ids", "segment_ids", "padding_mask")


@dataclass(frozen=True)
class Graph:
    """A graph without variables, as converters take it.

    Args:
        definition: a `GraphDef`, by `plain_graph`.
        outputs: name of an output -> its tensor in the graph, "Identity:0".
    """

    definition: Any
    outputs: dict[str, str]


def graph_of(model: Any, contract: Contract) -> Graph:
    """`INPUTS`, int32 [B, T] of any B and T, to the contract's outputs, float32 [B, ...] or [B, T, ...]."""
    import tensorflow as tf

    from bert_tf.exporting.row_files.plain_graph import plain_graph
    from bert_tf.exporting.tflite.convert import frozen
    from bert_tf.exporting.tflite.graph import encoded

    def run(*rows: Any) -> dict[str, Any]:
        return encoded(model, contract, dict(zip(INPUTS, rows, strict=True)))

    spec = [tf.TensorSpec([None, None], tf.int32, name=name) for name in INPUTS]
    made = frozen(tf.function(run, input_signature=spec, autograph=False))
    names = sorted(note.name for note in contract.outputs)  # as TensorFlow lays out a dict
    outputs = dict(zip(names, (tensor.name for tensor in made.outputs), strict=True))
    return Graph(plain_graph(made.graph.as_graph_def(), [*INPUTS, *outputs.values()]), outputs)
