"""Answers to long texts: made by hand of those that a model without windows gives, in NumPy."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit, softmax

from bert_tf import Pipeline
from bert_tf.data import InMemory, choose_layout, plan_epoch, replica_batches
from bert_tf.exporting.saved_model.signatures import signatures_of
from bert_tf.kinds import Classification, Embedding, Examples, MultiLabel, Regression, Retrieval
from bert_tf.kinds.long_texts.notes import notes_of
from bert_tf.kinds.long_texts.windows import Windows
from bert_tf.models import BertClassifier, BertConfig, BertEmbedder
from bert_tf.models.base import inputs_of
from bert_tf.text import BertTokenizer
from bert_tf.training.optimizers.adamw import AdamW
from bert_tf.training.optimizers.schedule import Schedule
from bert_tf.training.step import TrainStep
from tests.conftest import VOCABULARY
from tests.text.reference import reference

LENGTH, OVERLAP = 8, 2
TEXTS = ["a b c d e f g h i j k", "good film", "", "a b c d e f", "a b c d e f g", "bad, bad film! " * 6, "x"]
SHORT = [TEXTS[i] for i in (1, 2, 3, 6)]
TOKENIZER = BertTokenizer(VOCABULARY)
OF_TEXT: dict[str, Any] = {"source": InMemory({}), "text": ("text",), "sequence_length": LENGTH}
WINDOWS: dict[str, Any] = {"long_texts": "windows", "window_overlap": 0.34}
CLASSIFICATION = Classification(label="label", classes=("x", "y", "z"), **OF_TEXT, **WINDOWS)
CONFIG = BertConfig(
    vocabulary_size=len(VOCABULARY), hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8,
    initializer_range=0.5, hidden_dropout=0.0, attention_dropout=0.0,
)  # fmt: skip


@pytest.fixture(scope="module")
def classifier() -> BertClassifier:
    keras.utils.set_random_seed(5)
    return BertClassifier(CONFIG, 3)


@pytest.fixture(scope="module")
def embedder() -> BertEmbedder:
    keras.utils.set_random_seed(6)
    return BertEmbedder(CONFIG)


RETRIEVAL = Retrieval(source=InMemory({}), sequence_length=LENGTH, **WINDOWS)
COUNTS = [3, 1, 1, 1, 2, 7, 1]


def windows_by_hand(texts: list[str]) -> list[list[list[int]]]:
    tokenizer = reference(VOCABULARY)
    tokenizer.enable_truncation(LENGTH, stride=OVERLAP)
    return [[one.ids for one in (found, *found.overflowing)] for found in map(tokenizer.encode, texts)]


def outputs_by_hand(model: Any, texts: list[str]) -> list[np.ndarray]:
    """What the model gives for each window, a call of the model a window: float64 [w, C] for each text."""
    return [
        np.array([model({"token_ids": np.array([ids], np.int32)}).numpy()[0] for ids in windows], np.float64)
        for windows in windows_by_hand(texts)
    ]


def mean_by_hand(outputs: list[np.ndarray], texts: list[str]) -> np.ndarray:
    """float64 [B, C]: a window counts as much as it has tokens that no window before it has."""
    found = []
    for rows, windows in zip(outputs, windows_by_hand(texts), strict=True):
        new = np.array([len(ids) - 2 - OVERLAP * (i > 0) for i, ids in enumerate(windows)], np.float64)
        found.append((new / new.sum() if len(windows) > 1 else np.ones(1)) @ rows)
    return np.array(found)


@pytest.fixture(scope="module")
def outputs(classifier: BertClassifier) -> list[np.ndarray]:
    """Logits of each window of TEXTS."""
    return outputs_by_hand(classifier, TEXTS)


@pytest.fixture(scope="module")
def shares(outputs: list[np.ndarray]) -> np.ndarray:
    """Probabilities of the classes of TEXTS, [B, 3]."""
    return mean_by_hand([softmax(rows, axis=-1) for rows in outputs], TEXTS)


@pytest.fixture(scope="module")
def pipelines(classifier: BertClassifier, embedder: BertEmbedder) -> dict[str, Pipeline]:
    """Of classes and of vectors, with windows and without, each traced once."""
    kinds = {"classes": (CLASSIFICATION, classifier), "vectors": (RETRIEVAL, embedder)}
    return {
        f"{what}, {name}": Pipeline(model, TOKENIZER, dataclasses.replace(kind, long_texts=name))
        for what, (kind, model) in kinds.items()
        for name in ("cut", "windows")
    }


def eager(kind: Any, model: Any, texts: list[str]) -> dict[str, Any]:
    """What the answer's function gives when it is run without a graph."""
    return kind.answer_function(model, TOKENIZER).python_function(tf.constant(texts))


