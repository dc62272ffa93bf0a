"""Graphs in operators that converters know give the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.exporting.row_files.plain_graph import plain_graph
from bert_tf.exporting.tflite.convert import frozen
from bert_tf.layers import LayerNorm
from bert_tf.layers.functions.gelu import gelu

X = np.random.default_rng(0).normal(scale=3.0, size=(2, 5)).astype(np.float32)


def operators(definition: Any) -> set[str]:
    return {node.op for node in definition.node}


def rewritten(function: Any) -> tuple[Any, np.ndarray, np.ndarray]:
    """The rewritten graph of a function of a float32 [B, 5]; what it gave before for `X`, and what it gives now."""
    made = frozen(tf.function(function, input_signature=[tf.TensorSpec([None, 5], tf.float32, name="x")]))
    name = made.outputs[0].name
    definition = plain_graph(made.graph.as_graph_def(), ["x", name])
    found = tf.compat.v1.wrap_function(lambda: tf.graph_util.import_graph_def(definition, name=""), [])
    pruned = found.prune("x:0", name)
    return definition, made(tf.constant(X))[0].numpy(), pruned(tf.constant(X)).numpy()


def test_the_gelu_is_in_terms_of_erf():
    definition, before, after = rewritten(gelu)
    assert "Erf" in operators(definition)
    assert not operators(definition) & {"Erfc", "Neg"}
    np.testing.assert_allclose(after, before, atol=1e-6)


@pytest.mark.parametrize("function", [tf.math.erfc, lambda x: tf.math.erfc(-x * 0.5), lambda x: tf.math.erfc(x * x)])
def test_any_other_erfc_is_one_too(function):
    definition, before, after = rewritten(function)
    assert "Erfc" not in operators(definition)
    np.testing.assert_allclose(after, before, atol=1e-6)


def test_layer_normalization_is_a_quotient():
    layer = LayerNorm(5)
    layer.build((None, 5))
    layer.gamma.assign(np.arange(1.0, 6.0))
    layer.beta.assign(np.arange(5.0))
    definition, before, after = rewritten(layer)
    assert {"Pow", "Sqrt", "RealDiv"} <= operators(definition)
    assert not operators(definition) & {"Square", "Rsqrt"}, "what nothing needs any longer is left out"
    axes = {node.input[1] for node in definition.node if node.op == "Mean"}
    shapes = [node.attr["value"].tensor.tensor_shape for node in definition.node if node.name in axes]
    assert [[dim.size for dim in shape.dim] for shape in shapes] == [[1]] * len(shapes)
    np.testing.assert_allclose(after, before, atol=1e-5)
