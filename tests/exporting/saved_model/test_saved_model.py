from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import bert_tf
from bert_tf.errors import UserError
from bert_tf.exporting.saved_model.artefact import SavedModel
from bert_tf.exporting.saved_model.requests import example
from bert_tf.inference.exported import operators
from bert_tf.inference.pipeline import Pipeline
from bert_tf.inference.saved_models import saved_model_in, versions

TEXTS = ["good film", "", "A joy from start to end. " * 40, "naïve 有趣 \x00 film", "bad"]


def meta_graph(folder: Path) -> Any:
    from tensorflow.core.protobuf import saved_model_pb2

    (graph,) = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes()).meta_graphs
    return graph


@pytest.fixture(scope="module")
def ours(classifier):
    return Pipeline(classifier)(TEXTS)


@pytest.fixture(scope="module")
def loaded(served):
    return tf.saved_model.load(str(served))


def test_raw_text_to_answers_in_the_users_terms(loaded, ours):
    found = loaded.signatures["serving_default"](sentence=tf.constant(TEXTS))
    assert set(found) == {"label", "score", "probabilities"}
    assert [label.decode() for label in found["label"].numpy()] == [answer["label"] for answer in ours]
    np.testing.assert_allclose(found["score"], [answer["score"] for answer in ours], atol=1e-6)
    probabilities = [list(answer["probabilities"].values()) for answer in ours]
    np.testing.assert_allclose(found["probabilities"], probabilities, atol=1e-6)
    assert len({round(answer["score"], 4) for answer in ours}) == len(TEXTS), "the answers must differ"


def test_bytes_that_are_no_text_are_answered(loaded):
    texts = tf.constant([b"\xff\xfe good", b"\xed\xa0\x80", b"\x00", b"good"])
    found = loaded.signatures["serving_default"](sentence=texts)
    assert np.isfinite(found["score"]).all()


def test_tensors_in(loaded, classifier):
    pipeline = Pipeline(classifier)
    inputs = pipeline.tokenizer(TEXTS, max_length=pipeline.sequence_length)
    found = loaded.signatures["tensors"](**inputs)
    np.testing.assert_allclose(found["logits"], [row["logits"] for row in pipeline.rows(TEXTS)], atol=1e-5)


def test_classify_takes_examples_and_gives_what_serving_wants(loaded, served, ours):
    examples = tf.constant([example({"sentence": text}).SerializeToString() for text in TEXTS])
    found = loaded.signatures["classify"](inputs=examples)
    assert {name: value.dtype for name, value in found.items()} == {"classes": tf.string, "scores": tf.float32}
    np.testing.assert_array_equal(found["classes"], [[b"negative", b"positive"]] * len(TEXTS))
    np.testing.assert_allclose(found["scores"][:, 1], [a["probabilities"]["positive"] for a in ours], atol=1e-6)
    methods = {name: value.method_name for name, value in meta_graph(served).signature_def.items()}
    assert methods["classify"] == "tensorflow/serving/classify"
    assert methods["serving_default"] == methods["tensors"] == methods["details"] == "tensorflow/serving/predict"
    with pytest.raises(tf.errors.InvalidArgumentError, match="sentence"):
        loaded.signatures["classify"](inputs=tf.constant([b""]))


@pytest.mark.parametrize("shape", [[], [1, 1], [2, 1, 1]])
def test_a_wrong_rank_is_an_error_and_not_an_answer(loaded, shape):
    graph = loaded.signatures["serving_default"]
    with pytest.raises((tf.errors.InvalidArgumentError, ValueError, TypeError)):
        graph(sentence=tf.fill(shape, "good"))


def test_it_uses_operators_of_tensorflow_and_tensorflow_text_alone(served):
    path = served / "saved_model.pb"
    assert operators.foreign_operators(path) == []
    names = operators.operators_in(path)
    assert {"FastWordpieceTokenizeWithOffsets", "MatMul", "ParseExampleV2"} <= names


def test_a_foreign_operator_is_named(tmp_path):
    root = tf.Module()
    function = tf.function(lambda x: tf.numpy_function(np.sin, [x], tf.float32))
    signature = function.get_concrete_function(tf.TensorSpec([None], tf.float32))
    tf.saved_model.save(root, str(tmp_path), signatures={"serving_default": signature})
    assert operators.foreign_operators(tmp_path / "saved_model.pb") == ["PyFunc"]


def test_vocabulary_labels_and_recipe_are_inside(served, classifier):
    assets = served / "assets"
    assert (assets / "vocab.txt").read_bytes() == (classifier / "model" / "vocab.txt").read_bytes()
    assert (assets / "labels.txt").read_text() == "negative\npositive\n"
    assert (assets / "config.toml").read_text() == (classifier / "config.toml").read_text()
    assert json.loads((assets / "task.json").read_text())["task"] == "sst2"
    assert {"vocab.txt", "labels.txt", "config.toml"} <= {asset.filename for asset in meta_graph(served).asset_file_def}


def test_the_report_is_beside_it(served):
    report = json.loads((served / "export_report.json").read_text())
    (model,) = report["models"]
    assert report["run"]["metrics"] == model["metrics"]
    assert model["agreement"]["same_answers"] == 1.0
    assert model["agreement"]["largest_difference"] <= 1e-5
    assert (report["task"], report["format"], report["data"]) == ("sst2", "saved_model", "sample")
    assert "points lost" in (served / "export_report.md").read_text()


def test_a_pipeline_over_it(served, ours):
    for where in (served, served.parent):
        pipeline = bert_tf.Pipeline(where)
        for mine, theirs in zip(pipeline(TEXTS), ours, strict=True):
            assert (mine["text"], mine["label"]) == (theirs["text"], theirs["label"])
            assert mine["probabilities"] == pytest.approx(theirs["probabilities"], abs=1e-6)


def test_a_saved_model_of_somebody_elses(tmp_path):
    signature = tf.function(lambda x: x + 1).get_concrete_function(tf.TensorSpec([None], tf.float32))
    tf.saved_model.save(tf.Module(), str(tmp_path / "model"), signatures={"serving_default": signature})
    with pytest.raises(UserError, match=r"expected a SavedModel of bert_tf\.export, with task\.json"):
        Pipeline(tmp_path / "model")


def test_versions(tmp_path):
    artefact = SavedModel()
    assert artefact.place(tmp_path / "new") == tmp_path / "new" / "1"
    for name in ("1", "12", "3", "x7", "4.5"):
        (tmp_path / name).mkdir()
    assert sorted(versions(tmp_path)) == [1, 3, 12]
    assert artefact.place(tmp_path) == tmp_path / "13"
    assert SavedModel(version=5).place(tmp_path) == tmp_path / "5"
    with pytest.raises(UserError, match="--set version=3: expected a version that is not there"):
        SavedModel(version=3).place(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="expected a folder"):
        artefact.place(tmp_path / "file")
    assert saved_model_in(tmp_path) is None
    (tmp_path / "12" / "saved_model.pb").write_text("")
    assert saved_model_in(tmp_path) == tmp_path / "12"


@pytest.mark.parametrize(
    ("arguments", "expected"), [({"batch_sizes": (0,)}, "batch_sizes"), ({"version": -1}, "version")]
)
def test_numbers_that_cannot_be(arguments, expected):
    with pytest.raises(ValueError, match=f"`{expected}` must be .* Received: {expected}="):
        SavedModel(**arguments)
