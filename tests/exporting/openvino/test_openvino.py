from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.errors import UserError
from bert_tf.exporting.openvino.artefact import BFLOAT16, OpenVino
from bert_tf.exporting.openvino.convert import to_openvino
from bert_tf.exporting.row_files.graph import Graph
from bert_tf.exporting.tflite.convert import frozen
from tests.exporting.row_files.checks import (
    CLOSE,
    IN_ONE_PASS,
    INPUTS,
    OUTPUTS,
    assert_described,
    assert_readme_answers_as_the_run,
    expected_probabilities,
)

openvino = pytest.importorskip("openvino", reason="needs pip install 'bert_tf[openvino]'")
FLOAT32 = {"INFERENCE_PRECISION_HINT": "f32"}


def flags(run: Path, out: Path, *more: str) -> list[str]:
    return [f"--run={run}", "--format=openvino", f"--out={out}", *more]


@pytest.fixture(scope="module")
def files(classifier, tmp_path_factory) -> Path:
    """An export of the classifier in 32 and in 16 bits. Read it, do not change it."""
    from bert_tf import export

    out = tmp_path_factory.mktemp("openvino") / "out"
    export.main([*flags(classifier, out, "--quantize=float32,float16", "--tolerance=100"), "--no-timing"])
    return out


def probabilities(path: Path, inputs: dict[str, np.ndarray]) -> np.ndarray:
    return openvino.Core().compile_model(str(path), "CPU", FLOAT32)(inputs)["probability"]


@pytest.mark.slow
def test_a_file_gives_what_the_model_gives(files, classifier):
    expected = expected_probabilities(classifier)
    np.testing.assert_allclose(probabilities(files / "model_float32.xml", INPUTS), expected, atol=CLOSE)
    assert 0 < np.abs(probabilities(files / "model_float16.xml", INPUTS) - expected).max() < 0.01
    assert probabilities(files / "model_float32.xml", {name: x[:2, :6] for name, x in INPUTS.items()}).shape == (2, 2)
    sizes = [(files / f"model_{name}.bin").stat().st_size for name in ("float32", "float16")]
    assert sizes[1] < 0.6 * sizes[0]


@pytest.mark.slow
def test_what_lies_beside_the_files(files, classifier):
    assert_described(files, "classification", ["model_float32.xml", "model_float16.xml"])
    assert_readme_answers_as_the_run(files, classifier)


def test_nothing_is_reported_over_the_network(monkeypatch):
    """`openvino.convert_model`, which would do the same, tells its makers of each conversion."""
    sender = pytest.importorskip("openvino_telemetry.utils.sender", reason="OpenVINO's own reports are not installed")
    sent: list[object] = []
    monkeypatch.setattr(sender.TelemetrySender, "send", lambda *arguments: sent.append(arguments))
    spec = [tf.TensorSpec([None, None], tf.int32, name=name) for name in INPUTS]
    made = frozen(
        tf.function(lambda ids, segments, mask: {"sum": tf.cast(ids + mask, tf.float32)}, input_signature=spec)
    )
    model = to_openvino(Graph(made.graph.as_graph_def(), {"sum": made.outputs[0].name}))
    assert {item.any_name for item in model.inputs} == set(INPUTS)
    assert [item.any_name for item in model.outputs] == ["sum"], "an input that nothing reads is no output"
    assert sent == []
    found = openvino.Core().compile_model(model, "CPU", FLOAT32)(INPUTS)["sum"]
    np.testing.assert_array_equal(found, INPUTS["token_ids"] + INPUTS["padding_mask"])


@pytest.mark.slow
def test_eight_bits_are_in_the_file(classifier, tmp_path, exported):
    pytest.importorskip("nncf", reason="needs pip install 'bert_tf[openvino]'")
    out = tmp_path / "out"
    more = ("--quantize=int8", "--set", "calibration_examples=20", "--tolerance=100")
    report, _ = exported(*flags(classifier, out, *more))
    assert report["models"][0]["name"] == "int8"
    model = openvino.Core().read_model(str(out / "model_int8.xml"))
    types = [node.get_element_type().get_type_name() for node in model.get_ops() if node.get_type_name() == "Constant"]
    assert types.count("i8") >= 12, "each block has six dense layers"
    assert "FakeQuantize" in {node.get_type_name() for node in model.get_ops()}, "activations are quantized too"
    found = probabilities(out / "model_int8.xml", INPUTS)
    assert 0 < np.abs(found - expected_probabilities(classifier)).max() < 0.3


@pytest.mark.slow
@pytest.mark.parametrize("kind", IN_ONE_PASS)
def test_files_of_every_kind_answer_as_the_run_does(runs, tmp_path, exported, kind):
    report, _ = exported(*flags(runs(kind), tmp_path / "out", "--tolerance=100"))
    model = report["models"][0]
    assert (model["name"], model["takes"]) == ("float32", "tensors")
    assert model["agreement"]["same_answers"] == 1.0
    assert model["agreement"]["largest_difference"] < CLOSE
    assert {other["name"] for other in report["models"][1:]} <= {f"float32{BFLOAT16}"}
    assert_described(tmp_path / "out", kind, ["model_float32.xml"])
    outputs = openvino.Core().read_model(str(tmp_path / "out" / "model_float32.xml")).outputs
    assert sorted(item.any_name for item in outputs) == OUTPUTS[kind]


@pytest.mark.parametrize(
    ("package", "quantize", "match"),
    [
        ("openvino", "float32", r"expected OpenVINO: pip install 'bert_tf\[openvino\]'\. Received:"),
        ("nncf", "int8", r"expected NNCF: pip install 'bert_tf\[openvino\]'\. Received:"),
    ],
)
def test_what_is_missing_is_named_with_its_extra(monkeypatch, package, quantize, match):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=match):
        OpenVino(quantize=(quantize,)).check_packages()


def test_settings_that_cannot_be():
    with pytest.raises(
        ValueError, match=r"`quantize` must be different ones of float32, float16, int8\. Received: .*int4"
    ):
        OpenVino(quantize=("int4",))
    with pytest.raises(
        ValueError, match=r"`calibration_examples` must be 1 or more\. Received: calibration_examples=0"
    ):
        OpenVino(calibration_examples=0)
