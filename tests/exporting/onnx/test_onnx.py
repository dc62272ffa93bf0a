from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from bert_tf.errors import UserError
from bert_tf.exporting.definitions import load_export
from bert_tf.exporting.onnx.artefact import Onnx
from bert_tf.inference.runs import open_run
from tests.exporting.row_files.checks import (
    CLOSE,
    IN_ONE_PASS,
    INPUTS,
    OUTPUTS,
    assert_described,
    assert_readme_answers_as_the_run,
    expected_probabilities,
)

NEEDED = "needs pip install 'bert_tf[onnx]'"
onnx = pytest.importorskip("onnx", reason=NEEDED)
onnxruntime = pytest.importorskip("onnxruntime", reason=NEEDED)
pytest.importorskip("tf2onnx", reason=NEEDED)


def flags(run: Path, out: Path, *more: str) -> list[str]:
    return [f"--run={run}", "--format=onnx", f"--out={out}", *more]


@pytest.fixture(scope="module")
def files(classifier, tmp_path_factory) -> Path:
    """An export of the classifier in every quantization. Read it, do not change it."""
    from bert_tf import export

    out = tmp_path_factory.mktemp("onnx") / "out"
    export.main([*flags(classifier, out, "--quantize=float32,float16,int8", "--tolerance=100"), "--no-timing"])
    return out


def test_a_file_gives_what_the_model_gives(files, classifier):
    session = onnxruntime.InferenceSession(str(files / "model_float32.onnx"))
    assert [item.name for item in session.get_inputs()] == list(INPUTS)
    assert [item.type for item in session.get_inputs()] == ["tensor(int32)"] * 3
    expected = expected_probabilities(classifier)
    np.testing.assert_allclose(session.run(["probability"], INPUTS)[0], expected, atol=CLOSE)
    shorter = {name: array[:2, :6] for name, array in INPUTS.items()}
    assert session.run(["probability"], shorter)[0].shape == (2, 2)


def test_fewer_bits_are_in_the_file_and_change_little(files, classifier):
    expected = expected_probabilities(classifier)
    for name, most in (("float16", 0.01), ("int8", 0.2)):
        found = onnxruntime.InferenceSession(str(files / f"model_{name}.onnx")).run(["probability"], INPUTS)[0]
        assert 0 < np.abs(found - expected).max() < most
    large = [
        tensor for tensor in onnx.load(files / "model_float16.onnx").graph.initializer if np.prod(tensor.dims) >= 1024
    ]
    assert {tensor.data_type for tensor in large} == {onnx.TensorProto.FLOAT16}
    operators = [node.op_type for node in onnx.load(files / "model_int8.onnx").graph.node]
    assert operators.count("MatMulInteger") == 14, "six dense layers in each block, the pooler and the classifier"


def test_what_lies_beside_the_files(files, classifier):
    assert_described(files, "classification", [f"model_{name}.onnx" for name in ("float32", "float16", "int8")])
    assert_readme_answers_as_the_run(files, classifier)


def test_the_runtime_finds_the_layers_again(files, tmp_path):
    """Its own names for what it joined: layer normalization five times, and the GELU of both blocks."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(files / "model_float32.onnx"), options)
    found = [node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node]
    assert (found.count("LayerNormalization"), found.count("Gelu")) == (5, 2)


@pytest.mark.slow
@pytest.mark.parametrize("kind", IN_ONE_PASS)
def test_files_of_every_kind_answer_as_the_run_does(runs, tmp_path, exported, kind):
    report, _ = exported(*flags(runs(kind), tmp_path / "out"))
    (model,) = report["models"]
    assert (model["name"], model["takes"]) == ("float32", "tensors")
    assert model["agreement"]["same_answers"] == 1.0
    assert model["agreement"]["largest_difference"] < CLOSE
    assert_described(tmp_path / "out", kind, ["model_float32.onnx"])
    session = onnxruntime.InferenceSession(str(tmp_path / "out" / "model_float32.onnx"))
    assert sorted(item.name for item in session.get_outputs()) == OUTPUTS[kind]


@pytest.mark.slow
def test_a_task_that_writes_is_refused(runs):
    kind = open_run(runs("text_to_text")).kind
    with pytest.raises(
        UserError, match=r"--format=onnx: expected a task that answers in one pass\. Received: one that"
    ):
        load_export("onnx").check(kind)


@pytest.mark.slow
def test_a_model_that_loses_too_much_is_refused(classifier, tmp_path, exported, monkeypatch):
    from bert_tf.exporting.onnx import convert

    def broken(model, path):
        for tensor in model.graph.initializer:
            if (
                list(tensor.dims) == [2] and tensor.data_type == onnx.TensorProto.FLOAT
            ):  # the classifier's bias: everything is of the second class
                tensor.raw_data = np.array([-99.0, 99.0], np.float32).tobytes()
        onnx.save(model, str(path))

    monkeypatch.setattr(convert, "save_float16", broken)
    with pytest.raises(UserError, match=r"refused, nothing is written: --tolerance=0\.5 .* float16 0\.\d+"):
        exported(*flags(classifier, tmp_path / "out", "--quantize=float16"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("package", "match"),
    [
        ("onnxruntime", r"expected ONNX Runtime: pip install 'bert_tf\[onnx\]'\. Received:"),
        ("tf2onnx", r"expected tf2onnx and onnx: pip install 'bert_tf\[onnx\]'\. Received:"),
    ],
)
def test_what_is_missing_is_named_with_its_extra(monkeypatch, package, match):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=match):
        Onnx().check_packages()


def test_settings_that_cannot_be():
    with pytest.raises(
        ValueError, match=r"`quantize` must be different ones of float32, float16, int8\. Received: .*int4"
    ):
        Onnx(quantize=("int4",))
