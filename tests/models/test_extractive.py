"""BertExtractiveSummarizer: where sentences start, packed rows, loss, files."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest
from safetensors.numpy import load_file

from bert_tf.layers.sentence_score import sentences_of
from bert_tf.models import BertBackbone, BertConfig, BertExtractiveSummarizer, weights_by_path
from tests.checks import check_keras_file

CONFIG = BertConfig(
    vocabulary_size=12,
    hidden_dim=8,
    num_layers=1,
    num_heads=2,
    intermediate_dim=8,
    max_positions=16,
    initializer_range=0.5,
)
# Two texts: sentences of 3, 2 and 4 tokens; one of 3 and one of 2.
TOKENS = [[1, 5, 2, 1, 2, 1, 6, 7, 2], [1, 8, 2, 1, 2]]
SEGMENTS = [[0, 0, 0, 1, 1, 0, 0, 0, 0], [0, 0, 0, 1, 1]]
NUMBERS = [[0, 0, 0, 1, 1, 2, 2, 2, 2], [0, 0, 0, 1, 1]]


@pytest.fixture(scope="module")
def model() -> BertExtractiveSummarizer:
    keras.utils.set_random_seed(2)
    return BertExtractiveSummarizer(CONFIG)


def arrays(**lists):
    return {name: np.array(rows, np.int32) for name, rows in lists.items()}


def padded(rows, length=9):
    return [row + [0] * (length - len(row)) for row in rows]


def unpacked():
    mask = [[1] * len(row) for row in TOKENS]
    return arrays(token_ids=padded(TOKENS), segment_ids=padded(SEGMENTS), padding_mask=padded(mask))


def packed():
    """Both texts in the second of two rows, the shorter one first, and the longer one alone in the first."""
    example_ids = [[1] * 9 + [0] * 7, [1] * 5 + [2] * 9 + [0] * 2]
    positions = [[*range(9)] + [0] * 7, [*range(5), *range(9), 0, 0]]
    return arrays(
        token_ids=[TOKENS[0] + [0] * 7, TOKENS[1] + TOKENS[0] + [0, 0]],
        segment_ids=[SEGMENTS[0] + [0] * 7, SEGMENTS[1] + SEGMENTS[0] + [0, 0]],
        padding_mask=[[int(e > 0) for e in row] for row in example_ids],
        example_ids=example_ids,
        position_ids=positions,
        first_positions=[[0, 0], [0, 5]],
    )


def test_sentences_are_told_apart_by_segments_and_positions_alone():
    in_row, numbers = map(np.array, sentences_of(unpacked()))
    assert in_row.tolist() == [numbers[0].tolist(), NUMBERS[1] + [-1] * 4]
    assert [numbers[0].tolist(), numbers[1, :5].tolist()] == NUMBERS
    in_row, numbers = map(np.array, sentences_of(packed()))
    assert numbers[0, :9].tolist() == NUMBERS[0]
    assert numbers[1, :14].tolist() == NUMBERS[1] + NUMBERS[0]
    assert numbers[0, 9:].tolist() == [0] * 7  # padding stays within the table of places
    one = in_row[1, 0]
    assert (in_row[1] - one).tolist() == [0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 4, 4] + [-1 - one] * 2
    assert in_row[0, 9:].tolist() == [-1] * 7
    whole = arrays(token_ids=TOKENS[:1])
    assert [np.array(found).tolist() for found in sentences_of(whole)] == [[[0] * 9]] * 2


def test_packed_rows_score_as_unpacked_ones(model):
    alone, together = np.array(model(unpacked())), np.array(model(packed()))
    assert alone.shape == (2, 9)
    assert together.shape == (2, 16)
    np.testing.assert_allclose(together[0, :9], alone[0], atol=1e-5)
    np.testing.assert_allclose(together[1, :5], alone[1, :5], atol=1e-5)
    np.testing.assert_allclose(together[1, 5:14], alone[0], atol=1e-5)


def test_the_score_is_a_dense_layer_on_the_mean_of_tokens_and_on_the_place(model):
    from bert_tf.layers.embeddings import sinusoids

    inputs = unpacked()
    tokens, logits = np.array(model.backbone(inputs)["sequence_output"]), np.array(model(inputs))
    weights = weights_by_path(model)
    for e, numbers in enumerate(NUMBERS):
        for number in set(numbers):
            own = np.flatnonzero(np.array(numbers) == number)
            vector = tokens[e, own].mean(axis=0) + sinusoids(16, 8)[number]
            wanted = vector @ np.array(weights["sentence_score/kernel"]) + np.array(weights["sentence_score/bias"])
            np.testing.assert_allclose(logits[e, own], np.full(len(own), wanted[0]), atol=1e-5)


def test_loss_is_the_mean_over_sentences(model):
    labels = np.full((2, 9), -100)
    labels[0, [0, 3, 5]], labels[1, [0, 3]] = [0, 1, 0], [1, 0]
    out = model.compute(unpacked(), labels=labels)
    logits = np.array(out["logits"], np.float64)
    counted = labels >= 0
    p = 1 / (1 + np.exp(-logits[counted]))
    wanted = -np.mean(np.where(labels[counted] == 1, np.log(p), np.log(1 - p)))
    np.testing.assert_allclose(float(out["loss"]), wanted, rtol=1e-5)
    assert float(model.compute(unpacked(), labels=np.full((2, 9), -100))["loss"]) == 0.0
    assert set(model.compute(unpacked())) == {"logits"}
    with pytest.raises(ValueError, match=r"`labels` must have the shape \[2, 9\]. Received: labels of shape \[2, 8\]"):
        model.compute(unpacked(), labels=labels[:, :8])


def test_dropout_depends_on_the_seed_alone():
    model = BertExtractiveSummarizer(CONFIG.replace(hidden_dropout=0.0, attention_dropout=0.0), dropout=0.5)

    def run(step):
        return np.array(model(unpacked(), training=True, seed=np.array([1, step])))

    np.testing.assert_array_equal(run(3), run(3))
    assert np.abs(run(3) - run(4)).max() > 1e-3
    assert np.abs(np.array(model(unpacked(), training=True)) - np.array(model(unpacked()))).max() > 1e-3


def test_files_keep_the_model_and_the_backbone(tmp_path):
    keras.utils.set_random_seed(3)
    model = BertExtractiveSummarizer(CONFIG, dropout=0.25)
    model.save_pretrained(tmp_path / "saved")
    raw = json.loads((tmp_path / "saved" / "config.json").read_text())
    assert raw["architectures"] == ["BertForExtractiveSummarization"]
    tensors = load_file(tmp_path / "saved" / "model.safetensors")
    assert tensors["sentence_score.weight"].shape == (1, 8)
    assert tensors["sentence_score.bias"].shape == (1,)
    assert "bert.embeddings.word_embeddings.weight" in tensors
    assert not any("pooler" in name for name in tensors)

    again = BertExtractiveSummarizer.from_pretrained(tmp_path / "saved")
    assert again.dropout == 0.25
    np.testing.assert_array_equal(np.array(again(unpacked())), np.array(model(unpacked())))
    backbone = BertBackbone.from_pretrained(tmp_path / "saved")
    expected = np.array(model.backbone(unpacked())["sequence_output"])
    np.testing.assert_array_equal(np.array(backbone(unpacked())["sequence_output"]), expected)


def test_a_checkpoint_without_the_head_gets_a_new_one(tmp_path, model):
    model.backbone.save_pretrained(tmp_path / "backbone")
    again = BertExtractiveSummarizer.from_pretrained(tmp_path / "backbone", hidden_dropout=0.3)
    assert again.dropout == 0.3
    ours, theirs = weights_by_path(model), weights_by_path(again)
    np.testing.assert_array_equal(np.array(ours["embeddings/token/table"]), np.array(theirs["embeddings/token/table"]))
    assert np.abs(np.array(theirs["sentence_score/kernel"]) - np.array(ours["sentence_score/kernel"])).max() > 1e-3


def test_a_keras_file_gives_the_model_back(tmp_path, model):
    check_keras_file(model, unpacked(), tmp_path, np.array)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"`backbone` must be a BertBackbone or a BertConfig. Received: backbone='x'"):
        BertExtractiveSummarizer("x")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match=r"`backbone` must have 2 segments or more.* Received: num_segments=1"):
        BertExtractiveSummarizer(CONFIG.replace(num_segments=1))
    with pytest.raises(ValueError, match=r"`dropout` must be a number in \[0, 1\). Received: dropout=1.0"):
        BertExtractiveSummarizer(CONFIG, dropout=1.0)