def test_classes_labels_and_numbers_of_a_mixed_batch(classifier, outputs, shares, pipelines):
    assert [len(windows) for windows in windows_by_hand(TEXTS)] == COUNTS
    found = pipelines["classes, windows"].rows(TEXTS)
    np.testing.assert_allclose([answer["probabilities"] for answer in found], shares, atol=1e-6)
    assert [answer["label_index"] for answer in found] == shares.argmax(axis=-1).tolist()
    assert [answer["text_windows"] for answer in found] == COUNTS
    labels = MultiLabel(classes=("x", "y", "z"), **OF_TEXT, **WINDOWS)
    expected = mean_by_hand([expit(rows) for rows in outputs], TEXTS)
    np.testing.assert_allclose(eager(labels, classifier, TEXTS)["probabilities"], expected, atol=1e-6)
    numbers = Regression(label=("x", "y", "z"), **OF_TEXT, **WINDOWS)
    expected = mean_by_hand(outputs, TEXTS)
    np.testing.assert_allclose(eager(numbers, classifier, TEXTS)["values"], expected, atol=1e-6)


def test_a_text_that_fits_is_answered_bit_for_bit_as_without_windows(pipelines):
    for what in ("classes", "vectors"):
        cut, windows = (pipelines[f"{what}, {name}"].rows(SHORT) for name in ("cut", "windows"))
        for ours, theirs in zip(windows, cut, strict=True):
            assert set(ours) - set(theirs) == {"text_windows"}
            for name, value in theirs.items():
                np.testing.assert_array_equal(ours[name], value, err_msg=name)


def test_vectors_are_the_mean_of_the_windows_with_their_mean_length(embedder, pipelines):
    outputs = outputs_by_hand(embedder, TEXTS)
    means = mean_by_hand(outputs, TEXTS)
    vectors = np.stack([answer["vector"] for answer in pipelines["vectors, windows"].rows(TEXTS)])
    np.testing.assert_allclose(vectors, means / np.linalg.norm(means, axis=-1, keepdims=True), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=-1), 1.0, rtol=1e-6)
    longer = [rows * np.arange(1, len(rows) + 1)[:, None] for rows in outputs]  # of the lengths 1, 2, 3, ...
    means, lengths = (
        mean_by_hand(some, TEXTS) for some in (longer, [np.linalg.norm(x, axis=-1, keepdims=True) for x in longer])
    )
    example = np.repeat(np.arange(len(TEXTS)), COUNTS).astype(np.int32)
    new = [len(ids) - 2 - OVERLAP * (i > 0) for windows in windows_by_hand(TEXTS) for i, ids in enumerate(windows)]
    windows = Windows(tf.constant(example), tf.constant(new))
    found = RETRIEVAL.merge(tf.constant(np.concatenate(longer), tf.float32), windows, embedder)
    np.testing.assert_allclose(found, lengths * means / np.linalg.norm(means, axis=-1, keepdims=True), rtol=1e-4)


