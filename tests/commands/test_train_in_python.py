"""`bert_tf.train(...)`: the command, as a function of Python."""

from __future__ import annotations

import dataclasses
import json
import logging
import random
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

import bert_tf
from bert_tf.config import RunConfig, TrainingConfig, read_config
from bert_tf.data import InMemory
from bert_tf.kinds import Classification
from tests.conftest import REPOSITORY

ROWS = [
    {"text": "a good film", "label": "good"},
    {"text": "bad, bad", "label": "bad"},
    {"text": "film", "label": "bad"},
]
FEW = {"max_steps": 2, "learning_rate": 0.01, "batch_examples": 2}


def of_rows(train: list[dict[str, str]], validation: list[dict[str, str]]) -> Classification:
    source = InMemory({"train": train, "validation": validation})
    return Classification(source=source, text=("text",), label="label", classes=("bad", "good"), sequence_length=16)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the library logged; TensorFlow remarks on new graphs, which several runs in a process do trace."""
    return [record.getMessage() for record in caplog.records if record.name.startswith("bert_tf")]


def weights(run: bert_tf.Run) -> dict[str, np.ndarray]:
    return load_file(run.folder / "model" / "model.safetensors")


@pytest.mark.slow
def test_it_does_what_the_command_does(tiny_model, reviews, tmp_path, capsys):
    given: dict[str, Any] = {"backbone": tiny_model, "data": reviews}
    run = bert_tf.train("sst2", **given, run=tmp_path / "python", training=FEW, settings={"data.sequence_length": 9})
    assert "step 2: accuracy" in capsys.readouterr().err
    flags = [f"--{name}={value}" for name, value in given.items()]
    flags += ["--set", "data.sequence_length=9", *(f"training.{name}={value}" for name, value in FEW.items())]
    bert_tf.train.main(["--task=sst2", *flags, f"--run={tmp_path / 'command'}"])
    printed = json.loads(capsys.readouterr().out)
    other = bert_tf.Run(tmp_path / "command", run.kind, printed)

    one, two = (read_config(each.folder / "config.toml") for each in (run, other))
    assert one == two
    assert (one.training.max_steps, one.data.sequence_length, one.task) == (2, 9, "sst2")
    assert json.loads((run.folder / "result.json").read_text()) == run.result
    assert (run.metrics, run.result["steps"]) == (printed["metrics"], 2)
    assert list(run.result) == list(printed)
    assert all(np.array_equal(array, weights(other)[name]) for name, array in weights(run).items())
    assert repr(run) == f"Run({str(run.folder)!r}: accuracy {run.metrics['accuracy']:.4f}, after 2 steps)"
    assert run.pipeline()("a good film") == bert_tf.Pipeline(tmp_path / "command")("a good film")
    assert run.pipeline() is run.pipeline()


class Mine(Classification):
    """A kind that no description can hold."""


@pytest.mark.slow
def test_folds_of_rows_in_memory(tiny_model, tmp_path, capsys):
    """Several runs in a process: each is what it is alone, whatever was trained before, in whatever way."""
    rows = ROWS * 4
    folds = [of_rows(rows[:i] + rows[i + 3 :], rows[i : i + 3]) for i in (0, 3)]
    mine = Mine(**{field.name: getattr(folds[1], field.name) for field in dataclasses.fields(folds[1])})
    other_way = {"strategy": "mirrored", "accumulation_steps": 2}
    asked: list[tuple[Classification, dict[str, Any]]] = [(folds[0], {}), (mine, other_way), (folds[0], {})]
    for module in (random, np.random):
        module.seed(5)
    drawn = (random.random(), np.random.random())  # noqa: NPY002 (what Keras seeds)
    for module in (random, np.random):
        module.seed(5)
    runs = [
        bert_tf.train(kind, backbone=tiny_model, run=tmp_path / str(i), training=FEW | way, progress=False)
        for i, (kind, way) in enumerate(asked)
    ]
    assert (random.random(), np.random.random()) == drawn  # noqa: NPY002
    assert capsys.readouterr().err == ""
    assert [run.result["strategy"] for run in runs] == ["one_device", "mirrored", "one_device"]
    assert runs[0].metrics == runs[2].metrics
    assert all(np.array_equal(array, weights(runs[2])[name]) for name, array in weights(runs[0]).items())
    assert any(not np.array_equal(array, weights(runs[1])[name]) for name, array in weights(runs[0]).items())
    answer = runs[0].pipeline()("good")
    assert answer == bert_tf.Pipeline(runs[0].folder)("good"), "the folder alone says what the task is"
    assert set(answer["probabilities"]) == {"bad", "good"}
    assert not (runs[1].folder / "task.json").exists(), "only its code says what such a kind is"
    assert type(runs[1].pipeline().kind) is Mine
    assert runs[1].pipeline()("good")["label"] in ("bad", "good")


@pytest.mark.slow
def test_the_same_folder_is_resumed_or_finished(tiny_model, tmp_path, caplog):
    kind = of_rows(ROWS, ROWS)
    given: dict[str, Any] = {"backbone": tiny_model, "run": tmp_path / "run", "progress": False}
    first = bert_tf.train(kind, training=FEW, **given)
    assert said(caplog) == []
    again = bert_tf.train(kind, training=TrainingConfig(max_steps=2, learning_rate=0.01, batch_examples=2), **given)
    assert again.result == first.result
    assert "holds this run, finished. To train again, give another `run` or delete the folder." in caplog.text
    longer = bert_tf.train(kind, training=FEW | {"max_steps": 4}, **given)
    assert longer.result["steps"] == 4
    steps = [json.loads(line)["step"] for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert steps.count(2) == 2, "what was done is not done again"
    with pytest.raises(
        bert_tf.UserError, match=r"^run=.*/run holds a run with other settings \(seed: there 1, asked 9\)"
    ):
        bert_tf.train(kind, training=FEW, seed=9, **given)


def test_a_recipe_may_be_an_object_and_reading_has_arguments(loop, reviews, tmp_path, caplog):
    recipe = RunConfig(task="sst2", backbone="tiny", training=TrainingConfig(**FEW))
    run = bert_tf.train(config=recipe, data=reviews, run=tmp_path / "run", skip_bad_rows=0.3, encoding="cp1252")
    config = read_config(run.folder / "config.toml")
    assert config == loop[0]["config"]
    assert (config.task, config.training.max_steps, config.training.learning_rate) == ("sst2", 2, 0.01)
    assert config.training.epochs > 3.0, "found from the number of examples"
    assert (config.data.skip_bad_rows, config.data.bad_rows_share, config.data.encoding) == (True, 0.3, "cp1252")
    assert said(caplog) == []


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({}, bert_tf.UserError, r"^`task` is needed\. There are: "),
        ({"task": "sst3"}, bert_tf.UserError, r"^unknown task 'sst3'\. Did you mean 'sst2'\?"),
        ({"task": "sst2", "data": "nowhere"}, bert_tf.UserError, r"^data=nowhere: expected a folder or file"),
        ({"task": "sst2", "data": "sample", "run": "/dev/null/x"}, bert_tf.UserError, r"^run=/dev/null/x: expected"),
        ({"task": "sst2", "training": {"epoch": 2}}, bert_tf.UserError, r"^`training`: .*mean 'training.epochs'"),
        ({"task": "sst2", "settings": {"seeed": 2}}, bert_tf.UserError, r"^`settings`: unknown key 'seeed'"),
        ({"task": "sst2", "seed": -1}, bert_tf.UserError, r"^`seed`: 'seed' must be .*Received: -1"),
        (
            {"task": "sst2", "training": {"epochs": 2}, "settings": {"training.epochs": 3}},
            ValueError, r"'training\.epochs' must be given once\. Received: in `settings` and in `training`",
        ),
        (
            {"task": of_rows(ROWS, ROWS)},
            bert_tf.UserError, r"^`run` is needed where `task` is an object",
        ),
        (
            {"task": of_rows(ROWS, ROWS), "run": "x", "data": "sample"},
            bert_tf.UserError, r"^data=sample: this task has no bundled sample",
        ),
    ],
)  # fmt: skip
def test_errors_name_the_argument_of_python(given, error, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=said):
        bert_tf.train(**given)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [], "nothing was begun"


def test_errors_of_readers_name_it_too(reviews, tmp_path):
    (reviews / "train.tsv").write_text("sentence\tlabel\na good film\t1\na\tb\tc\nbad\t0\n")
    with pytest.raises(bert_tf.UserError, match=r"say skip_bad_rows=0\.34$"):
        bert_tf.train("sst2", backbone="tiny", data=reviews, run=tmp_path / "run", skip_bad_rows=True)


def test_the_sample_is_said_where_nobody_asked_for_it(loop, tmp_path, caplog):
    bert_tf.train("sst2", run=tmp_path / "run")
    (record,) = [record for record in caplog.records if record.name.startswith("bert_tf")]
    assert record.getMessage().startswith("No `data`, and $BERT_TF_DATA is not set: using the small bundled sample")
    assert (record.name, record.levelno) == ("bert_tf.train", logging.WARNING)
    assert (loop[0]["is_sample"], loop[0]["progress"]) == (True, True)


NAMES = """
import importlib, sys
{first}
import bert_tf
from bert_tf.train import main, train as function
assert bert_tf.train is sys.modules["bert_tf.train"]
assert bert_tf.train.main is main and callable(bert_tf.train)
from bert_tf import train
assert train is bert_tf.train and train.train is function
importlib.reload(train)
for call in (bert_tf.train, train, function):
    try:
        call("sst3")
    except bert_tf.UserError as error:
        assert "Did you mean 'sst2'" in str(error), error
    else:
        raise AssertionError("no error")
assert not {{"tensorflow", "keras", "absl"}} & set(sys.modules)
import logging
names = ("", "bert_tf", "bert_tf.progress")
assert not [handler for name in names for handler in logging.getLogger(name).handlers]
"""


@pytest.mark.parametrize(
    "first",
    [
        "import bert_tf.train",
        "from bert_tf import train",
        "from bert_tf.train import main",
        "import bert_tf; bert_tf.train",
    ],
)
def test_the_name_is_a_module_and_a_function_in_any_order(first):
    done = subprocess.run(
        [sys.executable, "-c", NAMES.format(first=first)], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
