"""KerasHub presets beyond the backbone: heads, activations, shards, number formats, held against their outputs."""

from __future__ import annotations

import json
import shutil
from typing import Any

import h5py
import keras
import keras_hub
import numpy as np
import pytest
from packaging.version import Version

from bert_tf.errors import UserError
from bert_tf.kinds import Retrieval
from bert_tf.kinds.registry import kind_of
from bert_tf.models import BertBackbone, BertClassifier, BertEmbedder, BertMaskedLM, BertPretrainer
from bert_tf.weights import load, save_keras_hub
from tests.rest_slow import rest_slow
from tests.weights.tiny import inputs

# The last KerasHub for Python 3.10, 0.25, keeps the weights of tasks in other places than 0.32 does.
pytestmark = pytest.mark.skipif(
    Version(keras_hub.__version__) < Version("0.32"), reason="KerasHub here is older than 0.32"
)
INPUTS = inputs()
REAL = INPUTS["padding_mask"].astype(bool)
POOLINGS = [{}, {"pooling_mode": "cls", "normalize": False}, {"pooling_mode": "max"}]


def backbone(**changes):
    keras.utils.set_random_seed(3)
    sizes = {"vocabulary_size": 12, "num_layers": 2, "num_heads": 2, "hidden_dim": 4, "intermediate_dim": 6}
    return shaken(keras_hub.models.BertBackbone(**{**sizes, "max_sequence_length": 8, **changes}))


def shaken(model):
    rng = np.random.default_rng(1)
    for weight in model.weights:
        if "float" in weight.dtype:
            weight.assign(rng.normal(scale=0.5, size=weight.shape))
    return model


def classifier(activation=None, num_classes=3):
    return shaken(keras_hub.models.BertTextClassifier(backbone(), num_classes=num_classes, activation=activation))


@pytest.fixture(name="masked", scope="module")
def masked_fixture(tmp_path_factory):
    model = shaken(keras_hub.models.BertMaskedLM(backbone()))
    folder = tmp_path_factory.mktemp("masked") / "x"
    model.save_to_preset(str(folder))
    positions = np.tile(np.arange(6), (2, 1))
    return folder, np.asarray(model({**INPUTS, "mask_positions": positions}))


def edited(folder, source, file, change):
    shutil.copytree(source, folder)
    raw = json.loads((folder / file).read_text())
    change(raw)
    (folder / file).write_text(json.dumps(raw))
    return folder


@pytest.mark.parametrize("activation", rest_slow([None, "linear", "softmax", "sigmoid"], "softmax"))
def test_a_classifiers_outputs_are_theirs_and_its_logits_are_there_too(tmp_path, activation):
    theirs = classifier(activation)
    theirs.save_to_preset(str(tmp_path / "x"))
    ours = BertClassifier.from_pretrained(tmp_path / "x")
    np.testing.assert_allclose(ours(INPUTS), theirs(INPUTS), rtol=0, atol=1e-5)
    logits = np.asarray(ours.compute(INPUTS)["logits"])
    plain = BertClassifier.from_pretrained(tmp_path / "x", output_activation="linear")
    np.testing.assert_array_equal(plain(INPUTS), logits)
    assert ours.problem == ("multi_label" if activation == "sigmoid" else "single_label")
    ours.save_pretrained(tmp_path / "y")
    np.testing.assert_array_equal(BertClassifier.from_pretrained(tmp_path / "y")(INPUTS), ours(INPUTS))


def test_another_activation_is_refused_where_it_counts(tmp_path):
    classifier("tanh").save_to_preset(str(tmp_path / "x"))
    with pytest.raises(
        UserError, match=r"task.json: `activation` must be one of linear, softmax, sigmoid. Received: tanh"
    ):
        BertClassifier.from_pretrained(tmp_path / "x")
    assert BertClassifier.from_pretrained(tmp_path / "x", ignore=["activation"]).output_activation == "linear"
    BertBackbone.from_pretrained(tmp_path / "x")


def test_a_masked_language_model_gives_what_theirs_gives(masked, tmp_path):
    folder, expected = masked
    model = BertMaskedLM.from_pretrained(folder)
    found = np.asarray(model(INPUTS)["masked_lm_logits"])
    np.testing.assert_allclose(found[REAL], expected[REAL], rtol=0, atol=1e-5)
    model.save_pretrained(tmp_path / "x")
    again = BertMaskedLM.from_pretrained(tmp_path / "x")
    np.testing.assert_array_equal(again(INPUTS)["masked_lm_logits"], found)
    both = BertPretrainer.from_pretrained(folder)
    np.testing.assert_allclose(np.asarray(both(INPUTS)["masked_lm_logits"])[REAL], expected[REAL], rtol=0, atol=1e-5)
    checkpoint = load(folder)
    with pytest.raises(ValueError, match="this format has no place for: masked_lm/bias"):
        save_keras_hub(tmp_path / "y", checkpoint.config, checkpoint.arrays)


