from __future__ import annotations

import json
import zipfile
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.config import RunConfig
from bert_tf.errors import UserError
from bert_tf.exporting.definitions import load_export
from bert_tf.exporting.run import Run
from bert_tf.exporting.tflite import file as lite_file
from bert_tf.exporting.tflite.artefact import TFLite
from bert_tf.exporting.tflite.convert import convert, frozen
from bert_tf.exporting.tflite.graph import made_for
from bert_tf.inference.pipeline import Pipeline
from bert_tf.layers.vector_table import Table
from bert_tf.runtimes.tflite import LiteFile, litert, padded
from tests.exporting.runs import KINDS
from tests.rest_slow import rest_slow

IN_ONE_PASS = [kind for kind in KINDS if kind != "text_to_text"]
OUTPUTS = {
    "classification": ["probability"],
    "rejecting": ["probability"],
    "multi_label": ["probability"],
    "regression": ["value"],
    "tagging": ["probability"],
    "span_qa": ["end_logits", "start_logits"],
    "embedding": ["embedding"],
    "retrieval": ["embedding"],
    "extractive": ["score"],
    "pretraining": ["logits"],
}
FOR = {
    "classification": "MediaPipe Tasks TextClassifier, Task Library BertNLClassifier, LiteRT\n",
    "multi_label": "MediaPipe Tasks TextClassifier, Task Library BertNLClassifier, LiteRT\n",
    "embedding": "MediaPipe Tasks TextEmbedder, Task Library TextEmbedder, LiteRT\n",
    "retrieval": "MediaPipe Tasks TextEmbedder, Task Library TextEmbedder, LiteRT\n",
}
ONLY_LITERT = "LiteRT\n"  # none of them has the length that BertQuestionAnswerer takes, for one
CLOSE = 1e-5


def flags(run, out, *settings: str) -> list[str]:
    return [f"--run={run}", "--format=tflite", f"--out={out}", *(["--set", *settings] if settings else [])]


@pytest.mark.parametrize("kind", rest_slow(IN_ONE_PASS, "classification", "embedding"))
def test_files_of_every_kind_answer_as_the_run_does(runs, tmp_path, exported, kind):
    out = tmp_path / "out"
    report, said = exported(*flags(runs(kind), out, "length=dynamic"))
    (model,) = report["models"]
    assert (model["name"], model["takes"], model["length"]) == ("float32", "tensors", "dynamic")
    assert model["agreement"]["same_answers"] == 1.0
    assert model["agreement"]["largest_difference"] < CLOSE
    path = out / "model_float32.tflite"
    assert lite_file.foreign_operators(path) == []
    file = LiteFile(path)
    assert [detail["name"] for detail in file.inputs] == ["ids", "mask", "segment_ids"]
    assert [detail["index"] for detail in file.inputs] == [0, 1, 2], "MediaPipe takes an input's place for its index"
    assert [detail["name"] for detail in file.outputs] == OUTPUTS[kind]
    (signature,) = file.interpreter.get_signature_list().values()
    assert signature == {"inputs": ["ids", "mask", "segment_ids"], "outputs": OUTPUTS[kind]}
    assert f"{path}: for {FOR.get(kind, ONLY_LITERT)}" in said


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["classification", "tagging"])
def test_a_fixed_length_is_the_runs(runs, tmp_path, exported, kind):
    report, _ = exported(*flags(runs(kind), tmp_path / "out"))
    (model,) = report["models"]
    assert model["length"] == report["sequence_length"]
    assert model["agreement"]["largest_difference"] < CLOSE
    with pytest.raises(
        ValueError, match=f"must have {model['length']} columns at most. Received: {model['length'] + 1}"
    ):
        padded(np.zeros((1, model["length"] + 1), np.int32), model["length"])


