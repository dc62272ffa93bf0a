import keras
import numpy as np
import pytest
import tensorflow as tf

from bert_tf.models import BertBackbone, BertSpanQA, weights_by_path
from bert_tf.models.losses.spans import span_cross_entropy
from tests.checks import check_keras_file
from tests.models.backbones.test_bert import CONFIG, SEED, batch, packed

LOGITS = np.random.default_rng(1).normal(scale=2, size=(3, 5, 2)).astype("float32")
INPUTS = {"token_ids": np.ones((3, 5), "int32")}


def with_logits(logits=LOGITS):
    """A model whose logits are given, whatever comes in: its loss is all there is to see."""
    model = BertSpanQA(CONFIG)
    model.call = lambda inputs, training=None, seed=None: tf.constant(logits, tf.float32)
    return model


def cross_entropy(scores, position, smoothing=0.0):
    """In float64, over all of `scores`."""
    log_p = scores.astype("float64") - np.log(np.exp(scores.astype("float64")).sum())
    return -(1 - smoothing) * log_p[position] - smoothing * log_p.mean()


def span_loss(scores, start, end, smoothing=0.0):
    return (cross_entropy(scores[:, 0], start, smoothing) + cross_entropy(scores[:, 1], end, smoothing)) / 2


def test_logits_of_start_and_end_are_float32_under_every_policy():
    for dtype in ("float32", "mixed_bfloat16", "mixed_float16"):
        logits = BertSpanQA(CONFIG, dtype=dtype)(batch())
        assert (tuple(logits.shape), logits.dtype.name) == ((2, 6, 2), "float32")


def test_packed_rows_give_each_example_the_logits_and_the_loss_it_has_alone():
    model = BertSpanQA(CONFIG)
    rows, alone = packed()
    logits, labels, losses = model(rows), np.zeros((2, 4, 2), "int32"), []
    for row, slot, start, one in alone:
        length = one["token_ids"].shape[1]
        np.testing.assert_allclose(logits[row, start : start + length], model(one)[0], atol=1e-5)
        labels[row, slot] = start, start + length - 1
        losses.append(float(model.compute(one, labels=np.array([[0, length - 1]]))["loss"]))
    assert float(model.compute(rows, labels=labels)["loss"]) == pytest.approx(np.mean(losses), rel=1e-5)
    weight = np.zeros((2, 4), "float32")
    weight[0, 1], weight[1, 0] = 1.0, 3.0
    weighted = model.compute(rows, labels=labels, example_weight=weight)["loss"]
    assert float(weighted) == pytest.approx((losses[1] + 3 * losses[3]) / 4, rel=1e-5)


def test_the_loss_is_the_mean_of_both_cross_entropies():
    labels = np.array([[0, 4], [2, 2], [3, 1]], "int32")
    each = [span_loss(scores, *label) for scores, label in zip(LOGITS, labels, strict=True)]
    out = with_logits().compute(INPUTS, labels=labels)
    assert float(out["loss"]) == pytest.approx(np.mean(each), rel=1e-5)
    np.testing.assert_allclose(out["logits"], LOGITS)
    assert list(with_logits().compute(INPUTS)) == ["logits"]
    for absent in (-100, 5, 77):
        left_out = with_logits().compute(INPUTS, labels=np.array([[0, 4], [absent, 2], [3, 1]]))
        assert float(left_out["loss"]) == pytest.approx((each[0] + each[2]) / 2, rel=1e-5)
    assert float(with_logits().compute(INPUTS, labels=np.full((3, 2), -100))["loss"]) == 0.0


def test_padding_is_no_place_for_an_answer():
    mask = np.array([[1, 1, 1, 0, 0]] * 3, "int32")
    loss = with_logits().compute(INPUTS | {"padding_mask": mask}, labels=np.array([[0, 2]] * 3))["loss"]
    assert float(loss) == pytest.approx(np.mean([span_loss(scores[:3], 0, 2) for scores in LOGITS]), rel=1e-5)


