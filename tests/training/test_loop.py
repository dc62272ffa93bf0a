"""What a run leaves behind, when it stops, and that leaving tokens out of training changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from bert_tf.config import Layer, override_layer, resolve
from bert_tf.errors import UserError
from bert_tf.kinds import Classification
from bert_tf.kinds.definitions import load_task
from bert_tf.models import BertClassifier
from bert_tf.text import BertTokenizer
from bert_tf.training.loop import train
from bert_tf.training.trimmed_vocabulary import TrimmedVocabulary
from tests.training.conftest import EXACT, assert_same_weights


def run(tiny: Path, folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    layers = [
        Layer(origin="test", values={"task": "sst2", "backbone": str(tiny / "backbone")}),
        override_layer([f"{key}={json.dumps(value)}" for key, value in settings.items()]),
    ]
    folder.mkdir(exist_ok=True)
    return train(resolve(layers), load_task("sst2"), folder, data=str(tiny / "data"))


def saved(folder: Path) -> dict[str, np.ndarray]:
    return load_file(folder / "model" / "model.safetensors")


def events(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_a_run_folder(tiny: Path, tmp_path: Path):
    found = run(tiny, tmp_path / "run", {**EXACT, "training.keep": "best", "training.evaluate_every_steps": 4})
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result == found
    assert result["task"] == "sst2"
    assert result["data"] == str(tiny / "data")
    assert result["train_examples"] == 45
    assert 0 < result["padding_share"] < 0.5
    assert result["train_tokens_per_second"] > result["train_examples_per_second"] > 0
    assert result["peak_memory_bytes"] > 1e7
    assert result["versions"]["tensorflow"].startswith("2.")

    evaluations = {
        event["step"]: event["accuracy"] for event in events(tmp_path / "run") if event["event"] == "evaluation"
    }
    assert sorted(evaluations) == [*range(4, result["steps"], 4), result["steps"]]
    assert result["metrics"]["accuracy"] == max(evaluations.values()) == evaluations[result["kept_step"]]
    for kind in ("train", "validation"):
        assert list((tmp_path / "run" / "tensorboard" / kind).glob("events.*"))

    # The folder is a model that anyone can load, and its tokens are all there.
    model = BertClassifier.from_pretrained(tmp_path / "run" / "model")
    tokenizer = BertTokenizer.from_pretrained(tmp_path / "run" / "model")
    assert model.labels == ("negative", "positive")
    assert model.config.vocabulary_size == tokenizer.vocabulary_size == 27


@pytest.mark.slow
def test_an_evaluation_that_failed_is_made_up_for(tiny: Path, tmp_path: Path, monkeypatch):
    settings = {**EXACT, "training.evaluate_every_steps": 4, "training.max_steps": 8}
    run(tiny, tmp_path / "whole", settings)

    def out_of_memory(*arguments):
        raise MemoryError("in an evaluation")

    for _ in range(2):  # of the fourth step, again when the run goes on
        with monkeypatch.context() as patch:
            patch.setattr(Classification, "measure", out_of_memory)
            with pytest.raises(MemoryError, match="in an evaluation"):
                run(tiny, tmp_path / "failed", settings)
        assert [path.name for path in (tmp_path / "failed" / "checkpoints").iterdir()] == ["ckpt-4"]
    run(tiny, tmp_path / "failed", settings)
    found, wanted = (
        [(event["event"], event["step"], event.get("accuracy")) for event in events(tmp_path / name)]
        for name in ("failed", "whole")
    )
    assert sorted(found) == sorted(wanted)
    assert_same_weights(saved(tmp_path / "failed"), saved(tmp_path / "whole"))


def test_the_best_weights_are_kept(tiny: Path, tmp_path: Path):
    settings = {**EXACT, "training.evaluate_every_steps": 1, "training.max_steps": 6, "training.learning_rate": 0.1}
    best = run(tiny, tmp_path / "best", {**settings, "training.keep": "best"})
    last = run(tiny, tmp_path / "last", {**settings, "training.keep": "last"})
    assert best["kept_step"] < best["steps"] == last["kept_step"]  # or the test shows nothing
    assert best["metrics"]["accuracy"] > last["metrics"]["accuracy"]
    examples = load_task("sst2").read(str(tiny / "data"), "validation")
    tokenizer = BertTokenizer.from_pretrained(tmp_path / "best" / "model")
    for name, found in (("best", best), ("last", last)):
        model = BertClassifier.from_pretrained(tmp_path / name / "model")
        predicted = np.argmax(model(tokenizer(examples.texts)), axis=-1)
        assert np.mean(predicted == examples.labels) == pytest.approx(found["metrics"]["accuracy"])


def test_training_stops_when_nothing_gets_better(tiny: Path, tmp_path: Path):
    settings = {
        "training.learning_rate": 1e-12,
        "training.evaluate_every_steps": 2,
        "training.early_stopping_patience": 3,
    }
    result = run(tiny, tmp_path / "run", {**EXACT, **settings, "training.epochs": 50})
    assert result["steps"] == 2 + 3 * 2


def test_a_loss_that_is_not_a_number_stops_the_run(tiny: Path, tmp_path: Path):
    settings = {
        **EXACT,
        "training.warmup_steps": 3,
        "training.checkpoint_every_steps": 1,
        "training.learning_rate": 1e37,
        "training.rollbacks": 0,
    }
    with pytest.raises(UserError, match=r"step \d+: the loss is (nan|inf)") as error:
        run(tiny, tmp_path / "run", settings)
    assert not (tmp_path / "run" / "result.json").exists()
    # The checkpoint that the error names is there, and holds weights that are numbers.
    path = str(error.value).split("Last good checkpoint: ")[1].split(". ")[0]
    import tensorflow as tf

    reader = tf.train.load_checkpoint(f"{path}/weights")
    names = [name for name in reader.get_variable_to_shape_map() if name.startswith("weights/")]
    assert names
    assert all(np.isfinite(reader.get_tensor(name)).all() for name in names)


@pytest.mark.parametrize(
    "setting",
    [
        "training.layer_decay",
        *(pytest.param(f"training.{name}", marks=pytest.mark.slow) for name in ("label_smoothing", "class_weights")),
    ],
)
def test_settings_reach_the_weights(tiny: Path, tmp_path: Path, setting: str):
    value = {"training.label_smoothing": 0.3, "training.class_weights": [1.0, 5.0], "training.layer_decay": 0.3}[
        setting
    ]
    settings = {**EXACT, "training.max_steps": 3, "training.warmup_steps": 0}
    run(tiny, tmp_path / "plain", settings)
    run(tiny, tmp_path / "set", {**settings, setting: value})
    plain, other = saved(tmp_path / "plain"), saved(tmp_path / "set")
    assert max(np.abs(plain[name] - other[name]).max() for name in plain) > 1e-4


def test_tokens_left_out_of_training_change_nothing(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    settings = {**EXACT, "training.weight_decay": 0.5}
    run(tiny, tmp_path / "trimmed", settings)
    kept = []

    def keep_all(size: int, *used: object, **_: object) -> TrimmedVocabulary:
        kept.append(size)
        return TrimmedVocabulary(np.arange(size), size)

    monkeypatch.setattr(TrimmedVocabulary, "of", keep_all)
    run(tiny, tmp_path / "whole", settings)
    assert kept == [27]
    trimmed = saved(tmp_path / "trimmed")
    assert_same_weights(trimmed, saved(tmp_path / "whole"), tolerance=2e-6)
    # Unused rows were decayed, or the comparison would show nothing.
    before = load_file(tiny / "backbone" / "model.safetensors")["embeddings.word_embeddings.weight"]
    assert np.abs(before[-8:] - trimmed["bert.embeddings.word_embeddings.weight"][-8:]).max() > 1e-2


def test_packed_and_single_rows_have_the_same_first_loss(tiny: Path, tmp_path: Path):
    # One batch holds the whole set, so that packing is all that differs.
    settings = {**EXACT, "training.batch_examples": 45, "training.max_steps": 1}
    losses = {}
    for batching in ("packed", "bucketed"):
        chosen = {key: value for key, value in settings.items() if batching == "packed" or key != "data.pack_length"}
        run(tiny, tmp_path / batching, {**chosen, "data.batching": batching, "training.batch_examples": 60})
        losses[batching] = next(event["loss"] for event in events(tmp_path / batching) if event["event"] == "train")
    assert losses["packed"] == pytest.approx(losses["bucketed"], abs=1e-5)
