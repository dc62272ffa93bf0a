"""A run as an object: its history, its scores, its mistakes and its answers."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import bert_tf
from bert_tf.errors import UserError
from bert_tf.inference.history import read_history

NOTES = """{"event": "train", "step": 10, "loss": 0.7, "learning_rate": 0.001}
{"event": "evaluation", "step": 10, "accuracy": 0.5, "validation_loss": 0.69, "train_metrics": {"accuracy": 0.6}}
{"event": "train", "step": 20, "loss": 0.4, "learning_rate": null}
{"event": "evaluation", "step": 20, "accuracy": 0.75, "validation_loss": 0.5}
{"event": "train", "step": 30, "lo"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory, tiny_run):
    """A run folder with a result, which `tiny_run` has not."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    folder.mkdir()
    (folder / "model").symlink_to(tiny_run / "model")
    (folder / "config.toml").symlink_to(tiny_run / "config.toml")
    (folder / "metrics.jsonl").write_text(NOTES)
    (folder / "result.json").write_text(json.dumps({"task": "sst2", "metrics": {"accuracy": 0.5}, "steps": 20}))
    return folder


@pytest.fixture(scope="module")
def run(finished):
    return bert_tf.Run(finished)


def test_history_is_a_table(run):
    history = run.history
    assert list(history["step"]) == [10, 20]  # the third line was cut off
    np.testing.assert_array_equal(history["loss"], [0.7, 0.4])
    np.testing.assert_array_equal(history["learning_rate"], [0.001, np.nan])
    np.testing.assert_array_equal(history["validation_accuracy"], [0.5, 0.75])
    np.testing.assert_array_equal(history["validation_loss"], [0.69, 0.5])
    np.testing.assert_array_equal(history["train_accuracy"], [0.6, np.nan])
    assert pd.DataFrame(history).shape == (2, 6)


def test_a_run_without_notes_has_no_history(tmp_path):
    assert read_history(tmp_path) == {}


def test_scores_mistakes_and_answers_are_of_the_same_model(run):
    scores = run.evaluate()
    mistakes = run.mistakes(None)
    count = len(run.kind.read("sample", "validation"))
    assert scores["accuracy"] == pytest.approx(1 - len(mistakes) / count)
    assert 0 < len(mistakes) < count
    assert [row["confidence"] for row in mistakes] == sorted((row["confidence"] for row in mistakes), reverse=True)
    first = mistakes[0]
    assert first["answered"] != first["expected"]
    assert run.predict(first["sentence"])["label"] == first["answered"]
    assert len(run.mistakes(3)) == 3
    table = pd.DataFrame(run.mistakes(3))
    assert list(table) == ["number", "sentence", "expected", "answered", "confidence"]


def test_other_data(run, reviews):
    examples = run.kind.read(str(reviews), "validation")
    assert len(run.diagnose(reviews).rows) == len(examples)
    with pytest.raises(UserError, match="nowhere"):
        run.evaluate(reviews / "nowhere")


def test_what_a_notebook_shows_is_escaped(run, tmp_path):
    other = bert_tf.Run(tmp_path / "<b>", run.kind, {"steps": 5, "metrics": {"<i>": None}})
    shown = other._repr_html_()
    assert "&lt;b&gt;" in shown
    assert "&lt;i&gt;" in shown
    assert "<b>" not in shown
    assert "undefined" in shown
    assert "0.5000" in run._repr_html_()


@pytest.mark.parametrize(
    ("missing", "came"), [("result.json", "expected a finished run"), ("config.toml", "a folder without one")]
)
def test_what_is_no_finished_run_is_said(finished, tmp_path, missing, came):
    folder = tmp_path / "run"
    folder.mkdir()
    for path in finished.iterdir():
        if path.name != missing:
            (folder / path.name).symlink_to(path)
    with pytest.raises(UserError, match=came):
        bert_tf.Run(folder)
    with pytest.raises(UserError, match="nowhere"):
        bert_tf.Run(tmp_path / "nowhere")