def test_padding_is_never_the_likeliest_place_of_an_answer(runs, tmp_path, exported):
    """Nothing trains what a model says of padding, and a reader looks for the largest of a whole row."""
    run = runs("span_qa")
    exported(*flags(run, tmp_path / "out"))
    file, pipeline = LiteFile(tmp_path / "out" / "model_float32.tflite"), Pipeline(run)
    row = pipeline.tokenizer(["who"], ["a film"], max_length=file.length, padding="max_length")
    names = {"ids": "token_ids", "mask": "padding_mask", "segment_ids": "segment_ids"}
    found = file({theirs: np.asarray(row[ours], np.int32) for theirs, ours in names.items()})
    logits = np.asarray(pipeline.model(row, training=False))[0]
    is_real = np.asarray(row["padding_mask"])[0] == 1
    assert 0 < is_real.sum() < file.length
    for i, name in enumerate(("start_logits", "end_logits")):
        np.testing.assert_allclose(found[name][0][is_real], logits[is_real, i], atol=CLOSE)
        assert (found[name][0][~is_real] <= logits[is_real, i].min() + CLOSE).all()
        assert len(set(found[name][0][~is_real])) == 1


def test_what_lies_in_a_file_and_beside_it(runs, tmp_path, exported):
    run, out = runs("classification"), tmp_path / "out"
    exported(*flags(run, out))
    tokenizer = Pipeline(run).tokenizer
    with zipfile.ZipFile(out / "model_float32.tflite") as archive:
        assert archive.read("labels.txt") == b"negative\npositive\n"
        words = archive.read("vocab.txt").decode().splitlines()
    assert tuple(words[: tokenizer.vocabulary_size]) == tokenizer.vocabulary
    assert {"à", "##à"} <= set(words[tokenizer.vocabulary_size :])
    assert tuple((out / "vocab.txt").read_text().splitlines()) == tokenizer.vocabulary
    accented, plain = (np.array([[words.index(letter)]], np.int32) for letter in ("à", "a"))
    file = LiteFile(out / "model_float32.tflite")
    assert file.length is not None
    rows = [np.pad(ids, [(0, 0), (0, file.length - 1)]) for ids in (accented, plain)]
    mask = (np.arange(file.length) == 0).astype(np.int32)[None]
    one, other = (file({"ids": row, "mask": mask, "segment_ids": 0 * mask})["probability"] for row in rows)
    np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_every_quantization_of_a_model_wide_enough_to_have_any(tmp_path, exported):
    from benchmarks.random_run import make_run

    run = make_run(tmp_path / "run", "sst2", hidden_dim=64)
    names = ["float32", "float16", "int8", "static_int8"]
    report, _ = exported(
        *flags(run, tmp_path / "out", f"quantize={','.join(names)}", "calibration_examples=4"), "--tolerance=100"
    )
    assert [model["name"] for model in report["models"]] == names
    sizes = [model["bytes"] for model in report["models"]]
    assert sizes[2] < sizes[1] < sizes[0]
    differences = [model["agreement"]["largest_difference"] for model in report["models"]]
    assert differences[0] < differences[1] < differences[2] < 0.5, "its weights are large, so these are too"
    assert differences[0] < 10 * CLOSE
    assert report["models"][3]["operators"]["QUANTIZE"] > 0
    assert all(model["operators"]["GELU"] for model in report["models"]), "the exact one, as one operator"


def embedding() -> tuple[Any, Table]:
    """What `made_for` changes of a model, and no more; and its table."""
    token = Table(500, 16)
    token.build(None)
    embeddings = SimpleNamespace(token=token, position=None)
    return SimpleNamespace(backbone=SimpleNamespace(mask_value=-1e4, embeddings=embeddings, blocks=())), token


def test_what_a_converter_wanted_is_put_back():
    model, token = embedding()
    ids = np.arange(500)[None]
    before = np.asarray(token(ids))
    with made_for(model, mask_value=-50.0, eight_bits=True):
        assert model.backbone.mask_value == -50.0
        assert token.split is not None
        np.testing.assert_allclose(np.asarray(token(ids)), before, atol=1e-7)
    assert model.backbone.mask_value == -1e4
    assert token.split is None
    with made_for(model, mask_value=None, eight_bits=False):
        assert model.backbone.mask_value == -1e4
        assert token.split is None


