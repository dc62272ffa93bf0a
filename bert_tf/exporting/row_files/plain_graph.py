"""A frozen graph in operators that converters know, and in the shapes in which runtimes find layers again."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

ONE, TWO, ROOT = "bert_tf/one", "bert_tf/two", "bert_tf/root_of_two"


def plain_graph(graph: Any, outputs: Sequence[str]) -> Any:
    """A GraphDef in float32 that gives the same numbers but for rounding:

    - Erfc, in which TensorFlow 2.21 has the exact GELU, is unknown to tf2onnx and to OpenVINO. It becomes Erf:
      erfc(-x / sqrt(2)) is 1 + erf(x / sqrt(2)), in which a runtime finds the GELU; any other is 1 - erf(x);
    - Square becomes Pow, and a product with Rsqrt a quotient by Sqrt: a runtime then finds layer normalization;
    - the axis of a mean becomes a list of one axis, which OpenVINO expects.

    Args:
        graph: a `GraphDef` without variables; it is changed.
        outputs: names of the nodes that are wanted; what none of them needs is left out.
    """
    nodes = {node.name: node for node in graph.node}
    for name, value in ((ONE, 1.0), (TWO, 2.0), (ROOT, math.sqrt(2))):
        _add_constant(graph, name, value)
    for node in list(nodes.values()):
        if node.op == "Erfc":
            inner = _of_negative(nodes, node.input[0])
            argument = node.input[0] if inner is None else _add(graph, "RealDiv", f"{node.name}/over", inner, ROOT)
            node.op = "Sub" if inner is None else "AddV2"
            node.input[:] = [ONE, _add(graph, "Erf", f"{node.name}/erf", argument)]
        elif node.op == "Square":
            node.op = "Pow"
            node.input.append(TWO)
        elif node.op == "Mul" and nodes[node.input[1]].op == "Rsqrt":
            root = _add(graph, "Sqrt", f"{node.name}/root", nodes[node.input[1]].input[0])
            node.op = "RealDiv"
            node.input[1] = root
        elif node.op == "Mean":
            axis = nodes[node.input[1]]
            if axis.op == "Const" and not axis.attr["value"].tensor.tensor_shape.dim:
                axis.attr["value"].tensor.tensor_shape.dim.add(size=1)
    needed = set(_needed({node.name: node for node in graph.node}, outputs))
    kept = [node for node in graph.node if node.name in needed]
    del graph.node[:]
    graph.node.extend(kept)
    return graph


def _needed(nodes: Any, outputs: Sequence[str]) -> Iterator[str]:
    seen: set[str] = set()
    names = list(outputs)
    while names:
        name = names.pop().lstrip("^").partition(":")[0]
        if name not in seen:
            seen.add(name)
            names += nodes[name].input
            yield name


def _of_negative(nodes: Any, name: str) -> str | None:
    """x, where the node of this name is -x / sqrt(2); else None."""
    product = nodes.get(name)
    if product is None or product.op != "Mul":
        return None
    negative, factor = (nodes.get(name) for name in product.input)
    if negative is None or factor is None or (negative.op, factor.op) != ("Neg", "Const"):
        return None
    values = factor.attr["value"].tensor.float_val
    return negative.input[0] if len(values) == 1 and math.isclose(values[0], math.sqrt(0.5), rel_tol=1e-6) else None


def _add(graph: Any, op: str, name: str, *inputs: str) -> str:
    import tensorflow as tf

    node = graph.node.add(op=op, name=name, input=inputs)
    node.attr["T"].type = tf.float32.as_datatype_enum
    return name


def _add_constant(graph: Any, name: str, value: float) -> None:
    import tensorflow as tf

    node = graph.node.add(op="Const", name=name)
    node.attr["dtype"].type = tf.float32.as_datatype_enum
    node.attr["value"].tensor.dtype = tf.float32.as_datatype_enum
    node.attr["value"].tensor.float_val.append(value)
    node.attr["value"].tensor.tensor_shape.SetInParent()
