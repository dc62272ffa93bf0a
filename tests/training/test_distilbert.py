"""DistilBERT and other members in training: the same loop, on pairs that [SEP] alone tells apart."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

import bert_tf
from bert_tf.config import override_layer, read_config, read_layer, resolve
from bert_tf.data import InMemory
from bert_tf.kinds import Classification
from bert_tf.kinds.definitions import load_task
from bert_tf.models.pretrained import save_model
from bert_tf.training.loop import train
from bert_tf.weights.members import MEMBERS
from tests.exporting.runs import KINDS, run_of
from tests.models.members import EVERY_KIND, SHAPES, of_member
from tests.training.tiny_run import SPECIAL, WORDS

SHAPE = SHAPES["distilbert"]


@pytest.fixture(name="backbone")
def backbone_fixture(tmp_path: Path) -> Path:
    vocabulary = [*SPECIAL, *WORDS]
    config = bert_tf.BertConfig(
        vocabulary_size=len(vocabulary), hidden_dim=8, num_layers=2, num_heads=2, intermediate_dim=16, max_positions=32,
        initializer_range=0.3, **SHAPE,
    )  # fmt: skip
    save_model(bert_tf.BertBackbone(config), tmp_path / "backbone", bert_tf.BertTokenizer(vocabulary))
    return tmp_path / "backbone"


@pytest.mark.slow
def test_a_task_of_pairs_is_learned_and_saved_as_what_it_was(backbone, tmp_path, caplog):
    """Whether "good" stands in the second text; in packed rows."""
    rng = np.random.default_rng(3)
    rows: dict[str, list[str]] = {"text": [], "pair": [], "label": []}
    for i in range(64):
        others = rng.choice([word for word in WORDS if word != "good"], size=4).tolist()
        rows["text"].append(" ".join(others[:2]))
        rows["pair"].append(" ".join([others[2], "good" if i % 2 else others[3]]))
        rows["label"].append("yn"[i % 2])
    task = Classification(
        source=InMemory({"train": rows, "validation": rows}), text=("text", "pair"), label="label",
        classes=("n", "y"), sequence_length=12,
    )  # fmt: skip
    settings = {"training.epochs": 6, "training.batch_examples": 16, "training.learning_rate": 0.02}
    settings |= {"data.batching": '"packed"', "data.pack_length": 32, "model.hidden_dropout": 0.0}
    given = [f"{key}={value}" for key, value in settings.items()]
    config = resolve([override_layer(["task=sst2", f"backbone={backbone}", *given])])
    (tmp_path / "run").mkdir()
    with caplog.at_level(logging.WARNING):
        result: dict[str, Any] = train(config, task, tmp_path / "run", data="own", progress=False)
    assert "has no weights for pooler/dense/kernel" in caplog.text  # the head's, which a bare DistilBERT has not
    assert result["metrics"]["accuracy"] > 0.95
    model = tmp_path / "run" / "model"
    raw = json.loads((model / "config.json").read_text())
    assert (raw["model_type"], raw["architectures"]) == ("distilbert", ["DistilBertForSequenceClassification"])
    tensors = load_file(model / "model.safetensors")
    assert "pre_classifier.weight" in tensors
    assert "distilbert.transformer.layer.1.ffn.lin2.bias" in tensors
    assert not [name for name in tensors if "token_type" in name or "pooler" in name]
    answers = bert_tf.Pipeline(model, task=task)(rows["text"], rows["pair"])
    right = [answer["label"] == label for answer, label in zip(answers, rows["label"], strict=True)]
    assert np.mean(right) == pytest.approx(result["metrics"]["accuracy"])


@pytest.mark.slow
@pytest.mark.parametrize(("member", "kind"), [*(("distilbert", kind) for kind in KINDS), *EVERY_KIND])
def test_every_kind_trains_on_it(tmp_path, member, kind):
    made = run_of(kind, tmp_path / "made", **of_member(member))
    settings = ["training.max_steps=2", "training.batch_examples=2", "data.sequence_length=80"]
    found = read_config(made / "config.toml")
    config = resolve([read_layer(made / "config.toml"), override_layer(settings)])
    task = load_task(config.task)
    (tmp_path / "run").mkdir()
    result = train(config, task, tmp_path / "run", data=found.data.source or "own", progress=False)
    assert result["steps"] == 2
    raw = json.loads((tmp_path / "run" / "model" / "config.json").read_text())
    assert raw["model_type"] == member
    assert raw["architectures"][0].startswith(MEMBERS[member].prefix)
