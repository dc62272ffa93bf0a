"""What only a MobileBERT has: neighbours in its embeddings, narrow blocks, no norms, and maybe no pooler."""

from __future__ import annotations

import logging
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

import bert_tf
from bert_tf.config import override_layer, resolve
from bert_tf.data import InMemory
from bert_tf.errors import UserError
from bert_tf.inference.pipeline import Pipeline
from bert_tf.kinds import Classification
from bert_tf.kinds.definitions import load_task
from bert_tf.models import weights_by_path
from tests.models.test_family import GOLDEN, PAIRS, TEXTS, config_of, inputs_of, model_of, packed, truth_of

NAMES = ("token_ids", "segment_ids")


def tokenizer_of(folder: Path) -> bert_tf.BertTokenizer:
    return bert_tf.BertTokenizer.from_pretrained(folder)


@pytest.fixture(scope="module", name="golden")
def golden_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mobilebert")
    with zipfile.ZipFile(GOLDEN / "mobilebert.zip") as archive:
        archive.extractall(folder)
    return folder


def test_padding_behind_a_text_is_seen_as_in_transformers_and_not_where_texts_come_in(golden, tmp_path):
    """Answers to texts are those of each text alone, whatever they are in a batch with."""
    folder = golden / "classifier"
    truth = truth_of(folder)
    inputs, alone = inputs_of(truth), truth["alone/logits"]
    model = model_of(folder, "classifier")
    lengths = inputs["padding_mask"].sum(axis=1)
    differs = np.abs(truth["logits"] - alone).max(axis=1)
    assert (differs[lengths < lengths.max()] > 1e-4).all()
    assert differs[lengths == lengths.max()].max() < 1e-5
    rows = [{name: x[i : i + 1, :length] for name, x in inputs.items()} for i, length in enumerate(lengths)]
    np.testing.assert_allclose(np.concatenate([model(row) for row in rows]), alone, atol=1e-5)
    real = inputs["padding_mask"].astype(bool)
    together = packed(*([x[mask] for x, mask in zip(inputs[name], real, strict=True)] for name in NAMES))
    np.testing.assert_allclose(model(together)[0, :3], alone, atol=1e-5)
    blind = model_of(folder, "classifier", preprocessor=bert_tf.BertPreprocessor(tokenizer_of(folder)))
    np.testing.assert_allclose(blind(inputs), alone, atol=1e-5)
    np.testing.assert_allclose(model(inputs), truth["logits"], atol=1e-5)  # a model of its own is as it was


@pytest.mark.slow
def test_a_text_has_one_answer_in_whatever_batch(golden):
    pipeline, alone = Pipeline(golden / "classifier"), truth_of(golden / "classifier")["alone/logits"]
    theirs = np.exp(alone) / np.exp(alone).sum(axis=1, keepdims=True)
    for answer, expected in zip(pipeline(TEXTS, PAIRS), theirs, strict=True):
        np.testing.assert_allclose(list(answer["probabilities"].values()), expected, atol=1e-6)


def test_a_mobilebert_that_tells_pairs_alone_is_read(golden, caplog):
    folder = golden / "next_sentence"
    truth = truth_of(folder)
    inputs = inputs_of(truth)
    with caplog.at_level(logging.WARNING):
        model = bert_tf.BertPretrainer.from_pretrained(folder)
    assert "has no weights for masked_lm/" in caplog.text
    found = model.compute(inputs, pair_labels=truth["labels"])
    np.testing.assert_allclose(found["pair_logits"], truth["logits"], atol=1e-5)
    np.testing.assert_allclose(found["loss"], truth["loss"], rtol=1e-5)


def test_without_a_pooler_heads_see_the_first_token_itself(golden):
    folder = golden / "regression"
    model, inputs = model_of(folder, "regression"), inputs_of(truth_of(folder))
    outputs = model.backbone(inputs)
    np.testing.assert_array_equal(outputs["pooled_output"], outputs["sequence_output"][:, 0])
    assert not [path for path in weights_by_path(model) if path.startswith("pooler/")]
    again = bert_tf.BertClassifier(model.config, 2)
    assert not [path for path in weights_by_path(again) if path.startswith("pooler/")]


def test_epsilons_are_those_that_transformers_does_not_ask_its_config_for(golden):
    backbone = model_of(golden / "tagger", "tagger").backbone
    assert backbone.config.layer_norm_epsilon == 1e-12
    assert (backbone.embeddings.norm.epsilon, backbone.blocks[0].feed_forward_norm.epsilon) == (1e-5, 1e-5)
    assert backbone.blocks[0].attention_norm.epsilon == 1e-12


def test_a_task_that_writes_refuses_a_model_that_sees_what_comes_next(golden):
    asked = override_layer(["task=multi30k_ende", f"backbone={golden / 'backbone'}"])
    with pytest.raises(UserError, match=r"'backbone' must not look at the token after each, which a MobileBERT does"):
        load_task("multi30k_ende").build_model(resolve([asked]))
    with pytest.raises(ValueError, match=r"must not look at the token after each .* Received: a MobileBERT"):
        bert_tf.BertSeq2Seq(config_of("mobilebert"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"norm_kind": "layer_norm"}, "hands vectors on as they are, which a MobileBERT brings to another width"),
        ({}, "on blocks that end with a norm, which those of a MobileBERT do not"),
    ],
)
def test_a_head_is_not_solved_on_other_blocks(tmp_path, changes, said):
    bert_tf.BertBackbone(config_of("mobilebert", **changes)).save_pretrained(tmp_path / "x")
    layer = override_layer(["task=sst2", f"backbone={tmp_path / 'x'}", "training.mode=frozen"])
    task = Classification(source=InMemory({}), text=("text",), label="label", classes=("n", "y"), sequence_length=12)
    with pytest.raises(UserError, match=said):
        task.build_model(resolve([layer]))


@pytest.mark.slow
def test_what_a_model_sees_of_padding_is_kept_in_a_keras_file_and_a_preprocessor_says_it_too(golden, tmp_path):
    folder = golden / "classifier"
    inputs, alone = inputs_of(truth_of(folder)), truth_of(folder)["alone/logits"]
    preprocessor = bert_tf.BertPreprocessor(tokenizer_of(folder), sequence_length=20)
    model = model_of(folder, "classifier", preprocessor=preprocessor)
    np.testing.assert_allclose(model.predict((TEXTS, PAIRS), verbose=0), alone, atol=1e-5)
    model.preprocessor = None
    model.save(tmp_path / "x.keras")
    for again in (keras.saving.load_model(tmp_path / "x.keras"), type(model).from_config(model.get_config())):
        assert not again.backbone.embeddings.sees_padding
    np.testing.assert_allclose(keras.saving.load_model(tmp_path / "x.keras")(inputs), alone, atol=1e-5)
    assert model_of(folder, "classifier").backbone.embeddings.sees_padding
