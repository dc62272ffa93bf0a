"""Dense layers whose scales are outside, of models with and without biases and activations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.exporting.tflite.convert import convert, frozen
from bert_tf.exporting.tflite.edit import graph_of, named_operators, parsed
from bert_tf.exporting.tflite.outer_scales import BY_CHANNEL, BY_LAYER, with_outer_scales
from bert_tf.runtimes.tflite import litert

WIDTH, OUT = 64, 48
RNG = np.random.default_rng(1)
KERNEL = (RNG.normal(size=(WIDTH, OUT)) * np.geomspace(0.01, 10, OUT)).astype(np.float32)  # channels of all sizes
BIAS = RNG.normal(size=OUT).astype(np.float32)
ROWS = [RNG.normal(size=(4, WIDTH)).astype(np.float32) for _ in range(3)]


def by_channel(function: Any) -> bytes:
    """As the converter makes it: `convert` of lite_convert takes the scales out already."""
    spec = [tf.TensorSpec([4, WIDTH], tf.float32, name="x")]
    graph = frozen(tf.function(function, input_signature=spec, autograph=False))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([graph], tf.Module())
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return converter.convert()


def answers(model: bytes) -> np.ndarray:
    run = litert().Interpreter(model_content=model).get_signature_runner()
    return np.stack([next(iter(run(x=row).values())) for row in ROWS])


def dense_version(model: bytes) -> int:
    (version,) = {
        parsed(model).operatorCodes[operator.opcodeIndex].version
        for operator, name in named_operators(parsed(model))
        if name == "FULLY_CONNECTED"
    }
    return version


FUNCTIONS = {
    "bare": lambda x: {"y": x @ tf.constant(KERNEL)},
    "with a bias": lambda x: {"y": x @ tf.constant(KERNEL) + tf.constant(BIAS)},
    "with ReLU": lambda x: {"y": tf.nn.relu(x @ tf.constant(KERNEL) + tf.constant(BIAS))},
    "read by two": lambda x: {"y": x @ tf.constant(KERNEL) + (2 * x) @ tf.constant(KERNEL)},
}


@pytest.mark.filterwarnings(r"ignore:\s*Warning. tf.lite.Interpreter is deprecated:UserWarning")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_function_stays_and_older_runtimes_know_the_layer(name):
    before = by_channel(FUNCTIONS[name])
    assert dense_version(before) == BY_CHANNEL, "or there is nothing to show"
    after = with_outer_scales(before)
    assert dense_version(after) == BY_LAYER
    sizes = np.maximum(np.abs(answers(before)).max(axis=(0, 1)), 1e-6)
    np.testing.assert_allclose(answers(after) / sizes, answers(before) / sizes, atol=1e-5)  # but for rounding
    for operator, operator_name in named_operators(parsed(after)):
        if operator_name == "FULLY_CONNECTED":
            noted = graph_of(parsed(after)).tensors[operator.inputs[1]].quantization
            assert list(noted.scale) == [1.0]
    assert with_outer_scales(after) == after


@pytest.mark.filterwarnings(r"ignore:\s*Warning. tf.lite.Interpreter is deprecated:UserWarning")
def test_an_activation_that_no_factor_passes_through_is_left_alone():
    model = by_channel(lambda x: {"y": tf.nn.relu6(x @ tf.constant(KERNEL) + tf.constant(BIAS))})
    assert with_outer_scales(model) == model


@pytest.mark.filterwarnings(r"ignore:\s*Warning. tf.lite.Interpreter is deprecated:UserWarning")
def test_the_export_uses_it():
    spec = [tf.TensorSpec([4, WIDTH], tf.float32, name="x")]
    graph = frozen(tf.function(FUNCTIONS["bare"], input_signature=spec, autograph=False))
    assert dense_version(convert(graph, "int8")) == BY_LAYER
