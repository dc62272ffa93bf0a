import json
import logging

import keras
import numpy as np
import pytest
import tensorflow as tf

from bert_tf.models import BertBackbone, BertTagger, weights_by_path
from tests.checks import check_keras_file
from tests.models.backbones.test_bert import CONFIG, SEED, batch, packed

LABELS = ("O", "B-place", "I-place")


def test_logits_are_float32_under_every_policy():
    for dtype in ("float32", "mixed_bfloat16", "mixed_float16"):
        logits = BertTagger(CONFIG, 3, dtype=dtype)(batch())
        assert (tuple(logits.shape), logits.dtype.name) == ((2, 6, 3), "float32")


def test_a_tags_logits_are_a_dense_layer_over_the_tokens_output():
    model, inputs = BertTagger(CONFIG, 3), batch()
    hidden = np.array(model.backbone(inputs)["sequence_output"])
    kernel, bias = (np.array(weights_by_path(model)[f"classifier/{name}"]) for name in ("kernel", "bias"))
    np.testing.assert_allclose(model(inputs), hidden @ kernel + bias, atol=1e-6)


def test_packed_rows_give_each_token_the_logits_it_has_alone():
    model = BertTagger(CONFIG, 3)
    rows, alone = packed()
    logits = np.array(model(rows))
    for row, _, start, one in alone:
        expected = np.array(model(one)[0])
        np.testing.assert_allclose(logits[row, start : start + len(expected)], expected, atol=1e-5)


def test_the_loss_is_the_mean_over_labelled_tokens():
    model, inputs = BertTagger(CONFIG, 3), batch()
    labels = np.array([[-100, 2, 0, -100, -100, -100], [-100, 1, -100, -100, 2, -100]], "int32")
    out = model.compute(inputs, labels=labels)
    logits = np.array(out["logits"], np.float64)
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    each = [-log_p[b, t, labels[b, t]] for b, t in np.argwhere(labels >= 0)]
    assert float(out["loss"]) == pytest.approx(np.mean(each), rel=1e-5)
    assert float(model.compute(inputs, labels=np.full((2, 6), -100))["loss"]) == 0.0
    assert list(model.compute(inputs)) == ["logits"]


def test_the_loss_reaches_every_weight_but_the_pooler():
    model = BertTagger(CONFIG, 3)
    trained = {path for path, weight in weights_by_path(model).items() if weight.trainable}
    assert set(weights_by_path(model)) - trained == {"pooler/dense/kernel", "pooler/dense/bias"}
    variables = [weight.value for weight in model.trainable_variables]
    with tf.GradientTape() as tape:
        loss = model.compute(packed()[0], labels=np.zeros((2, 12), "int32"), training=True, seed=SEED)["loss"]
    gradients = tape.gradient(loss, variables)
    assert [w.path for w, g in zip(model.trainable_variables, gradients, strict=True) if g is None] == []


def test_dropout_of_the_head_is_active_only_in_training():
    model, inputs = BertTagger(CONFIG.replace(hidden_dropout=0.0, attention_dropout=0.0), 3, dropout=0.5), batch()
    np.testing.assert_array_equal(model(inputs), model(inputs, training=False))
    a, b = model(inputs, training=True, seed=SEED), model(inputs, training=True, seed=SEED)
    np.testing.assert_array_equal(a, b)
    assert np.abs(a - model(inputs)).max() > 1e-3


def test_compile_and_fit_work():
    keras.utils.set_random_seed(0)
    ids = np.random.default_rng(0).integers(1, 11, (64, 6)).astype("int32")
    model = BertTagger(CONFIG.replace(num_layers=1, hidden_dropout=0.0), 2)
    model.compile(
        optimizer=keras.optimizers.Adam(0.01), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    history = model.fit({"token_ids": ids}, (ids > 5).astype("int32"), batch_size=16, epochs=8, verbose="none").history
    assert history["loss"][-1] < 0.5 * history["loss"][0]


def test_a_keras_file_gives_the_model_back(tmp_path):
    model = BertTagger(CONFIG, 3, labels=LABELS, dropout=0.3, dtype="mixed_bfloat16")
    again = check_keras_file(model, batch(), tmp_path, np.array)
    assert (again.labels, again.dropout) == (LABELS, 0.3)


def test_a_hugging_face_folder_gives_the_model_back(tmp_path, caplog):
    model = BertTagger(CONFIG, 3, labels=LABELS, dropout=0.3)
    model.save_pretrained(tmp_path)
    written = json.loads((tmp_path / "config.json").read_text())
    assert written["architectures"] == ["BertForTokenClassification"]
    assert written["id2label"] == {"0": "O", "1": "B-place", "2": "I-place"}
    with caplog.at_level(logging.WARNING):
        again = BertTagger.from_pretrained(tmp_path)
    assert caplog.messages == []  # no pooler in the file, and none is missed
    assert (again.labels, again.dropout, again.num_classes) == (LABELS, 0.3, 3)
    inputs = batch()
    np.testing.assert_array_equal(again(inputs), model(inputs))


def test_files_have_the_names_that_transformers_gives_them(tmp_path):
    from safetensors.numpy import load_file

    BertTagger(CONFIG, 3).save_pretrained(tmp_path)
    names = set(load_file(tmp_path / "model.safetensors"))
    assert {"classifier.weight", "classifier.bias", "bert.embeddings.word_embeddings.weight"} <= names
    assert not [name for name in names if "pooler" in name]


def test_a_backbones_folder_gives_a_new_head(tmp_path):
    backbone = BertBackbone(CONFIG)
    backbone.save_pretrained(tmp_path)
    model = BertTagger.from_pretrained(tmp_path, labels=LABELS)
    inputs = batch()
    np.testing.assert_array_equal(model.backbone(inputs)["sequence_output"], backbone(inputs)["sequence_output"])
    assert model(inputs).shape[-1] == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 0}, "`num_classes` must be an integer of at least 1.*num_classes=0"),
        ({"num_classes": 2, "labels": ("a",)}, r"`labels` must be `num_classes` different names.*\('a',\)"),
        ({"num_classes": 2, "dropout": 1.5}, r"`dropout` must be a number in \[0, 1\).*dropout=1.5"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        BertTagger(CONFIG, **arguments)
    with pytest.raises(ValueError, match=r"`backbone` must be a BertBackbone or a BertConfig.*backbone='minilm'"):
        BertTagger("minilm", 2)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("shape", [(2,), (2, 5), (2, 6, 1)])
def test_labels_that_do_not_fit_are_named(shape):
    with pytest.raises(ValueError, match=r"`labels` must have the shape \[2, 6\]. Received: labels of shape"):
        BertTagger(CONFIG, 3).compute(batch(), labels=np.zeros(shape, "int32"))