def test_a_table_in_8_bits_has_a_scale_for_each_column():
    model, token = embedding()
    table = np.asarray(token.table) * np.where(np.arange(16) == 3, 100.0, 1.0)  # one column is far larger
    table[:, 5] = 0.0
    token.table.assign(table)
    signature = [tf.TensorSpec([1, 500], tf.int32, name="ids")]
    with made_for(model, mask_value=None, eight_bits=True):
        graph = frozen(tf.function(lambda ids: {"rows": token(ids)}, input_signature=signature))
    content = convert(graph, "int8")
    assert len(content) < table.size * 4 / 2, "it is in 8 bits"
    file = litert().Interpreter(model_content=content)
    file.allocate_tensors()
    file.set_tensor(file.get_input_details()[0]["index"], np.arange(500, dtype=np.int32)[None])
    file.invoke()
    rows = file.get_tensor(file.get_output_details()[0]["index"])[0]
    largest = np.abs(table).max(axis=0)
    assert (np.abs(rows - table).max(axis=0) <= largest / 127 * 0.51 + 1e-9).all()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("quantize=int4", "`quantize` must be different ones of float32, float16, int8, static_int8. Received: .*int4"),
        ("quantize=int8,int8", "`quantize` must be different ones"),
        ("inputs=bytes", "`inputs` must be different ones of tensors, text. Received: .*bytes"),
        ("length=short", "`length` must be one of fixed, dynamic. Received: length='short'"),
        (
            "length=dynamic inputs=text",
            "`length` must be fixed for static_int8 and for text. Received: length='dynamic'",
        ),
        ("batch=many", "`batch` must be one of one, any, and one where `length` is fixed. Received: batch='many'"),
        ("batch=any", "`batch` must be one of one, any, and one where `length` is fixed. .*'any', length='fixed'"),
        ("length=dynamic quantize=static_int8", "`length` must be fixed for static_int8"),
        ("inputs=text quantize=static_int8", "`inputs` must be tensors for static_int8"),
        ("reader_metadata=no", "`reader_metadata` must be one of exact, always. Received: reader_metadata='no'"),
        ("static_operators=some", "`static_operators` must be one of dense, all. Received: static_operators='some'"),
        ("calibration_examples=0", "`calibration_examples` must be 1 or more. Received: calibration_examples=0"),
        ("static_mask_value=1.0", "`static_mask_value` must be below 0, and -10000 or more. Received: .*1.0"),
    ],
)
def test_settings_that_cannot_be(runs, tmp_path, exported, setting, message):
    with pytest.raises(UserError, match=message):
        exported(*flags(runs("classification"), tmp_path / "out", *setting.split()))
    assert not (tmp_path / "out").exists()


def test_a_task_that_writes_is_refused(runs, tmp_path, exported):
    with pytest.raises(UserError, match="--format=tflite: expected a task that answers in one pass"):
        exported(*flags(runs("text_to_text"), tmp_path / "out"))


def test_without_litert_the_extra_is_named(runs, tmp_path, exported, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ai_edge_litert", None)
    with pytest.raises(UserError, match=r"expected LiteRT: pip install 'bert_tf\[tflite\]'"):
        exported(*flags(runs("classification"), tmp_path / "out"))


def test_calibration_is_on_training_texts(runs):
    folder = runs("classification")
    pipeline = Pipeline(folder)
    config = RunConfig.model_validate({"task": "sst2", "data": {"source": "sample"}})
    examples = pipeline.kind.read("sample", "validation")
    run = Run(folder=folder, config=config, kind=pipeline.kind, pipeline=pipeline, data="sample", split="validation",
              examples=examples)  # fmt: skip
    rows = TFLite(calibration_examples=3)._calibration(run)
    expected = pipeline.tokenizer(pipeline.kind.read("sample", "train").texts[:3], max_length=64, padding="max_length")
    for name, ours in (("ids", "token_ids"), ("mask", "padding_mask"), ("segment_ids", "segment_ids")):
        np.testing.assert_array_equal(np.concatenate([row[name] for row in rows]), expected[ours])
        assert rows[0][name].dtype == np.int32


def test_the_format_is_found_by_name():
    assert load_export("tflite") == TFLite()


def test_a_report_is_plain_json(runs, tmp_path, exported):
    exported(*flags(runs("classification"), tmp_path / "out"))
    (model,) = json.loads((tmp_path / "out" / "export_report.json").read_text())["models"]
    assert model["operators"]["FULLY_CONNECTED"] > 4
    assert model["files"] == ["model_float32.tflite"]
