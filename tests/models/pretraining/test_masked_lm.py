"""BERT with the heads of its pre-training."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from bert_tf.models import BertBackbone, BertConfig, BertMaskedLM, BertPretrainer, weights_by_path
from tests.checks import check_keras_file

CONFIG = BertConfig(
    vocabulary_size=30,
    hidden_dim=8,
    num_layers=2,
    num_heads=2,
    intermediate_dim=16,
    max_positions=12,
    initializer_range=0.5,
    hidden_dropout=0.0,
    attention_dropout=0.0,
)
IDS = np.array([[2, 9, 4, 11, 3, 7, 3], [2, 4, 4, 3, 0, 0, 0]], np.int32)
INPUTS = {
    "token_ids": IDS,
    "segment_ids": np.array([[0, 0, 0, 0, 0, 1, 1], [0] * 7], np.int32),
    "padding_mask": (IDS > 0).astype(np.int32),
}
POSITIONS = np.array([[2, 5, 0], [1, 2, 3]], np.int32)
TARGETS = np.array([[8, 7, -100], [6, 29, -100]], np.int32)
BOTH = pytest.mark.parametrize("cls", [BertMaskedLM, BertPretrainer])


@pytest.fixture
def models() -> tuple[BertMaskedLM, BertPretrainer]:
    keras.utils.set_random_seed(0)
    return BertMaskedLM(CONFIG), BertPretrainer(CONFIG)


def cross_entropy(logits, label) -> float:
    logits = np.asarray(logits, np.float64)
    return float(np.log(np.exp(logits - logits.max()).sum()) + logits.max() - logits[label])


@BOTH
def test_logits_of_all_tokens_and_of_some(cls):
    model = cls(CONFIG)
    outputs = model(INPUTS)
    assert outputs["masked_lm_logits"].shape == (2, 7, 30)
    some = model({**INPUTS, "masked_positions": POSITIONS})
    for row in range(2):
        np.testing.assert_allclose(
            some["masked_lm_logits"][row], np.asarray(outputs["masked_lm_logits"])[row, POSITIONS[row]], atol=1e-5
        )
    assert ("pair_logits" in outputs) == (cls is BertPretrainer)


@BOTH
def test_losses_of_targets_are_their_cross_entropies(cls):
    model = cls(CONFIG)
    inputs = {**INPUTS, "masked_positions": POSITIONS}
    logits = np.asarray(model(inputs)["masked_lm_logits"])
    losses = np.asarray(model({**inputs, "target_ids": TARGETS})["masked_lm_losses"])
    assert losses.shape == (2, 3)
    for row, place in np.ndindex(2, 3):
        wanted = 0.0 if TARGETS[row, place] < 0 else cross_entropy(logits[row, place], TARGETS[row, place])
        assert losses[row, place] == pytest.approx(wanted, abs=1e-5)


def test_the_loss_is_the_sum_of_both_means(models):
    masked_lm, both = models
    labels = np.full((2, 7), -100)
    labels[0, 2], labels[0, 5], labels[1, 1] = 8, 7, 6
    outputs = both.compute(INPUTS, labels=labels, pair_labels=[1, -100])
    logits = np.asarray(outputs["masked_lm_logits"])
    wanted = np.mean([cross_entropy(logits[r, t], labels[r, t]) for r, t in ((0, 2), (0, 5), (1, 1))])
    wanted += cross_entropy(np.asarray(outputs["pair_logits"])[0], 1)
    assert float(outputs["loss"]) == pytest.approx(wanted, abs=1e-5)
    short = both.compute({**INPUTS, "masked_positions": POSITIONS}, labels=TARGETS)
    assert float(short["loss"]) == pytest.approx(
        np.asarray(both({**INPUTS, "masked_positions": POSITIONS, "target_ids": TARGETS})["masked_lm_losses"]).sum()
        / 4,
        abs=1e-5,
    )
    assert "loss" not in masked_lm.compute(INPUTS)


def test_packed_rows_have_a_pair_for_each_example(models):
    _, model = models
    packed = {
        "token_ids": np.array([[2, 9, 3, 2, 7, 3]]),
        "segment_ids": np.zeros((1, 6), int),
        "example_ids": np.array([[1, 1, 1, 2, 2, 2]]),
        "position_ids": np.array([[0, 1, 2, 0, 1, 2]]),
        "first_positions": np.array([[0, 3]]),
    }
    found = np.asarray(model(packed)["pair_logits"])
    alone = np.asarray(model({"token_ids": np.array([[2, 9, 3], [2, 7, 3]])})["pair_logits"])
    np.testing.assert_allclose(found[0], alone, atol=1e-5)


@BOTH
def test_the_head_is_tied_to_the_token_vectors_and_all_weights_learn(cls):
    model = cls(CONFIG)
    paths = weights_by_path(model)
    assert not [path for path in paths if path.startswith("masked_lm") and paths[path].shape[-1:] == (30,)][1:]
    inputs = {**INPUTS, "masked_positions": POSITIONS, "target_ids": TARGETS}
    variables = {path: weight.value for path, weight in paths.items() if weight.trainable}
    assert ("pooler/dense/kernel" in variables) == (cls is BertPretrainer)
    with tf.GradientTape() as tape:
        outputs = model(inputs, training=True)
        loss = tf.reduce_sum(outputs["masked_lm_losses"])
        loss += tf.reduce_sum(outputs["pair_logits"][:, 0]) if cls is BertPretrainer else 0.0
    gradients = dict(zip(variables, tape.gradient(loss, list(variables.values())), strict=True))
    assert not [path for path, gradient in gradients.items() if gradient is None]
    table = np.asarray(tf.convert_to_tensor(gradients["embeddings/token/table"]))
    assert np.abs(table[29]).max() > 0  # a token that is only a target
    assert np.abs(table[20]).max() > 0  # and one that is neither


@BOTH
@pytest.mark.parametrize("form", ["hugging_face", "google"])
def test_files_hold_the_heads(cls, form, tmp_path):
    model = cls(CONFIG)
    model.save_pretrained(tmp_path / "saved", format=form)
    again = cls.from_pretrained(tmp_path / "saved", hidden_dropout=0.0, attention_dropout=0.0)
    for name, value in model(INPUTS).items():
        np.testing.assert_array_equal(again(INPUTS)[name], value, err_msg=name)
    if form == "hugging_face":
        assert f'"{cls.architecture}"' in (tmp_path / "saved" / "config.json").read_text()
    other = BertPretrainer if cls is BertMaskedLM else BertMaskedLM  # the second head is new, or left aside
    np.testing.assert_array_equal(
        other.from_pretrained(tmp_path / "saved")(INPUTS)["masked_lm_logits"], model(INPUTS)["masked_lm_logits"]
    )


@BOTH
def test_a_keras_file(cls, tmp_path):
    check_keras_file(cls(CONFIG), INPUTS, tmp_path, lambda outputs: outputs["masked_lm_logits"])


def test_positions_are_repeated_where_a_model_has_more_than_its_checkpoint(tmp_path):
    BertBackbone(CONFIG).save_pretrained(tmp_path / "short")
    model = BertMaskedLM.from_pretrained(tmp_path / "short", max_positions=30)
    table = np.asarray(weights_by_path(model)["embeddings/position/table"])
    assert model.config.max_positions == 30
    np.testing.assert_array_equal(table[:12], table[12:24])
    np.testing.assert_array_equal(table[24:], table[:6])
    assert model({"token_ids": np.full((1, 30), 7)})["masked_lm_logits"].shape == (1, 30, 30)


def test_wrong_uses(models):
    masked_lm, _ = models
    with pytest.raises(ValueError, match=r"`inputs` must have masked_positions where it has target_ids"):
        masked_lm({**INPUTS, "target_ids": TARGETS})
    with pytest.raises(ValueError, match=r"`pair_labels` are for BertPretrainer. Received: .* BertMaskedLM"):
        masked_lm.compute(INPUTS, pair_labels=[0, 1])
    with pytest.raises(ValueError, match=r"`labels` must have the shape \[2, 7\]. Received: labels of shape \[2\]"):
        masked_lm.compute(INPUTS, labels=[0, 1])


@BOTH
def test_the_call_compiles(cls):
    model = cls(CONFIG)
    inputs = {**INPUTS, "masked_positions": POSITIONS, "target_ids": TARGETS}
    tensors = {name: tf.constant(value) for name, value in inputs.items()}
    compiled = tf.function(lambda x: model(x, training=False)["masked_lm_losses"], jit_compile=True)(tensors)
    np.testing.assert_allclose(compiled, model(inputs)["masked_lm_losses"], atol=1e-4)
