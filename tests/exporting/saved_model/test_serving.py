"""What goes beside a SavedModel to serve it."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from benchmarks.serving_batches import read_parameters
from bert_tf.exporting.definitions import load_export
from bert_tf.exporting.saved_model.requests import example_log, predict_log
from bert_tf.exporting.saved_model.wire import field, number_field, varint

SERVING = Path(__file__).resolve().parents[3] / "export" / "serving"
SIZES = (1, 2, 4, 8, 16, 32)


@pytest.fixture(scope="module")
def apis() -> Any:
    """TensorFlow Serving's own messages."""
    return pytest.importorskip("tensorflow_serving.apis.prediction_log_pb2", reason="needs tensorflow-serving-api")


def test_the_requests_are_those_that_serving_reads(apis, served):
    path = served / "assets.extra" / "tf_serving_warmup_requests"
    logs = [apis.PredictionLog.FromString(record.numpy()) for record in tf.data.TFRecordDataset(str(path))]
    kinds = [log.WhichOneof("log_type") for log in logs]
    assert kinds == ["predict_log"] * 2 * len(SIZES) + ["classify_log"]
    loaded = tf.saved_model.load(str(served))
    answer = loaded.signatures["serving_default"]
    sizes, widths = [], []
    for log in logs[:-1]:
        request = log.predict_log.request
        assert (request.model_spec.signature_name, list(request.inputs)) == ("serving_default", ["sentence"])
        texts = tf.make_ndarray(request.inputs["sentence"])
        sizes.append(len(texts))
        widths.append(max(len(text.split()) for text in texts))
        assert len(answer(sentence=tf.constant(texts))["label"]) == len(texts)
    assert sizes == [size for size in SIZES for _ in range(2)]
    assert set(widths[1::2]) == {62}  # as long as the model reads, less special tokens
    assert max(widths[::2]) <= 14
    (example,) = logs[-1].classify_log.request.input.example_list.examples
    assert logs[-1].classify_log.request.model_spec.signature_name == "classify"
    assert list(example.features.feature) == ["sentence"]


def test_a_pair_in_a_request(apis):
    log = apis.PredictionLog.FromString(predict_log({"a": ["x", "yé"], "b": ["", "w" * 300]}, signature="serve"))
    inputs = log.predict_log.request.inputs
    assert {name: tf.make_ndarray(value).tolist() for name, value in inputs.items()} == {
        "a": [b"x", "yé".encode()],
        "b": [b"", b"w" * 300],
    }
    log = apis.PredictionLog.FromString(example_log({"a": ["x"], "b": ["y"]}, signature="regress", log=3))
    (found,) = log.regress_log.request.input.example_list.examples
    assert {name: value.bytes_list.value[0] for name, value in found.features.feature.items()} == {"a": b"x", "b": b"y"}


def test_fields_by_hand():
    assert [varint(value) for value in (0, 127, 128, 300)] == [b"\0", b"\x7f", b"\x80\x01", b"\xac\x02"]
    assert field(6, b"ab") == b"\x32\x02ab"
    assert number_field(1, 150) == b"\x08\x96\x01"


def test_batches_are_warmed_up_in_the_sizes_that_serving_makes():
    text = (SERVING / "batching_parameters.txt").read_text()
    allowed = tuple(map(int, re.findall(r"^allowed_batch_sizes: (\d+)$", text, re.MULTILINE)))
    artefact: Any = load_export("saved_model")
    assert artefact.batch_sizes == allowed == SIZES
    parameters = read_parameters(SERVING / "batching_parameters.txt")
    assert (parameters.max_batch_size, parameters.enable_large_batch_splitting) == (1024, True)
    assert (parameters.max_execution_batch_size, parameters.pad_variable_length_inputs) == (max(allowed), False)
    flags = (SERVING / "compose.yaml").read_text()
    assert "--enable_per_model_batching_parameters=true" in flags


def test_the_readme_names_every_file_beside_it():
    text = (SERVING / "README.md").read_text()
    names = [path.name for path in SERVING.iterdir() if path.name not in {"README.md", "__pycache__"}]
    assert [name for name in names if name not in text] == []


def client(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, SERVING / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_client_where_no_server_is(capsys, monkeypatch):
    rest = client("rest_client")
    monkeypatch.setattr("sys.argv", ["rest_client.py", "--address=127.0.0.1:9", "--model=x", "text"])
    with pytest.raises(SystemExit, match=r"rest_client.py: 127\.0\.0\.1:9: .*refused"):
        rest.main()
