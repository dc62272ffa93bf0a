"""Whole runs in mixed precision: what is scored is the model that is trained, from before the first update on."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from bert_tf import evaluate
from bert_tf.kinds import Classification
from bert_tf.kinds.definitions import load_task
from bert_tf.models import BertBackbone, BertClassifier
from bert_tf.text import BertTokenizer
from tests.training.conftest import EXACT
from tests.training.test_loop import events, run, saved


@pytest.fixture(name="with_head", scope="module")
def with_head_fixture(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder laid out as `tiny`, whose backbone has a head already: an untrained model that can be scored."""
    folder = tmp_path_factory.mktemp("with_head")
    keras.utils.set_random_seed(11)
    backbone = BertBackbone.from_pretrained(tiny / "backbone")
    model = BertClassifier(backbone, 2, labels=("negative", "positive"))
    model.classifier.kernel.assign(np.random.default_rng(1).normal(size=(8, 2)))
    model.save_pretrained(folder / "backbone", BertTokenizer.from_pretrained(tiny / "backbone"))
    (folder / "data").symlink_to(tiny / "data")
    return folder


@pytest.mark.parametrize(
    "precision",
    ["mixed_bfloat16", *(pytest.param(name, marks=pytest.mark.slow) for name in ("float32", "mixed_float16"))],
)
def test_the_first_score_is_that_of_the_untrained_model(
    with_head: Path, tmp_path: Path, precision: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    scored = []
    measure = Classification.measure

    def noted(self, outputs, features, examples):
        scored.append(np.stack(outputs))
        return measure(self, outputs, features, examples)

    monkeypatch.setattr(Classification, "measure", noted)
    settings = {"training.precision": precision, "training.evaluate_first": True, "training.max_steps": 2}
    settings["evaluation.train_examples"] = 0  # or `measure` scores these too
    run(with_head, tmp_path / "run", {**EXACT, **settings})
    examples = load_task("sst2").read(str(with_head / "data"), "validation")
    tokenizer = BertTokenizer.from_pretrained(with_head / "backbone")
    for folder, found in ((with_head / "backbone", scored[0]), (tmp_path / "run" / "model", scored[-1])):
        model = BertClassifier.from_pretrained(folder)
        np.testing.assert_allclose(found, model(tokenizer(examples.texts)), atol=1e-5)

    evaluate.main(["--task=sst2", f"--model={with_head / 'backbone'}", f"--data={with_head / 'data'}"])
    untrained = json.loads(capsys.readouterr().out)["metrics"]
    first = events(tmp_path / "run")[0]
    assert (first["event"], first["step"]) == ("evaluation", 0)
    assert {name: first[name] for name in untrained} == untrained


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_a_whole_run_learns_as_in_float32(with_head: Path, tmp_path: Path, precision: str):
    settings = {**EXACT, "training.epochs": 6, "training.evaluate_every_steps": 4}
    exact = run(with_head, tmp_path / "exact", settings)
    found = run(with_head, tmp_path / "mixed", {**settings, "training.precision": precision})
    assert found["precision"] == precision
    losses = {
        name: [event["loss"] for event in events(tmp_path / name) if event["event"] == "train"][-1]
        for name in ("exact", "mixed")
    }
    assert losses["mixed"] == pytest.approx(losses["exact"], abs=0.05)
    assert found["metrics"]["accuracy"] == pytest.approx(exact["metrics"]["accuracy"], abs=0.12)
    assert {str(array.dtype) for array in saved(tmp_path / "mixed").values()} == {"float32"}
