"""A generator and a discriminator in one model: what they give, learn, and leave in files."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from bert_tf.errors import UserError
from bert_tf.models import BertConfig, BertDiscriminator, BertMaskedLM, BertReplacedTokens, weights_by_path
from tests.checks import check_keras_file

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "replaced_tokens.zip"
HALF: dict[str, Any] = {"generator_width": 0.5, "generator_layers": 0.5}
INPUTS = ("token_ids", "padding_mask", "segment_ids", "masked_positions", "target_ids", "draws")
CONFIG = BertConfig(
    model_type="electra",
    vocabulary_size=30,
    hidden_dim=8,
    embedding_dim=6,
    num_layers=2,
    num_heads=2,
    intermediate_dim=16,
    max_positions=16,
    initializer_range=0.5,
)


@pytest.fixture(scope="module")
def golden(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("replaced_tokens")
    with zipfile.ZipFile(GOLDEN) as file:
        file.extractall(folder)
    return folder


def inputs_of(truth: Any) -> dict[str, np.ndarray]:
    return {name: truth[name].astype("float32" if name == "draws" else "int32") for name in INPUTS}


def test_losses_guesses_and_gradients_are_transformers(golden):
    model = BertReplacedTokens.from_pretrained(golden / "model", **HALF)
    truth = np.load(golden / "truth.npz")
    weights = weights_by_path(model)
    with tf.GradientTape() as tape:
        outputs = model.compute(inputs_of(truth), training=True)
    real = truth["target_ids"] >= 0
    np.testing.assert_array_equal(np.asarray(outputs["guesses"])[real], truth["guesses"][real])
    np.testing.assert_array_equal(outputs["is_replaced"], truth["is_replaced"])
    np.testing.assert_allclose(
        np.asarray(outputs["replaced_logits"])[truth["padding_mask"] > 0],
        truth["replaced_logits"][truth["padding_mask"] > 0],
        atol=1e-5,
    )
    assert float(np.asarray(outputs["masked_lm_losses"])[real].mean()) == pytest.approx(
        truth["masked_lm_loss"], abs=1e-5
    )
    assert float(outputs["loss"]) == pytest.approx(truth["loss"], rel=1e-6)
    gradient = weights_by_path(BertReplacedTokens.from_pretrained(golden / "gradient", **HALF))
    found = tape.gradient(outputs["loss"], {path: weight.value for path, weight in weights.items()})
    assert set(found) == set(gradient)
    for path, value in found.items():
        np.testing.assert_allclose(tf.convert_to_tensor(value), gradient[path], atol=1e-4, rtol=1e-4, err_msg=path)
    assert any(path.startswith("generator/block_0/") for path in found)


def test_the_discriminators_loss_reaches_the_generator_by_the_shared_vectors_alone(golden):
    model = BertReplacedTokens.from_pretrained(golden / "model", **HALF)
    weights = {path: weight.value for path, weight in weights_by_path(model).items()}
    truth = np.load(golden / "truth.npz")
    with tf.GradientTape(persistent=True) as tape:
        outputs = model(inputs_of(truth), training=True)
        told, guessed = tf.reduce_sum(outputs["replaced_logits"] ** 2), tf.reduce_sum(outputs["masked_lm_losses"])
    of_told, of_guessed = tape.gradient(told, weights), tape.gradient(guessed, weights)
    own = {path for path in weights if path.startswith("generator/")}
    tables = {
        path for path in weights if path.startswith(("embeddings/token", "embeddings/segment", "embeddings/posit"))
    }
    assert own
    assert len(tables) == 3
    assert all(of_told[path] is None for path in own)
    assert all(of_guessed[path] is not None for path in own | tables)
    assert all(np.abs(tf.convert_to_tensor(of_told[path])).max() > 0 for path in tables)
    # And the generator's reaches nothing that is the discriminator's own.
    others = {path for path in weights if path.startswith(("block_", "replaced"))}
    assert all(of_guessed[path] is None for path in others)


def test_packed_rows_are_as_padded_ones(golden):
    model = BertReplacedTokens.from_pretrained(golden / "model", **HALF)
    truth = np.load(golden / "truth.npz")
    padded = model.compute(inputs_of(truth))
    lengths = truth["padding_mask"].sum(axis=1)
    (first, second) = lengths.tolist()
    ids = np.concatenate([truth["token_ids"][0, :first], truth["token_ids"][1, :second]])[None]
    targets = np.concatenate([truth["target_ids"][0], truth["target_ids"][1]])[None]
    packed = {
        "token_ids": ids,
        "segment_ids": np.concatenate([truth["segment_ids"][0, :first], truth["segment_ids"][1, :second]])[None],
        "example_ids": np.array([[1] * first + [2] * second]),
        "position_ids": np.array([[*range(first), *range(second)]]),
        "masked_positions": np.concatenate([truth["masked_positions"][0], truth["masked_positions"][1] + first])[None],
        "target_ids": targets,
        "draws": truth["draws"].reshape(1, -1).astype("float32"),
    }
    found = model.compute(packed)
    real = targets[0] >= 0
    np.testing.assert_array_equal(
        np.asarray(found["guesses"])[0, real], np.asarray(padded["guesses"]).reshape(-1)[real]
    )
    assert float(found["loss"]) == pytest.approx(float(padded["loss"]), rel=1e-5)
    rows = np.asarray(padded["replaced_logits"])
    wanted = np.concatenate([rows[0, :first], rows[1, :second]])
    np.testing.assert_allclose(np.asarray(found["replaced_logits"])[0], wanted, atol=1e-5)


@pytest.mark.slow
def test_the_same_seed_draws_the_same_guesses():
    keras.utils.set_random_seed(1)
    model = BertReplacedTokens(CONFIG)
    rng = np.random.default_rng(0)
    inputs = {
        "token_ids": rng.integers(5, 30, (4, 12)),
        "masked_positions": np.tile(np.arange(1, 11), (4, 1)),
        "target_ids": rng.integers(5, 30, (4, 10)),
    }
    guesses = [np.asarray(model(inputs, training=True, seed=np.array([7, step]))["guesses"]) for step in (0, 0, 1)]
    np.testing.assert_array_equal(guesses[0], guesses[1])
    assert (guesses[0] != guesses[2]).mean() > 0.5
    assert (np.asarray(model(inputs)["guesses"]) != np.asarray(model(inputs)["guesses"])).any()


@pytest.mark.slow
def test_folders_there_and_back(tmp_path, caplog):
    model = BertReplacedTokens(CONFIG, generator_width=0.5, replaced_weight=20.0)
    wanted = weights_by_path(model)
    assert len({id(weight) for weight in wanted.values()}) == len(wanted) == len(model.weights)
    model.save_pretrained(tmp_path / "both")
    described = {name: json.loads((tmp_path / "both" / name / "config.json").read_text()) for name in ("", "generator")}
    assert described[""]["architectures"] == ["ElectraForPreTraining"]
    assert described["generator"]["architectures"] == ["ElectraForMaskedLM"]
    assert (described["generator"]["hidden_size"], described["generator"]["embedding_size"]) == (4, 6)

    found = BertReplacedTokens.from_pretrained(tmp_path / "both")
    assert (found.generator_width, found.replaced_weight) == (0.5, 20.0)
    assert found.not_loaded == ()
    assert not caplog.records
    for path, weight in weights_by_path(found).items():
        np.testing.assert_array_equal(weight, wanted[path])
    ids = {"token_ids": np.array([[2, 9, 11, 3]])}
    np.testing.assert_allclose(BertDiscriminator.from_pretrained(tmp_path / "both")(ids), model(ids), atol=1e-6)
    alone = BertMaskedLM.from_pretrained(tmp_path / "both" / "generator")
    np.testing.assert_allclose(alone(ids)["masked_lm_logits"], model.generator(ids)["masked_lm_logits"], atol=1e-6)

    shutil.move(tmp_path / "both" / "generator", tmp_path / "generator")
    lone = BertReplacedTokens.from_pretrained(tmp_path / "both")
    assert "generator is not there: the weights of the generator are random" in caplog.text
    assert lone.not_loaded
    assert all(path.startswith("generator/") for path in lone.not_loaded)
    with pytest.raises(UserError, match=r"generator is not there: `new_weights`=forbid"):
        BertReplacedTokens.from_pretrained(tmp_path / "both", new_weights="forbid")
    BertReplacedTokens(CONFIG, generator_width=0.5).generator.save_pretrained(tmp_path / "both" / "generator")
    with pytest.raises(
        UserError, match=r"expected the vectors of .*, which both share. Received: other embeddings/tok"
    ):
        BertReplacedTokens.from_pretrained(tmp_path / "both")


@pytest.mark.slow
def test_keras_files_and_what_is_frozen(tmp_path):
    model = BertReplacedTokens(CONFIG)
    model.generator.backbone.blocks[0].trainable = False
    inputs = {"token_ids": np.array([[2, 9, 11, 3]])}
    found = check_keras_file(model, inputs, tmp_path, np.array)
    both = weights_by_path(model), weights_by_path(found)
    assert [weight.trainable for weight in both[1].values()] == [weight.trainable for weight in both[0].values()]
    assert both[0]["block_0/attention/query/kernel"].trainable
    assert not both[0]["generator/block_0/attention/query/kernel"].trainable


@pytest.mark.slow
def test_fit_takes_the_loss_of_compute():
    keras.utils.set_random_seed(1)
    model = BertReplacedTokens(CONFIG.replace(hidden_dropout=0.0, attention_dropout=0.0))
    inputs = {
        "token_ids": np.array([[2, 9, 4, 3], [2, 4, 8, 3]]),
        "masked_positions": np.array([[2], [1]]),
        "target_ids": np.array([[7], [6]]),
        "draws": np.array([[0.3], [0.8]], "float32"),
    }
    before = float(model.compute(inputs)["loss"])
    model.compile(optimizer=keras.optimizers.Adam(1e-2))
    history = model.fit(inputs, epochs=8, batch_size=2, verbose=0).history["loss"]
    assert history[0] == pytest.approx(before, rel=1e-5)
    assert history[-1] < 0.7 * history[0]


@pytest.mark.parametrize(
    ("changes", "arguments", "match"),
    [
        ({}, {"generator_width": 0.0}, r"`generator_width` must be in \(0, 1\]. Received: generator_width=0.0"),
        ({}, {"generator_layers": 1.5}, r"`generator_layers` must be in \(0, 1\]. Received: generator_layers=1.5"),
        ({}, {"replaced_weight": 0}, r"`replaced_weight` must be above 0. Received: replaced_weight=0"),
        ({"model_type": "bert", "embedding_dim": None}, {}, r"must be of an ELECTRA.*Received: model_type='bert'"),
    ],
)
def test_wrong_arguments(changes, arguments, match):
    with pytest.raises(ValueError, match=match):
        BertReplacedTokens(CONFIG.replace(**changes), **arguments)


def test_targets_need_their_places():
    with pytest.raises(
        ValueError, match=r"`inputs` must have masked_positions where it has target_ids. Received: token_"
    ):
        BertReplacedTokens(CONFIG)({"token_ids": np.array([[2, 3]]), "target_ids": np.array([[5]])})
