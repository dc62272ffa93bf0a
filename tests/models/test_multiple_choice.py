"""The model, beside Transformers' BertForMultipleChoice: see benchmarks/make_golden_multiple_choice.py."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from safetensors.numpy import load_file

from bert_tf.errors import UserError
from bert_tf.models import BertBackbone, BertClassifier, BertMultipleChoice, BertTagger, weights_by_path
from tests.checks import check_keras_file
from tests.models.backbones.test_bert import CONFIG, SEED, packed

GOLDEN = Path(__file__).parents[1] / "golden" / "multiple_choice"
RANDOM = np.random.default_rng(5)
LOGITS = RANDOM.normal(scale=2, size=(3, 4)).astype("float32")


@pytest.fixture(name="golden", scope="module")
def golden_fixture():
    with np.load(GOLDEN / "outputs.npz") as file:
        return dict(file)


def inputs_of(golden):
    return {name: golden[name] for name in ("token_ids", "segment_ids", "padding_mask")}


def some_choices(texts=2, choices=3, length=6):
    """Inputs [B, K, T]."""
    ids = RANDOM.integers(1, 11, (texts, choices, length)).astype("int32")
    mask = (np.arange(length) < RANDOM.integers(2, length + 1, (texts, choices, 1))).astype("int32")
    return {"token_ids": ids * mask, "segment_ids": (np.arange(length) > 2) * mask, "padding_mask": mask}


def cross_entropy(logits, label):
    """In float64, over all of `logits`."""
    return float(np.log(np.exp(logits.astype("float64")).sum()) - logits[label])


def test_logits_and_loss_are_those_of_transformers(golden, caplog):
    model = BertMultipleChoice.from_pretrained(GOLDEN)
    assert model.dropout == 0.2
    found = model.compute(inputs_of(golden), labels=golden["labels"])
    np.testing.assert_allclose(found["logits"], golden["logits"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(found["loss"], golden["loss"], rtol=0, atol=1e-5)
    assert not caplog.records


def test_a_folder_is_written_as_transformers_writes_it_and_read_back(tmp_path, golden):
    model = BertMultipleChoice.from_pretrained(GOLDEN)
    model.save_pretrained(tmp_path)
    theirs, ours = load_file(GOLDEN / "model.safetensors"), load_file(tmp_path / "model.safetensors")
    assert sorted(ours) == sorted(theirs)
    for name, array in theirs.items():
        np.testing.assert_array_equal(ours[name], array, err_msg=name)
    config = json.loads((tmp_path / "config.json").read_text())
    assert (config["architectures"], config["classifier_dropout"]) == (["BertForMultipleChoice"], 0.2)
    again = BertMultipleChoice.from_pretrained(tmp_path)
    np.testing.assert_array_equal(again(inputs_of(golden)), model(inputs_of(golden)))
    assert again.get_config() == model.get_config() | {"name": again.name} | {
        "backbone": again.get_config()["backbone"]
    }


@pytest.mark.parametrize(("other", "architecture"), [(BertClassifier, "Sequence"), (BertTagger, "Token")])
def test_a_head_of_another_kind_is_never_taken_for_this_one(tmp_path, caplog, other, architecture):
    """All three are called `classifier`, and of one class they have one shape."""
    other(CONFIG, 1).save_pretrained(tmp_path / "other")
    BertMultipleChoice.from_pretrained(tmp_path / "other")
    assert f"the file's head is a BertFor{architecture}Classification's" in caplog.text
    with pytest.raises(UserError, match=r"classifier/kernel, classifier/bias; .* does not allow new"):
        BertMultipleChoice.from_pretrained(tmp_path / "other", new_weights="forbid")
    BertMultipleChoice(CONFIG).save_pretrained(tmp_path / "own")
    with pytest.raises(UserError, match=r"has the head of a BertForMultipleChoice .* give `num_classes` for a new one"):
        other.from_pretrained(tmp_path / "own")


def test_a_backbone_gets_a_new_head(tmp_path, caplog):
    BertBackbone(CONFIG).save_pretrained(tmp_path)
    BertMultipleChoice.from_pretrained(tmp_path)
    assert "has no weights for classifier/kernel, classifier/bias" in caplog.text


def test_logits_are_float32_under_every_policy_for_any_number_of_choices():
    for dtype in ("float32", "mixed_bfloat16", "mixed_float16"):
        model = BertMultipleChoice(CONFIG, dtype=dtype)
        for choices in (1, 2, 5):
            logits = model(some_choices(choices=choices))
            assert (tuple(logits.shape), logits.dtype.name) == ((2, choices), "float32")


def test_rows_by_themselves_packed_or_not_have_the_logits_that_they_have_together():
    model, inputs = BertMultipleChoice(CONFIG), some_choices()
    together = model(inputs)
    alone = model({name: value.reshape(6, 6) for name, value in inputs.items()})
    assert tuple(alone.shape) == (6,)
    np.testing.assert_allclose(np.reshape(alone, (2, 3)), together, atol=1e-6)
    rows, each = packed()
    logits = model(rows)
    for row, slot, _, one in each:
        np.testing.assert_allclose(logits[row, slot], model(one)[0], atol=1e-5)


def test_a_graph_of_several_choices_is_made_saved_and_loaded(tmp_path):
    model, inputs = BertMultipleChoice(CONFIG), some_choices()
    symbols = {name: keras.Input((None, None), dtype="int32", name=name) for name in inputs}
    graph = keras.Model(symbols, model(symbols))
    assert graph.output_shape == (None, None)
    graph.save(tmp_path / "graph.keras")
    again = keras.saving.load_model(tmp_path / "graph.keras")
    np.testing.assert_allclose(again(inputs), model(inputs), atol=1e-6)


def test_the_loss_is_the_mean_cross_entropy_over_the_choices():
    model = BertMultipleChoice(CONFIG)
    model.call = lambda inputs, training=None, seed=None: tf.constant(LOGITS)
    inputs, labels = {"token_ids": np.ones((3, 4, 5), "int32")}, np.array([1, 0, 3], "int32")
    each = [cross_entropy(logits, label) for logits, label in zip(LOGITS, labels, strict=True)]
    assert float(model.compute(inputs, labels=labels)["loss"]) == pytest.approx(np.mean(each), rel=1e-5)
    weighted = model.compute(inputs, labels=labels, example_weight=np.array([1.0, 0.0, 3.0]))["loss"]
    assert float(weighted) == pytest.approx((each[0] + 3 * each[2]) / 4, rel=1e-5)
    left_out = model.compute(inputs, labels=np.array([1, -100, 3]))["loss"]
    assert float(left_out) == pytest.approx((each[0] + each[2]) / 2, rel=1e-5)
    column = model.compute(inputs, labels=labels[:, None])["loss"]  # as Keras gives a column of labels to `fit`
    assert float(column) == pytest.approx(np.mean(each), rel=1e-5)
    assert list(model.compute(inputs)) == ["logits"]


def test_a_choice_that_is_not_there_has_no_part_in_the_loss():
    model, inputs = BertMultipleChoice(CONFIG), some_choices(choices=4)
    labels = np.array([1, 0], "int32")
    fewer = {name: value[:, :3] for name, value in inputs.items()}
    wanted = float(model.compute(fewer, labels=labels)["loss"])
    for name in inputs:
        inputs[name][:, 3] = 0  # no real token
    assert float(model.compute(inputs, labels=labels)["loss"]) == pytest.approx(wanted, rel=1e-5)
    inputs["padding_mask"][:, 3] = 1
    assert float(model.compute(inputs, labels=labels)["loss"]) > wanted + 1e-3
    mask = np.array([[1, 1, 1, 0]] * 2)
    assert float(model.compute(inputs, labels=labels, choice_mask=mask)["loss"]) == pytest.approx(wanted, rel=1e-5)
    one = model.compute(inputs, labels=np.array([1, 3]), choice_mask=mask)["loss"]  # the second label is of no choice
    alone = {name: value[:1, :3] for name, value in inputs.items()}
    assert float(one) == pytest.approx(float(model.compute(alone, labels=labels[:1])["loss"]), rel=1e-5)


def test_packed_examples_have_the_loss_that_they_have_alone():
    """Two examples of two choices in each row, and a slot that is empty."""
    model = BertMultipleChoice(CONFIG)
    rows, alone = packed(lengths=[[3, 2, 3, 4], [5, 4]], slots=4)
    labels = np.array([[0, 1], [1, 0]], "int32")
    logits = {(row, slot): float(model(one)[0]) for row, slot, _, one in alone}
    losses = [
        cross_entropy(np.array([logits[row, 2 * example], logits[row, 2 * example + 1]]), labels[row, example])
        for row, example in ((0, 0), (0, 1), (1, 0))
    ]
    assert float(model.compute(rows, labels=labels)["loss"]) == pytest.approx(np.mean(losses), rel=1e-4)


def test_the_loss_reaches_every_weight():
    model = BertMultipleChoice(CONFIG)
    variables = [weight.value for weight in model.trainable_variables]
    assert {"pooler/dense/kernel", "classifier/kernel", "classifier/bias"} <= set(weights_by_path(model))
    with tf.GradientTape() as tape:
        loss = model.compute(some_choices(), labels=np.array([0, 2]), training=True, seed=SEED)["loss"]
    assert all(gradient is not None for gradient in tape.gradient(loss, variables))


def test_fit_takes_the_loss_of_compute():
    model, inputs, labels = BertMultipleChoice(CONFIG), some_choices(), np.array([2, 1])
    inputs["padding_mask"][0, 0] = 0  # a choice that is not there
    quiet = float(model.compute(inputs, labels=labels)["loss"])
    model.compile(run_eagerly=True)
    assert model.evaluate(inputs, labels, verbose="none")[0] == pytest.approx(quiet, rel=1e-5)


@pytest.mark.slow
def test_fit_learns_which_choice_is_right():
    keras.utils.set_random_seed(0)
    ids = RANDOM.integers(2, 11, (48, 3, 5)).astype("int32")
    labels = RANDOM.integers(0, 3, 48).astype("int32")
    ids[np.arange(48), labels, 1] = 1  # what tells the right choice
    quiet = CONFIG.replace(num_layers=1, hidden_dropout=0.0, attention_dropout=0.0)
    model = BertMultipleChoice(quiet)
    before = float(model.compute({"token_ids": ids}, labels=labels)["loss"])
    model.compile(optimizer=keras.optimizers.Adam(0.01))
    losses = model.fit({"token_ids": ids}, labels, batch_size=48, epochs=25, verbose="none").history["loss"]
    assert losses[0] == pytest.approx(before, rel=1e-5)
    assert losses[-1] < 0.5 * losses[0]
    assert (model.predict({"token_ids": ids}, verbose="none").argmax(-1) == labels).mean() > 0.8


def test_dropout_of_the_head_is_active_only_in_training():
    model = BertMultipleChoice(CONFIG.replace(hidden_dropout=0.0, attention_dropout=0.0), dropout=0.5)
    inputs = some_choices()
    np.testing.assert_array_equal(model(inputs), model(inputs, training=False))
    trained = model(inputs, training=True, seed=SEED)
    np.testing.assert_array_equal(trained, model(inputs, training=True, seed=SEED))
    assert np.abs(trained - model(inputs)).max() > 1e-3


def test_a_keras_file_gives_the_model_back(tmp_path):
    model = BertMultipleChoice(CONFIG, dropout=0.3, dtype="mixed_bfloat16")
    again = check_keras_file(model, some_choices(), tmp_path, np.array)
    assert (again.dropout, again.backbone.dtype_policy.name) == (0.3, "mixed_bfloat16")


@pytest.mark.parametrize(
    ("labels", "others", "message"),
    [
        (
            np.zeros(3, "int32"),
            {},
            r"`labels` must be one for each example.*labels of shape \[3\], logits of shape \[2, 3\]",
        ),
        (np.zeros((2, 2), "int32"), {}, r"labels of shape \[2, 2\], logits of shape \[2, 3\]"),
        (
            np.zeros(2, "int32"),
            {"choice_mask": np.ones((2, 2))},
            r"`choice_mask` must have the shape \[2, 3\].*\[2, 2\]",
        ),
        (np.zeros(2, "int32"), {"example_weight": np.ones((2, 1))}, r"`example_weight` must have the shape \[2\]"),
    ],
)
def test_labels_that_do_not_fit_are_named(labels, others, message):
    with pytest.raises(ValueError, match=message):
        BertMultipleChoice(CONFIG).compute(some_choices(), labels=labels, **others)


def test_arguments_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"`backbone` must be a BertBackbone or a BertConfig.*backbone='minilm'"):
        BertMultipleChoice("minilm")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match=r"`dropout` must be a number in \[0, 1\).*dropout=1.5"):
        BertMultipleChoice(CONFIG, dropout=1.5)
    inputs = some_choices()
    with pytest.raises(ValueError, match=r"`padding_mask` must have the shape \[2, 3, 6\].*of shape \[2, 6\]"):
        BertMultipleChoice(CONFIG)(inputs | {"padding_mask": inputs["padding_mask"][:, 0]})
