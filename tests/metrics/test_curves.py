"""What is drawn of answers, against loops that share nothing with the library."""

from __future__ import annotations

import numpy as np
import pytest

from bert_tf.metrics.curves import calibration, confusion_matrix, precision_recall
from bert_tf.metrics.entities import entity_scores, entity_table


def test_calibration_is_that_of_bins_counted_one_by_one():
    draw = np.random.default_rng(0)
    sure = np.concatenate([draw.uniform(size=300), [0.0, 0.1, 0.3, 1.0]])  # edges of bins too
    right = draw.uniform(size=304) < sure**2
    found = calibration(sure, right, bins=10)
    bins: dict[int, list[tuple[float, bool]]] = {}
    edges = [k / 10 for k in range(1, 10)]
    for one, good in zip(sure.tolist(), right.tolist(), strict=True):
        bins.setdefault(sum(one > edge for edge in edges), []).append((one, good))
    error = 0.0
    for place, k in enumerate(sorted(bins)):
        members = bins[k]
        mean_sure = sum(one for one, _ in members) / len(members)
        mean_right = sum(good for _, good in members) / len(members)
        assert found.counts[place] == len(members)
        np.testing.assert_allclose([found.confidence[place], found.accuracy[place]], [mean_sure, mean_right])
        error += len(members) / 304 * abs(mean_sure - mean_right)
    assert found.expected_error == pytest.approx(error)
    assert error > 0.05


def test_empty_bins_are_left_out():
    found = calibration(np.array([0.05, 0.95]), np.array([False, True]))
    assert found.counts.tolist() == [1, 1]
    assert found.expected_error == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("sure", "right", "came"), [([], [], r"\(0,\)"), ([1.5], [True], "1.5"), ([0.5], [True, False], r"\(2,\)")]
)
def test_calibration_refuses_what_cannot_be(sure, right, came):
    with pytest.raises(ValueError, match=came):
        calibration(np.array(sure), np.array(right))


def test_a_curve_of_precision_and_recall_by_hand():
    curve = precision_recall(np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, False]))
    assert curve is not None
    assert curve.recall.tolist() == [1.0, 1.0, 0.5, 0.5, 0.0]
    np.testing.assert_allclose(curve.precision, [1 / 2, 2 / 3, 1 / 2, 1.0, 1.0])
    assert curve.average == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert precision_recall(np.array([0.5]), np.array([False])) is None


def test_confusion_has_a_row_for_each_class_that_no_example_has():
    found = confusion_matrix(np.array([2, 0, 0]), np.array([0, 0, 2]), 4)
    assert found.tolist() == [[1, 0, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]


def test_entities_by_type_are_counted_by_their_places():
    right = [["B-PER", "I-PER", "O", "B-LOC"], ["B-LOC", "O"]]
    ours = [["B-PER", "O", "O", "B-LOC"], ["I-LOC", "B-ORG"]]
    table = {row["type"]: row for row in entity_table(ours, right)}
    assert list(table) == ["LOC", "ORG", "PER"]
    assert table["LOC"] == {"type": "LOC", "precision": 1.0, "recall": 1.0, "f1": 1.0, "entities": 2, "found": 2}
    assert table["ORG"] == {"type": "ORG", "precision": 0.0, "recall": None, "f1": 0.0, "entities": 0, "found": 1}
    assert table["PER"] == {"type": "PER", "precision": 0.0, "recall": 0.0, "f1": 0.0, "entities": 1, "found": 1}
    assert entity_table([["O"]], [["O"]]) == []
    # Two of three found and two of four named are right: what the micro average says, too.
    assert entity_scores(ours, right)["precision"] == pytest.approx(2 / 4)
