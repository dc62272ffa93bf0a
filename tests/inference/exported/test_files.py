"""Exported TFLite files behind a pipeline and the commands."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bert_tf import Pipeline, evaluate, export, predict
from bert_tf.data import InMemory
from bert_tf.errors import UserError
from bert_tf.kinds import Classification, Retrieval
from tests.exporting.runs import run_of

TEXTS = ["a good film", "bad", "A film that is, from start to end, not good!", "", "good " * 90, "who was there?"]
CONTEXTS = ["Anna was there.", "It was a bad film of 1990.", "good", "who", "The end. " * 60, "Bob, not Anna, was."]
CLOSE = 1e-4


def exported(run: Path, out: Path, *settings: str) -> Path:
    export.main([f"--run={run}", "--format=tflite", f"--out={out}", "--no-timing", "--examples=3", "--tolerance=100",
                 "--set", "length=dynamic", "batch=any", *settings])  # fmt: skip
    return out


@pytest.fixture(scope="module")
def lite(tiny_run, tmp_path_factory) -> Path:
    """The folder of a file of `tiny_run`. Read it, do not change it."""
    return exported(tiny_run, tmp_path_factory.mktemp("lite") / "float32")


@pytest.fixture(scope="module")
def its_run(tiny_run, lite, tmp_path_factory) -> Path:
    """A run folder with the export in it, as `--out=RUN/float32` leaves it."""
    folder = tmp_path_factory.mktemp("run") / "sst2"
    shutil.copytree(tiny_run, folder)
    shutil.copytree(lite, folder / "float32")
    return folder


def same(found: Any, expected: Any) -> None:
    """Equal but for rounding."""
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        for name, value in expected.items():
            same(found[name], value)
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            same(one, other)
    elif isinstance(expected, float):
        np.testing.assert_allclose(found, expected, atol=CLOSE)
    else:
        assert found == expected


def test_a_file_and_its_folder_answer_as_the_run_does(tiny_run, lite):
    run, by_file, by_folder = Pipeline(tiny_run), Pipeline(lite / "model_float32.tflite"), Pipeline(lite)
    expected = run(TEXTS)
    assert any("cut_tokens" in answer for answer in expected), "one of them is longer than a row"
    same(by_file(TEXTS), expected)
    same(by_folder(TEXTS), expected)
    same(by_file(TEXTS[0]), expected[0])
    assert by_file([]) == []
    assert repr(by_file).startswith("Pipeline(LiteModel, ")
    assert by_file.sequence_length == run.sequence_length
    no_texts: Any = ["good", 3]
    with pytest.raises(ValueError, match=r"`texts\[1\]` must be a text. Received: 3"):
        by_file(no_texts)


def test_the_commands_take_it_with_the_run(its_run, reviews, capsys):
    found = []
    for model in ([], ["--model=float32"], [f"--model={its_run / 'float32' / 'model_float32.tflite'}"]):
        predict.main([f"--run={its_run}", *model, "--text=a good film", "--text=bad", "--format=json"])
        found.append([json.loads(line) for line in capsys.readouterr().out.splitlines()])
    assert len(found[0]) == 2
    same(found[1], found[0])
    same(found[2], found[0])
    scores = []
    for model in ([], ["--model=float32"]):
        evaluate.main([f"--run={its_run}", *model, f"--data={reviews}"])
        scores.append(json.loads(capsys.readouterr().out)["metrics"])
    assert scores[0] == scores[1]


def test_what_there_is_no_model_of(its_run, lite, tmp_path):
    hint = rf"--model=int8: expected an exported model.* in {its_run}.*--out={its_run / 'int8'}"
    for command in (predict, evaluate):
        asked = ["--text=good"] if command is predict else []
        with pytest.raises(UserError, match=hint):
            command.main([f"--run={its_run}", "--model=int8", *asked])
    with pytest.raises(UserError, match=r"expected --run, or --task and --model. Received: --task"):
        evaluate.main(["--task=sst2"])
    alone = tmp_path / "model_float32.tflite"
    shutil.copy(lite / alone.name, alone)
    with pytest.raises(UserError, match=rf"{alone}: expected the other files of its export beside it, task.json"):
        Pipeline(alone)
    several = tmp_path / "several"
    shutil.copytree(lite, several)
    described = json.loads((several / "task.json").read_text())
    (one,) = described["models"]
    for models, message in (
        (
            [one, one | {"file": "model_int8.tflite"}],
            "expected a folder with one model, or the file of one. Received: ",
        ),
        ([one | {"takes": "text"}], "expected a model that takes tensors.*Received: one that takes text"),
    ):
        (several / "task.json").write_text(json.dumps(described | {"models": models}))
        with pytest.raises(UserError, match=message):
            Pipeline(several)
    short = {"sequence": described["sequence"] | {"max_length": 1}}
    (several / "task.json").write_text(json.dumps(described | short))
    with pytest.raises(UserError, match=r"task.json: expected a length that the task can have. Received: ValueError"):
        Pipeline(several)
    (several / "other.tflite").write_bytes(b"")
    with pytest.raises(UserError, match=r"expected one of the models that .*task.json describes. Received: another"):
        Pipeline(several / "other.tflite")
    for content in (b"no model", None):
        (several / "task.json").write_text(json.dumps(described))
        (several / one["file"]).unlink() if content is None else (several / one["file"]).write_bytes(content)
        with pytest.raises(UserError, match=r"model_float32.tflite: expected a TFLite file. Received: "):
            Pipeline(several)
    (several / "task.json").write_text("no JSON")
    with pytest.raises(UserError, match=r"task.json: expected JSON. Received: "):
        Pipeline(several)


def test_what_such_a_model_does_not_do(lite):
    pipeline = Pipeline(lite)
    with pytest.raises(UserError, match=r"explanations need the model itself.* Received: an exported one"):
        pipeline.explain("a good film")
    with pytest.raises(ValueError, match="says all of this itself"):
        Pipeline(lite, lowercase=False)
    other = Classification(source=pipeline.kind.source, text=("text",), label="label", classes=("a", "b", "c"),
                           sequence_length=8)  # fmt: skip
    with pytest.raises(UserError, match=r"expected a model of 3 outputs \(a, b, c\)"):
        Pipeline(lite, task=other)


def test_a_task_that_such_files_are_not_for(lite):
    asked = Retrieval(source=InMemory({}), prompt="query: ", sequence_length=8)
    with pytest.raises(UserError, match=r"model_float32.tflite: expected a task without a `prompt`.*'query: '"):
        Pipeline(lite, task=asked)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["tagging", "span_qa", "embedding", "retrieval", "multi_label", "regression"])
@pytest.mark.parametrize("batch", ["any", "one"])
def test_files_of_other_kinds_answer_as_the_run_does(tmp_path, kind, batch, caplog):
    folder = run_of(kind, tmp_path / "run")
    run = Pipeline(folder)
    out = exported(folder, tmp_path / "out", f"batch={batch}")
    with caplog.at_level(logging.WARNING):
        lite = Pipeline(out, task=run.kind)
    said = "gives less than its run: it has word_vectors=False"
    assert (said in caplog.text) == (kind == "embedding")
    if run.kind.serving.vector:
        np.testing.assert_allclose(lite.encode(TEXTS), run.encode(TEXTS), atol=CLOSE)
    if kind != "embedding":
        given = (TEXTS, CONTEXTS)[: len(run.kind.text_columns)]
        same(lite(*given), run(*given))


@pytest.mark.slow
@pytest.mark.parametrize(("format_name", "package"), [("onnx", "tf2onnx"), ("openvino", "openvino")])
def test_files_of_other_formats(tiny_run, tmp_path, format_name, package):
    pytest.importorskip(package)
    out = tmp_path / "out"
    export.main([f"--run={tiny_run}", f"--format={format_name}", f"--out={out}", "--no-timing", "--examples=3"])
    (path,) = [path for path in out.iterdir() if path.suffix in (".onnx", ".xml")]
    expected = Pipeline(tiny_run)(TEXTS)
    same(Pipeline(out)(TEXTS), expected)
    same(Pipeline(path)(TEXTS), expected)
