"""Static 8 bits, of a layer whose channels differ in size as those of a trained BERT do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.exporting.tflite.convert import convert, frozen
from bert_tf.exporting.tflite.edit import graph_of, named_operators, parsed
from bert_tf.exporting.tflite.static import balanced, quantize, with_ranges
from bert_tf.runtimes.tflite import litert

TOKENS, WIDTH = 8, 64
RNG = np.random.default_rng(0)
INTO = np.where(np.arange(WIDTH) == 5, 60.0, 1.0)  # how large each channel is before the layer
OUT = np.where(np.arange(WIDTH) == 9, 200.0, 1.0)  # and behind it
KERNEL = RNG.normal(size=(WIDTH, WIDTH)) / INTO[:, None] * OUT / np.sqrt(WIDTH)
BIAS = RNG.normal(size=WIDTH) * OUT
ROWS = [{"x": (RNG.normal(size=(TOKENS, WIDTH)) * INTO).astype(np.float32)} for _ in range(20)]


def dense(x: Any) -> Any:
    return x @ tf.constant(KERNEL, tf.float32) + tf.constant(BIAS, tf.float32)


def graph(function: Any) -> Any:
    spec = [tf.TensorSpec([TOKENS, WIDTH], tf.float32, name="x")]
    return frozen(tf.function(function, input_signature=spec, autograph=False))


def answers(model: bytes) -> np.ndarray:
    interpreter = litert().Interpreter(model_content=model)
    run = interpreter.get_signature_runner()
    return np.stack([next(iter(run(**row).values())) for row in ROWS])


@pytest.fixture(scope="module")
def model() -> bytes:
    return convert(graph(lambda x: {"y": dense(x)}), "float32")


@pytest.fixture(scope="module")
def exact() -> np.ndarray:
    return np.stack([row["x"].astype(np.float64) @ KERNEL + BIAS for row in ROWS])


def error(found: np.ndarray, exact: np.ndarray) -> float:
    """The mean error of a number, in deviations of its channel."""
    return float(np.mean(np.abs(found - exact) / exact.std(axis=(0, 1))))


def test_balancing_changes_the_channels_and_not_the_function(model, exact):
    found = balanced(model, ROWS)
    np.testing.assert_allclose(answers(found) / OUT, exact / OUT, atol=1e-4)
    assert [name for _, name in named_operators(parsed(found))] == ["MUL", "FULLY_CONNECTED", "MUL"]
    ranged = parsed(with_ranges(found, ROWS))
    (layer,) = [operator for operator, name in named_operators(ranged) if name == "FULLY_CONNECTED"]
    noted = graph_of(ranged).tensors[layer.outputs[0]].quantization
    assert max(-noted.min[0], noted.max[0]) == pytest.approx(1.0, abs=1e-4), "every channel is at most 1 in size"


def test_a_large_channel_does_not_cost_the_others_their_bits(model, exact):
    ours = quantize(model, ROWS)
    assert len(ours) < len(model)
    assert error(answers(ours), exact) < 0.03
    unbalanced = quantize(model, ROWS, everything=True)
    assert error(answers(unbalanced), exact) > 0.2, "or else the test shows nothing"


def test_a_layer_without_a_bias(exact):
    found = balanced(convert(graph(lambda x: {"y": x @ tf.constant(KERNEL, tf.float32)}), "float32"), ROWS)
    np.testing.assert_allclose(answers(found) / OUT, (exact - BIAS) / OUT, atol=1e-4)


def test_what_several_layers_read_is_scaled_once():
    function = graph(lambda x: {"y": dense(x) + x @ tf.constant(KERNEL.T, tf.float32)})
    found = balanced(convert(function, "float32"), ROWS)
    operators = [name for _, name in named_operators(parsed(found))]
    assert operators.count("FULLY_CONNECTED") == 2
    assert operators.count("MUL") == 3


def test_ranges_are_those_of_the_operators_own_result():
    """The sum's result may take the product's memory; TensorFlow's calibrator then notes the sum's range for both."""
    function = graph(lambda x: {"y": tf.nn.relu(dense(x)) * 100.0 + 7.0})
    ranged = parsed(with_ranges(convert(function, "float32"), ROWS))
    found = []
    for operator, name in named_operators(ranged):
        noted = graph_of(ranged).tensors[operator.outputs[0]].quantization
        found.append((name, noted.min[0], noted.max[0]))
    values = np.stack([np.maximum(row["x"].astype(np.float64) @ KERNEL + BIAS, 0) for row in ROWS])
    assert found[-1][0] == "ADD"
    assert found[-1][1:] == pytest.approx((7.0, values.max() * 100 + 7), rel=1e-4)
    assert found[-2][1] == pytest.approx(0.0, abs=1e-6)


def test_all_operators_in_8_bits_where_that_is_asked_for(model):
    whole = convert(graph(lambda x: {"y": tf.nn.softmax(dense(x))}), "static_int8", rows=ROWS, every_operator=True)
    part = convert(graph(lambda x: {"y": tf.nn.softmax(dense(x))}), "static_int8", rows=ROWS)
    from ai_edge_litert import schema_py_generated as schema

    def type_of_softmax(content: bytes) -> int:
        found = parsed(content)
        (softmax,) = [operator for operator, name in named_operators(found) if name == "SOFTMAX"]
        return graph_of(found).tensors[softmax.inputs[0]].type

    assert type_of_softmax(whole) == schema.TensorType.INT8
    assert type_of_softmax(part) == schema.TensorType.FLOAT32


def test_a_channel_that_lets_nothing_through_leaves_the_layer_as_it_is():
    """ReLU's: its size is none, and what is divided by it no kernel takes."""
    dead = np.where(np.arange(WIDTH) % 2, -1e4, 0.0)
    model = convert(graph(lambda x: {"y": dense(tf.nn.relu(dense(x) + tf.constant(dead, tf.float32)))}), "float32")
    found, expected = answers(quantize(model, ROWS)), answers(model)
    assert error(found, expected) < 0.05