def test_each_word_of_a_long_text_has_one_vector_that_of_its_first_window(embedder, pipelines):
    found = eager(dataclasses.replace(RETRIEVAL, word_vectors=True), embedder, TEXTS)
    plain = np.stack([answer["vector"] for answer in pipelines["vectors, windows"].rows(TEXTS)])
    np.testing.assert_allclose(found["vector"], plain, atol=1e-6)
    whole = [reference(VOCABULARY).encode(text) for text in TEXTS]
    assert found["token"].to_list() == [[token.encode() for token in one.tokens[1:-1]] for one in whole]
    assert found["start"].to_list() == [[start for start, _ in one.offsets[1:-1]] for one in whole]
    assert found["end"].to_list() == [[end for _, end in one.offsets[1:-1]] for one in whole]
    for text in (0, 1, 2):
        windows = windows_by_hand(TEXTS)[text]
        vectors = [embedder.vectors({"token_ids": np.array([ids], np.int32)})["word_vectors"][0] for ids in windows]
        own = [np.asarray(rows)[1 + OVERLAP * (i > 0) : -1] for i, rows in enumerate(vectors)]
        np.testing.assert_allclose(found["token_vector"][text], np.concatenate(own), atol=1e-5)


def test_a_prompt_stands_before_the_first_window(embedder, pipelines):
    texts, plain = TEXTS[:2], pipelines["vectors, windows"].rows([f"bad: {text}" for text in TEXTS[:2]])
    embedder.prompt = "bad: "
    try:
        found = eager(dataclasses.replace(RETRIEVAL, word_vectors=True), embedder, texts)
    finally:
        embedder.prompt = ""
    np.testing.assert_allclose(found["vector"], [answer["vector"] for answer in plain], atol=1e-6)
    assert found["token"].to_list() == [[x.encode() for x in "abcdefghijk"], [b"good", b"film"]]
    assert found["start"].to_list() == [list(range(0, 22, 2)), [0, 5]]


def test_answers_say_so_only_where_there_were_windows_or_a_cut(classifier, pipelines):
    whole = [len(reference(VOCABULARY).encode(text).ids) for text in TEXTS]
    found = pipelines["classes, windows"](TEXTS)
    assert [answer.get("windows") for answer in found] == [n if n > 1 else None for n in COUNTS]
    assert not any("cut_tokens" in answer for answer in found)
    found = pipelines["classes, cut"](TEXTS)
    assert not any("windows" in answer for answer in found)
    assert [answer.get("cut_tokens") for answer in found] == [max(n - LENGTH, 0) or None for n in whole]
    assert set(found[1]) == {"text", "label", "score", "probabilities"}
    found = eager(dataclasses.replace(CLASSIFICATION, max_windows=2), classifier, TEXTS)
    lost = [max(n - 2 - (2 * 6 - OVERLAP), 0) for n in whole]
    rows = [{name: found[name][i] for name in ("cut_tokens", "text_windows")} for i in range(len(TEXTS))]
    assert [notes_of(row).get("cut_tokens", 0) for row in rows] == lost
    assert [notes_of(row).get("windows", 1) for row in rows] == [min(n, 2) for n in COUNTS]


@pytest.mark.parametrize("batching", ["packed", "padded"])
def test_windows_of_a_data_set_in_any_batches_give_the_answers_to_the_texts(classifier, shares, batching):
    features = CLASSIFICATION.features(TOKENIZER, Examples(texts=TEXTS, labels=np.arange(7) % 3))
    layout = choose_layout(features.lengths, 8, batching=batching, pack_length=24 if batching == "packed" else None)
    logits = np.zeros((len(features), 3), np.float32)
    for batch in replica_batches(features, plan_epoch(features.lengths, layout, seed=1, epoch=0)):
        index = batch["example_index"]
        logits[index[index >= 0]] = classifier(inputs_of(batch)).numpy()[index >= 0]
    found = CLASSIFICATION.of_examples(classifier, list(logits), features)
    np.testing.assert_allclose(softmax(found, axis=-1), shares, atol=1e-5)