def test_smoothing_spreads_over_an_examples_own_tokens():
    tokens = np.array([[[1, 1, 0, 0, 0], [0, 0, 1, 1, 1]]] * 3, bool)
    positions = np.array([[[0, 1], [4, 2]]] * 3, "int32")
    losses, _ = span_cross_entropy(tf.constant(LOGITS), positions, tokens, label_smoothing=0.2)
    for row, scores in enumerate(LOGITS):
        assert float(losses[row, 0]) == pytest.approx(span_loss(scores[:2], 0, 1, 0.2), rel=1e-5)
        assert float(losses[row, 1]) == pytest.approx(span_loss(scores[2:], 2, 0, 0.2), rel=1e-5)


def test_an_empty_slot_has_a_finite_loss_and_gradient():
    logits, tokens = tf.constant(LOGITS), np.zeros((3, 2, 5), bool)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        losses, _ = span_cross_entropy(logits, np.zeros((3, 2, 2), "int32"), tokens, label_smoothing=0.1)
        weighted = tf.reduce_sum(losses * 0.0)
    assert np.isfinite(losses).all()
    np.testing.assert_array_equal(tape.gradient(weighted, logits), np.zeros_like(LOGITS))


def test_the_loss_reaches_every_weight_but_the_poolers():
    model = BertSpanQA(CONFIG)
    weights = model.trainable_variables
    with tf.GradientTape() as tape:
        loss = model.compute(packed()[0], labels=np.zeros((2, 4, 2), "int32"), training=True, seed=SEED)["loss"]
    gradients = tape.gradient(loss, [weight.value for weight in weights])
    assert all(gradient is not None for gradient in gradients)
    untrained = {weight.path for weight in model.weights} - {weight.path for weight in weights}
    assert model.backbone.pooler is not None
    assert untrained == {weight.path for weight in model.backbone.pooler.weights}


def test_the_backbones_paths_are_the_same_under_a_head():
    backbone = BertBackbone(CONFIG, name="encoder")
    paths = weights_by_path(BertSpanQA(backbone, name="head"))
    assert set(paths) == {*weights_by_path(backbone), "span/kernel", "span/bias"}
    assert tuple(paths["span/kernel"].shape) == (8, 2)


def test_a_keras_file_gives_the_model_back(tmp_path):
    again = check_keras_file(BertSpanQA(CONFIG, dtype="mixed_bfloat16"), batch(), tmp_path, np.array)
    assert again.backbone.dtype_policy.name == "mixed_bfloat16"


def test_a_hugging_face_folder_gives_the_model_back(tmp_path, caplog):
    import json

    from safetensors.numpy import load_file

    keras.utils.set_random_seed(2)
    model = BertSpanQA(CONFIG)
    model.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert (config["architectures"], "id2label" in config) == (["BertForQuestionAnswering"], False)
    names = set(load_file(tmp_path / "model.safetensors"))
    assert {"qa_outputs.weight", "qa_outputs.bias", "bert.embeddings.LayerNorm.weight"} <= names
    assert not any("pooler" in name for name in names)  # as Transformers: it has no part in the answer
    again, inputs = BertSpanQA.from_pretrained(tmp_path), batch()
    np.testing.assert_array_equal(again(inputs), model(inputs))
    assert not caplog.records


def test_arguments_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"`backbone` must be a BertBackbone or a BertConfig.*backbone='minilm'"):
        BertSpanQA("minilm")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match=r"`labels` must have the shape \[3, 2\]. Received: labels of shape \[3\]"):
        BertSpanQA(CONFIG).compute(INPUTS, labels=np.zeros(3, "int32"))
    with pytest.raises(ValueError, match=r"`example_weight` must have the shape \[3\].*\[3, 1\]"):
        BertSpanQA(CONFIG).compute(INPUTS, labels=np.zeros((3, 2), "int32"), example_weight=np.ones((3, 1)))
    with pytest.raises(ValueError, match=r"`labels` must have the shape \[2, None, 2\].*\[2, 2\]"):
        BertSpanQA(CONFIG).compute(packed()[0], labels=np.zeros((2, 2), "int32"))
