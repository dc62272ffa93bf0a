"""Numbers of any size are learnt alike, and a trained head keeps its answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.config import RunConfig
from bert_tf.data import InMemory, replica_batches
from bert_tf.errors import UserError
from bert_tf.kinds import Classification, Regression
from bert_tf.kinds.outputs import Outputs
from bert_tf.models import BertClassifier
from bert_tf.training.setup import Setup, set_up

TEXTS = ["a good film", "a bad film", "good", "bad", "a film", "the good", "the bad", "a"]
NUMBERS = np.array([3.0, -1.0, 2.5, -2.0, 0.5, 2.0, -1.5, 0.0])


def made(tiny_model: Path, folder: Path, numbers: np.ndarray, **training: Any) -> Setup:
    rows = [{"text": text, "value": float(number)} for text, number in zip(TEXTS, numbers, strict=True)]
    source = InMemory({"train": rows, "validation": rows})
    kind = Regression(source=source, text=("text",), label="value", sequence_length=8)
    options = {
        "learning_rate": 1e-2,
        "warmup_steps": 0,
        "batch_examples": 4,
        "max_steps": 6,
        "standardize_numbers": True,
    }
    settings = {"task": "own", "backbone": str(tiny_model), "training": {**options, **training}}
    settings["model"] = {"hidden_dropout": 0.0, "attention_dropout": 0.0}
    return set_up(RunConfig.model_validate(settings), kind, folder, data="own")


def trained(setup: Setup) -> np.ndarray:
    """Its answers after four updates."""
    source = replica_batches(setup.trained.features["train"], setup.epochs, start=0, replicas=1, replica_range=(0, 1))
    for _ in range(4):
        setup.step({name: tf.convert_to_tensor(value) for name, value in next(source).items()})
    return answers(setup)


def answers(setup: Setup) -> np.ndarray:
    """float32 [E], of the examples in order."""
    return np.stack(Outputs(setup.trained.precise, setup.trained.features["train"], batch_examples=8)())[:, 0]


def test_numbers_in_other_units_are_learnt_alike(tiny_model, tmp_path):
    small = trained(made(tiny_model, tmp_path / "small", 0.001 * NUMBERS - 1)) * 1000 + 1000
    large = trained(made(tiny_model, tmp_path / "large", 1000 * NUMBERS + 50_000))
    np.testing.assert_allclose((large - 50_000) / 1000, small, atol=1e-2)
    assert np.ptp(small) > 0.1


def test_a_new_head_begins_at_the_mean_and_a_trained_one_where_it_was(tiny_model, tmp_path):
    new = made(tiny_model, tmp_path / "new", 1000 * NUMBERS + 50_000)
    np.testing.assert_allclose(answers(new), 50_000 + 1000 * NUMBERS.mean(), rtol=0.05)
    model = BertClassifier.from_pretrained(tiny_model, num_classes=1, problem="regression")
    model.classifier.bias.assign([40_000.0])
    model.save_pretrained(tmp_path / "model", new.tokenizer)
    again = made(tmp_path / "model", tmp_path / "again", 1000 * NUMBERS + 50_000)
    ids = new.tokenizer(TEXTS)
    np.testing.assert_allclose(answers(again), np.array(model(ids))[:, 0], rtol=1e-4)


def test_classes_have_no_mean(tiny_model, tmp_path):
    rows = [{"text": "a", "label": "yes"}, {"text": "b", "label": "no"}]
    source = InMemory({"train": rows, "validation": rows})
    kind = Classification(source=source, text=("text",), label="label", classes=("no", "yes"), sequence_length=8)
    settings = {"task": "own", "backbone": str(tiny_model), "training": {"standardize_numbers": True}}
    with pytest.raises(UserError, match=r"'training.standardize_numbers' is for tasks of numbers. Received: Classific"):
        set_up(RunConfig.model_validate(settings), kind, tmp_path / "run", data="own")