def test_scores_in_training_are_those_of_raw_text(classifier, pipelines):
    examples = Examples(texts=TEXTS, labels=np.arange(7) % 3)
    features = CLASSIFICATION.features(TOKENIZER, examples)
    scores = CLASSIFICATION.scorer(classifier, TOKENIZER, features, examples, batch_examples=16)()
    assert scores == pytest.approx(CLASSIFICATION.measure_answers(pipelines["classes, windows"].rows(TEXTS), examples))


def test_a_text_counts_once_in_training_as_by_hand(classifier):
    texts, labels = TEXTS[:5], np.array([0, 1, 2, 0, 1])
    features = CLASSIFICATION.features(TOKENIZER, Examples(texts=texts, labels=labels))
    layout = choose_layout(features.lengths, len(features), batching="padded")
    (batch,) = replica_batches(features, plan_epoch(features.lengths, layout, seed=1, epoch=0))
    assert batch["loss_divisor"] == pytest.approx(5)
    weights = {weight.path: weight.value for weight in classifier.trainable_weights}
    optimizer = AdamW(weights, Schedule(peak=1e-3, total_steps=10))
    step = TrainStep(classifier, CLASSIFICATION.per_example_loss, optimizer)
    tensors = {name: tf.constant(value) for name, value in batch.items()}
    losses, gradients = step.gradients_of(tensors, tf.constant(1.0), tf.constant(0, tf.int64))
    with tf.GradientTape() as tape:
        total = tf.constant(0.0)
        for windows, label in zip(windows_by_hand(texts), labels, strict=True):
            for ids in windows:
                logits = classifier({"token_ids": tf.constant([ids])})
                loss = tf.nn.sparse_softmax_cross_entropy_with_logits([label], logits)
                total += tf.reduce_sum(loss) / (len(windows) * len(texts))
    np.testing.assert_allclose(losses[0], total, rtol=1e-5)
    expected = tape.gradient(total, optimizer.variables_to_train)
    for ours, theirs in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(ours, tf.convert_to_tensor(theirs), atol=1e-5)


def test_vectors_learn_from_first_windows_and_are_scored_on_all(embedder, pipelines):
    texts = [text for text in TEXTS if text]
    rows = [{"a": text, "b": texts[-1 - i], "s": i / 6} for i, text in enumerate(texts)]
    kind = Embedding(source=InMemory({"train": rows}), text=("a", "b"), score="s", sequence_length=LENGTH, **WINDOWS)
    examples = kind.read("own", "train")
    cut, windows = (
        dataclasses.replace(kind, long_texts=name).features(TOKENIZER, examples) for name in ("cut", "windows")
    )
    assert len(windows.splits) > len(cut.splits)
    batches = []
    for features in (cut, windows):
        layout = choose_layout(features.lengths, 3, batching="padded")
        batches.append(list(replica_batches(features, plan_epoch(features.lengths, layout, seed=1, epoch=0))))
    for ours, theirs in zip(batches[1], batches[0], strict=True):
        for name, value in theirs.items():
            np.testing.assert_array_equal(ours[name], value, err_msg=name)
    scores = kind.scorer(embedder, TOKENIZER, windows, examples, batch_examples=16)()
    answers = pipelines["vectors, windows"].rows(examples.texts)
    assert scores == pytest.approx(kind.measure_answers(answers, examples), abs=1e-5)


@pytest.mark.slow
def test_what_is_served_gives_what_predict_does(classifier, pipelines):
    signatures, counts = signatures_of(CLASSIFICATION, classifier, TOKENIZER, sequence_length=LENGTH)
    found = signatures["details"](text=tf.constant(TEXTS))
    for i, answer in enumerate(pipelines["classes, windows"].rows(TEXTS)):
        assert set(found) == set(answer)
        for name, value in answer.items():
            if np.asarray(value).dtype == np.float32:
                np.testing.assert_allclose(found[name][i], value, atol=1e-6)
            else:
                assert found[name][i].numpy() == value
    assert set(signatures["serving_default"].structured_outputs) == {"label", "probabilities", "score"}
    assert signatures["details"].structured_outputs["logits"].shape.as_list() == [None, 3]
    assert counts == {}
