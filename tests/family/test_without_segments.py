"""A member without segments, DistilBERT: pairs that [SEP] alone tells apart, in training and in exports."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from safetensors.numpy import load_file

import bert_tf
from bert_tf import export
from bert_tf.config import override_layer, resolve
from bert_tf.data import InMemory
from bert_tf.kinds import Classification
from bert_tf.models.pretrained import save_model
from bert_tf.runtimes.tflite import LiteFile
from bert_tf.training.loop import train
from tests.exporting.runs import run_of
from tests.models.members import SHAPES
from tests.training.tiny_run import SPECIAL, WORDS

SHAPE = SHAPES["distilbert"]
TEXTS, PAIRS = ["good film", "who was there", "bad"], ["a bad film", "not a good start", "good"]


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
def test_a_saved_model_and_a_tflite_file_take_pairs_and_whatever_segments(tmp_path, capsys):
    run = run_of("rejecting", tmp_path / "run", shape=SHAPE)
    pipeline = bert_tf.Pipeline(run)
    inputs = dict(pipeline.tokenizer(TEXTS, PAIRS, max_length=16, padding="max_length"))
    assert np.asarray(inputs["segment_ids"]).max() == 1
    expected = np.asarray(pipeline.model(inputs))
    flags = [f"--run={run}", "--examples=3", "--no-timing"]
    capsys.readouterr()
    export.main([*flags, "--format=saved_model", f"--out={tmp_path / 'saved'}"])
    served = tf.saved_model.load(json.loads(capsys.readouterr().out)["out"])
    for segments in (inputs["segment_ids"], tf.zeros_like(inputs["segment_ids"])):
        found = served.signatures["tensors"](**inputs | {"segment_ids": segments})
        np.testing.assert_allclose(found["logits"], expected, atol=1e-5)
    export.main([*flags, "--format=tflite", f"--out={tmp_path / 'lite'}"])
    lite = LiteFile(tmp_path / "lite" / "model_float32.tflite")
    names = {detail["name"] for detail in lite.inputs}
    assert names == {"ids", "mask", "segment_ids"}  # as MediaPipe asks for, though the third says nothing
    wanted = np.exp(expected) / np.exp(expected).sum(axis=-1, keepdims=True)
    for segments in (inputs["segment_ids"], np.zeros_like(inputs["segment_ids"])):
        columns = {"ids": inputs["token_ids"], "mask": inputs["padding_mask"], "segment_ids": segments}
        rows = [lite({name: np.asarray(x)[i : i + 1] for name, x in columns.items()}) for i in range(len(TEXTS))]
        np.testing.assert_allclose(np.concatenate([row["probability"] for row in rows]), wanted, atol=1e-5)