def test_names_of_older_versions(masked, tmp_path):
    folder, expected = masked
    shutil.copytree(folder, tmp_path / "x")
    for name in ("config.json", "task.json"):
        path = tmp_path / "x" / name
        path.write_text(path.read_text().replace("keras_hub>", "keras_nlp>").replace("keras_hub.src", "keras_nlp.src"))
    with h5py.File(tmp_path / "x" / "task.weights.h5", "a") as file:
        head: Any = file["layers/masked_lm_head"]
        head.move("_intermediate_dense", "_dense")
        head.move("_intermediate_layer_norm", "_layer_norm")
    with h5py.File(tmp_path / "x" / "model.weights.h5", "a") as file:
        file.move("layers", "_layer_checkpoint_dependencies")
    found = np.asarray(BertMaskedLM.from_pretrained(tmp_path / "x")(INPUTS)["masked_lm_logits"])
    np.testing.assert_allclose(found[REAL], expected[REAL], rtol=0, atol=1e-5)


@pytest.mark.parametrize("settings", rest_slow(POOLINGS, POOLINGS[1]))
def test_an_embedder_gives_what_theirs_gives(tmp_path, settings):
    theirs = keras_hub.models.BertTextEmbedder(backbone(), **settings)
    theirs.save_to_preset(str(tmp_path / "x"))
    np.testing.assert_allclose(BertEmbedder.from_pretrained(tmp_path / "x")(INPUTS), theirs(INPUTS), rtol=0, atol=1e-5)
    kind, model = kind_of(tmp_path / "x")
    assert (type(kind), kind.sequence_length) == (Retrieval, 8)
    assert model.pooling == settings.get("pooling_mode", "mean")


def test_shards_and_bfloat16(tmp_path):
    theirs: Any = backbone(hidden_dim=16)
    theirs.save_to_preset(str(tmp_path / "x"), max_shard_size=1e-5)
    assert len(list((tmp_path / "x").glob("model_*.weights.h5"))) > 1
    expected = np.asarray(theirs(INPUTS)["pooled_output"])
    found = BertBackbone.from_pretrained(tmp_path / "x")(INPUTS)["pooled_output"]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    (tmp_path / "x" / "model_00000.weights.h5").unlink()
    with pytest.raises(UserError, match=r"model.weights.json: its `weight_map` must name files that lie beside it"):
        load(tmp_path / "x")
    backbone(dtype="bfloat16").save_to_preset(str(tmp_path / "half"))
    checkpoint = load(tmp_path / "half")
    assert any("`dtype` is bfloat16 there" in warning for warning in checkpoint.warnings)
    for path, weight in (("pooler/dense/kernel", "pooled_dense"), ("embeddings/norm/gamma", "embeddings_layer_norm")):
        value = backbone(dtype="bfloat16").get_layer(weight).weights[0]
        np.testing.assert_array_equal(checkpoint.arrays[path], np.asarray(value, np.float32))


def test_quantised_presets_are_refused(masked, tmp_path):
    policy = {"module": "keras", "class_name": "QuantizedDTypePolicy", "config": {"mode": "int8", "source_name": None}}
    by_layer = {"class_name": "DTypePolicyMap", "config": {"default_policy": None, "policy_map": {"a": policy}}}
    for i, dtype in enumerate((policy, by_layer, "int8")):
        folder = edited(
            tmp_path / str(i), masked[0], "config.json", lambda raw, dtype=dtype: raw["config"].update(dtype=dtype)
        )
        with pytest.raises(
            UserError, match=r"config.json: `dtype` must be of floats: int8 stands for quantised weights"
        ):
            load(folder)


def test_keys_and_tasks_that_are_not_known_are_named(masked, tmp_path):
    folder = edited(tmp_path / "a", masked[0], "config.json", lambda raw: raw["config"].update(rotary=True))
    assert f"{folder / 'config.json'}: not known, and not used: rotary" in load(folder).warnings
    folder = edited(tmp_path / "b", masked[0], "task.json", lambda raw: raw.update(class_name="BertReranker"))
    assert any("the task BertReranker is not known, and its head is not read" in line for line in load(folder).warnings)
    folder = edited(tmp_path / "c", masked[0], "task.json", lambda raw: raw["config"].update(temperature=2))
    assert f"{folder / 'task.json'}: not known, and not used: temperature" in load(folder).warnings


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"class_name": "RobertaBackbone"}, "`class_name` must be BertBackbone. Received: RobertaBackbone"),
        ({"class_name": "DistilBertBackbone"}, "`class_name` must be BertBackbone. Received: DistilBertBackbone"),
        ({"registered_name": "mine>BertBackbone"}, "`registered_name` must be keras_hub>BertBackbone. Received: mine>"),
    ],
)
def test_other_backbones_are_refused(masked, tmp_path, change, message):
    folder = edited(tmp_path / "x", masked[0], "config.json", lambda raw: raw.update(change))
    with pytest.raises(UserError, match=message):
        load(folder)
