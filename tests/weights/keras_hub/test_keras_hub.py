"""KerasHub presets, theirs read by us and ours read by keras_hub."""

from __future__ import annotations

import logging
from pathlib import Path

import keras_hub
import numpy as np
import pytest
from packaging.version import Version

from bert_tf.errors import UserError
from bert_tf.models import BertBackbone, BertClassifier
from bert_tf.weights import load, save_keras_hub
from tests.weights.tiny import TINY, inputs

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "##c", "the", "film", "good", "bad"]
# The last KerasHub for Python 3.10, 0.25, keeps the weights of tasks in other places than 0.32 does.
of_newer_keras_hub = pytest.mark.skipif(
    Version(keras_hub.__version__) < Version("0.32"), reason="KerasHub here is older than 0.32"
)


@pytest.fixture(name="theirs", scope="module")
def theirs_fixture():
    """A keras_hub classifier with random weights, biases and norms too."""
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=12,
        num_layers=2,
        num_heads=2,
        hidden_dim=4,
        intermediate_dim=6,
        max_sequence_length=8,
    )
    tokenizer = keras_hub.models.BertTokenizer(vocabulary=TOKENS, lowercase=True)
    preprocessor = keras_hub.models.BertTextClassifierPreprocessor(tokenizer, sequence_length=8)
    model = keras_hub.models.BertTextClassifier(backbone, num_classes=3, preprocessor=preprocessor, dropout=0.3)
    rng = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(rng.normal(scale=0.5, size=weight.shape))
    return model


