"""Heads that are solved for, in a run: what is left behind, what is refused, and settings found from the examples."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from safetensors.numpy import load_file

import bert_tf
from bert_tf import weights
from bert_tf.config import override_layer, read_config, resolve
from bert_tf.data import InMemory
from bert_tf.errors import Stopped, UserError
from bert_tf.kinds import Classification, Regression, SpanQA, Tagging
from bert_tf.training import loop
from tests.training.test_loop import run

FROZEN = {"training.mode": "frozen"}


@pytest.fixture(scope="module")
def frozen(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("frozen") / "run"
    run(tiny, folder, FROZEN)
    return folder


def test_a_frozen_run_leaves_a_whole_model(tiny: Path, frozen: Path):
    result = json.loads((frozen / "result.json").read_text())
    assert (result["steps"], result["kept_step"]) == (0, 0)
    assert result["head"]["strength"] > 0
    assert result["head_seconds"] > 0
    before, after = (
        load_file(tiny / "backbone" / "model.safetensors"),
        load_file(frozen / "model" / "model.safetensors"),
    )
    after = {name.removeprefix("bert."): value for name, value in after.items()}
    before = {name.removeprefix("bert."): value for name, value in before.items()}
    kept = [name for name in before if name in after and "pooler" not in name]
    assert len(kept) > 10
    for name in kept:
        np.testing.assert_array_equal(before[name], after[name])
    layers = json.loads((tiny / "backbone" / "config.json").read_text())["num_hidden_layers"]
    assert json.loads((frozen / "model" / "config.json").read_text())["num_hidden_layers"] == layers + 1
    pipeline = bert_tf.Pipeline(frozen / "model")
    assert pipeline(["good film"])[0]["label"] in ("negative", "positive")


@pytest.mark.slow
def test_a_frozen_run_that_was_stopped_resumes_without_solving_again(
    tiny: Path, frozen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def stopped(*arguments: object) -> NoReturn:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(loop, "solve_head_as_asked", stopped)
        with pytest.raises(Stopped, match=r"^stopped\. There is no checkpoint of its head yet; .* begins again$"):
            run(tiny, tmp_path / "run", FROZEN)
    with monkeypatch.context() as patch:
        patch.setattr(loop.Loop, "watch", stopped)
        with pytest.raises(Stopped, match=r"^stopped\. Its head is in a checkpoint; the same command resumes from"):
            run(tiny, tmp_path / "run", FROZEN)
    monkeypatch.setattr(loop, "solve_head_as_asked", stopped)
    run(tiny, tmp_path / "run", FROZEN)
    assert "step" not in capsys.readouterr().err.split("resuming from ")[1].splitlines()[0]
    resumed, whole = (json.loads((folder / "result.json").read_text()) for folder in (tmp_path / "run", frozen))
    for name in ("metrics", "head", "kept_step", "steps"):
        assert resumed[name] == whole[name], name
    files = [load_file(folder / "model" / "model.safetensors") for folder in (tmp_path / "run", frozen)]
    for name, value in files[1].items():
        np.testing.assert_array_equal(files[0][name], value, err_msg=name)


def test_head_first_keeps_what_frozen_ends_with_before_anything_is_trained(
    tiny: Path, frozen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def stopped(*arguments: object) -> NoReturn:
        raise KeyboardInterrupt

    settings = {"training.mode": "head_first", "training.max_steps": 1}
    with monkeypatch.context() as patch:
        patch.setattr(loop.Loop, "take_steps", stopped)
        with pytest.raises(
            Stopped, match=r"^stopped at step 0 of 1\. The last checkpoint is of step 0; .* resumes from"
        ):
            run(tiny, tmp_path / "run", settings)
    files = [load_file(folder / "model" / "model.safetensors") for folder in (tmp_path / "run", frozen)]
    for name, value in files[1].items():
        np.testing.assert_array_equal(files[0][name], value, err_msg=name)
    monkeypatch.setattr(loop, "solve_head_as_asked", stopped)
    result = run(tiny, tmp_path / "run", settings)  # which does not solve again
    assert (result["steps"], result["head"]) == (1, json.loads((frozen / "result.json").read_text())["head"])
    first = json.loads((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[0])
    assert first["step"] == 0
    assert first["accuracy"] == json.loads((frozen / "result.json").read_text())["metrics"]["accuracy"]


def test_a_head_is_solved_for_unasked_only_where_none_is_lost(
    tiny: Path, frozen: Path, monkeypatch: pytest.MonkeyPatch
):
    texts, numbers = {"text": ("text",), "sequence_length": 8}, {"label": "score", "sequence_length": 8}
    kind = Classification(source=InMemory({}), label="label", classes=("n", "y"), **texts)
    pair = Regression(source=InMemory({}), text=("a", "b"), **numbers)
    for asked, backbone, settings, can in (
        (kind, tiny / "backbone", (), True),
        (kind, frozen / "model", (), False),  # it has one, which is trained on
        (kind, "tiny", (), False),  # random weights say nothing of a text
        (kind, tiny / "backbone", ("training.label_smoothing=0.1",), True),
        (pair, tiny / "backbone", (), False),
    ):
        config = resolve([override_layer(["task=t", f"backbone={backbone}", *settings])])
        assert asked.can_solve_head(config) is can, (backbone, settings)
    found = weights.load(tiny / "backbone")
    impossible = dataclasses.replace(found, config={**found.config, "num_heads": 7})
    monkeypatch.setattr(weights, "load", lambda *_, **__: impossible)
    config = resolve([override_layer(["task=t", f"backbone={tiny / 'backbone'}"])])
    assert not kind.can_solve_head(config)  # which is said where the model is built


@pytest.mark.slow
def test_a_tagger_is_solved_for_on_its_words(tiny: Path, tmp_path: Path):
    rows = [{"words": ["a", word], "tags": ["O", tag]} for word, tag in (("film", "B-X"), ("good", "O"))] * 4
    kind = Tagging(source=InMemory({"train": rows, "validation": rows}), types=("X",), sequence_length=8)
    where = {"backbone": tiny / "backbone", "run": tmp_path / "run", "progress": False}
    done = bert_tf.train(kind, training={"mode": "frozen"}, **where)
    assert (done.result["steps"], done.metrics["f1"]) == (0, 1.0)
    assert done.result["head"]["held_out_loss"] < 0.5
    before, after = (
        load_file(folder / "model.safetensors") for folder in (tiny / "backbone", tmp_path / "run" / "model")
    )
    for name, value in after.items():
        if not name.startswith("classifier."):
            kept = before.get(name, before.get(name.removeprefix("bert.")))
            np.testing.assert_array_equal(value, kept)
    assert bert_tf.Pipeline(tmp_path / "run" / "model")("a film")["entities"][0]["text"] == "film"


def test_what_has_no_such_head_is_refused(tiny: Path, tmp_path: Path):
    row = {"question": "good?", "context": "a film", "answers": {"text": ["film"], "answer_start": [2]}}
    kind = SpanQA(source=InMemory({"train": [row], "validation": [row]}), sequence_length=8)
    where = {"backbone": tiny / "backbone", "run": tmp_path / "run", "progress": False}
    with pytest.raises(UserError, match=r"'training.mode' = \"frozen\" is for .*Received: SpanQA"):
        bert_tf.train(kind, training={"mode": "frozen"}, **where)
    with pytest.raises(UserError, match=r"label_smoothing.*Received: 0.1"):
        run(tiny, tmp_path / "smooth", {**FROZEN, "training.label_smoothing": 0.1})


@pytest.mark.slow
def test_settings_are_found_written_and_kept_on_resume(
    tiny: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
):
    rows = [{"text": "good film", "label": "yes"}, {"text": "bad film", "label": "no"}]
    kind = Classification(source=InMemory({"train": rows * 3, "validation": rows}), text=("text",), label="label",
                          classes=("no", "yes"), sequence_length=8)  # fmt: skip
    asked = {"backbone": tiny / "backbone", "run": tmp_path / "run", "training": {"max_steps": 2}}
    head = bert_tf.train(kind, **{**asked, "run": tmp_path / "head"}).result["head"]
    assert head["strength"] > 0  # few examples
    assert read_config(tmp_path / "head" / "config.toml").training.mode == "head_first"
    asked["training"]["mode"] = "fine_tune"
    done = bert_tf.train(kind, **asked)
    config = read_config(tmp_path / "run" / "config.toml").training
    assert (config.meant_for_examples, config.max_steps, config.batch_examples) == (6, 2, 16)
    assert config.learning_rate == 5e-4  # the backbone is narrow
    assert "settings for 6 training examples: 2 updates" in capsys.readouterr().err
    assert "only 2 updates were taken" in caplog.text
    assert any("only 2 updates" in line for line in done.result["warnings"])
    assert bert_tf.train(kind, **asked).result == done.result  # finished: the same settings are found
