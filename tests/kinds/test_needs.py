"""What kinds need to learn, and what the same answer to everything would score."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from bert_tf.data import InMemory
from bert_tf.kinds import Classification, Examples, MultiLabel, Regression
from bert_tf.kinds.definitions import load_task

NOTHING = InMemory({})
TEXTS = ["a", "b", "c", "d"]


def classification(*metrics: str) -> Classification:
    return Classification(source=NOTHING, text=("text",), label="label", classes=("x", "y", "z"), sequence_length=8,
                          metrics=metrics)  # fmt: skip


def test_the_commonest_class_is_the_guess():
    labels = np.array([1, 1, 2, 1])
    examples = Examples(texts=TEXTS, labels=labels)
    assert classification("accuracy").score_of_a_guess(examples) == 0.75
    expected = f1_score(labels, np.full(4, 1), average="macro", labels=[0, 1, 2], zero_division=0)  # pyright: ignore[reportArgumentType]
    assert classification("f1_macro").score_of_a_guess(examples) == pytest.approx(expected)


def test_labels_that_mostly_hold_are_the_guess():
    labels = np.array([[1, 0], [1, 0], [0, 1], [1, 0]])
    kind = MultiLabel(source=NOTHING, text=("text",), classes=("p", "q"), label="labels", sequence_length=8)
    expected = f1_score(labels, np.tile([1, 0], (4, 1)), average="micro")
    assert kind.score_of_a_guess(Examples(texts=TEXTS, labels=labels)) == pytest.approx(expected)


def test_the_mean_is_the_guess_and_correlates_with_nothing():
    kind = Regression(source=NOTHING, text=("text",), label="score", sequence_length=8)
    labels = np.array([[1.0], [2.0], [3.0], [5.0]], np.float32)
    assert kind.score_of_a_guess(Examples(texts=TEXTS, labels=labels)) == 0.0


def test_the_place_that_is_mostly_right_is_the_guess():
    kind = load_task("swag")
    examples = kind.read("sample", "validation")
    assert kind.score_of_a_guess(examples) == 0.25  # each place is right as often as the others


def test_a_guess_finds_no_names_and_writes_no_answer():
    for name in ("wnut17", "squad"):
        kind = load_task(name)
        assert kind.score_of_a_guess(kind.read("sample", "validation")) == 0.0
    assert load_task("pretrain").score_of_a_guess(Examples(texts=TEXTS)) is None


def test_many_classes_need_many_updates_and_raw_text_has_no_number_of_examples():
    few, many = load_task("sst2").needs, load_task("banking77").needs
    assert few is not None
    assert many is not None
    assert many.updates > 4 * few.updates
    assert (few.head_first, many.head_first) == (200, 7700)
    assert load_task("pretrain").needs is None
    names = tuple(map(str, range(1000)))
    of_a_thousand = Classification(
        source=NOTHING, text=("text",), label="label", classes=names, sequence_length=8
    ).needs
    assert of_a_thousand.head_first == 10_000