@pytest.fixture(name="preset", scope="module")
def preset_fixture(theirs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("preset") / "bert"
    theirs.save_to_preset(str(folder))
    return folder


def assert_outputs_equal(backbone, theirs):
    ours, expected, real = backbone(inputs()), theirs(inputs()), inputs()["padding_mask"].astype(bool)
    np.testing.assert_allclose(
        np.asarray(ours["sequence_output"])[real], np.asarray(expected["sequence_output"])[real], rtol=0, atol=1e-5
    )
    np.testing.assert_allclose(ours["pooled_output"], expected["pooled_output"], rtol=0, atol=1e-5)


def test_a_preset_gives_what_keras_hub_gives(theirs, preset):
    model = BertClassifier.from_pretrained(preset)
    assert model.num_classes == 3
    assert model.dropout == 0.3
    assert_outputs_equal(model.backbone, theirs.backbone)
    np.testing.assert_allclose(model(inputs()), theirs(inputs()), rtol=0, atol=1e-5)


@of_newer_keras_hub
def test_config_and_vocabulary(preset):
    checkpoint = load(preset)
    assert checkpoint.format == "keras_hub"
    assert checkpoint.config["activation"] == "gelu_tanh"
    assert checkpoint.config["max_positions"] == 8
    assert checkpoint.vocabulary is not None
    assert checkpoint.vocabulary.read_text().split() == TOKENS
    assert not checkpoint.extra


def test_a_preset_of_a_bare_backbone(theirs, tmp_path):
    theirs.backbone.save_to_preset(str(tmp_path / "x"))
    assert_outputs_equal(BertBackbone.from_pretrained(tmp_path / "x"), theirs.backbone)
    with pytest.raises(UserError, match="has no classifier's head: `BertClassifier` needs `num_classes`"):
        BertClassifier.from_pretrained(tmp_path / "x")


def test_there_and_back_bit_for_bit(preset, tmp_path):
    checkpoint = load(preset)
    save_keras_hub(tmp_path / "x", checkpoint.config, checkpoint.arrays)
    again = load(tmp_path / "x")
    assert again.config == checkpoint.config
    assert set(again.arrays) == set(checkpoint.arrays)
    for path, array in checkpoint.arrays.items():
        np.testing.assert_array_equal(again.arrays[path], array)


@of_newer_keras_hub
def test_keras_hub_loads_our_preset(tmp_path, caplog):
    tiny = load(TINY)
    config = {**tiny.config, "activation": "gelu_tanh"}
    with caplog.at_level(logging.WARNING):
        save_keras_hub(tmp_path / "x", config, tiny.arrays, vocabulary=TOKENS, lowercase=False)
    assert not caplog.records
    ours = BertClassifier.from_pretrained(tmp_path / "x")
    backbone = keras_hub.models.BertBackbone.from_preset(str(tmp_path / "x"))
    assert_outputs_equal(ours.backbone, backbone)
    classifier = keras_hub.models.BertTextClassifier.from_preset(str(tmp_path / "x"))
    assert_outputs_equal(ours.backbone, classifier.backbone)
    np.testing.assert_allclose(ours(inputs()), classifier(inputs()), rtol=0, atol=1e-5)
    tokenizer = keras_hub.models.BertTokenizer.from_preset(str(tmp_path / "x"))
    assert tokenizer.get_vocabulary() == TOKENS
    assert tokenizer.lowercase is False
    assert classifier.preprocessor is not None
    assert classifier.preprocessor(["a b"])["token_ids"].shape == (1, 8)


def test_a_backbone_without_vocabulary_loads_in_keras_hub(tmp_path):
    tiny = load(TINY)
    arrays = {path: array for path, array in tiny.arrays.items() if not path.startswith("classifier")}
    save_keras_hub(tmp_path / "x", {**tiny.config, "activation": "gelu_tanh"}, arrays)
    assert_outputs_equal(
        BertBackbone.from_pretrained(tmp_path / "x"), keras_hub.models.BertBackbone.from_preset(str(tmp_path / "x"))
    )


def test_the_exact_gelu_is_written_with_a_warning_and_other_configs_are_refused(tmp_path, caplog):
    tiny = load(TINY)
    with caplog.at_level(logging.WARNING):
        save_keras_hub(tmp_path / "x", tiny.config, tiny.arrays)
    assert "approximates GELU by tanh" in caplog.text
    for field, value in (("activation", "relu"), ("layer_norm_epsilon", 1e-5), ("position_kind", "sinusoidal")):
        with pytest.raises(ValueError, match=f"KerasHub's BERT has {field}=.* Received: {field}={value}"):
            save_keras_hub(tmp_path / "y", {**tiny.config, field: value}, tiny.arrays)
    assert not (tmp_path / "y").exists()


def copy_of(preset: Path, folder: Path) -> Path:
    for file in preset.rglob("*"):
        if file.is_file():
            place = folder / file.relative_to(preset)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.read_bytes())
    return folder


@of_newer_keras_hub
def test_the_names_of_older_keras_are_read_too(preset, tmp_path):
    import h5py

    folder = copy_of(preset, tmp_path / "x")
    with h5py.File(folder / "model.weights.h5", "r+") as file:
        for i in ("", "_1"):
            attention = f"layers/transformer_encoder{i}/_self_attention_layer/"
            for part in ("query", "key", "value", "output"):
                file.move(f"{attention}{part}_dense", f"{attention}_{part}_dense")
    assert set(load(folder).arrays) == set(load(preset).arrays)
    assert not load(folder).extra


def test_broken_presets_are_named(preset, tmp_path):
    folder = copy_of(preset, tmp_path / "x")
    whole = (folder / "model.weights.h5").read_bytes()
    (folder / "model.weights.h5").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"model.weights.h5 is truncated or no HDF5 file: "):
        load(folder)
    text = (folder / "config.json").read_text()
    (folder / "config.json").write_text(text.replace('"hidden_dim"', '"other"'))
    with pytest.raises(UserError, match=r"config.json lacks hidden_dim"):
        load(folder)
    (folder / "config.json").write_text(text.replace('"BertBackbone"', '"GemmaBackbone"'))
    with pytest.raises(UserError, match=r"config.json: `class_name` must be BertBackbone. Received: GemmaBackbone"):
        load(folder)
