"""Scores of words, of labels in any scheme."""

from __future__ import annotations

import numpy as np
import pytest
from seqeval.metrics import accuracy_score, f1_score

from bert_tf.data.tagged.label_sets import of_types, read_labels
from bert_tf.kinds.tagging.scoring import UNSEEN, plain_tags, tag_scores

PLAIN = of_types(("a", "b"))  # O, B-a, I-a, B-b, I-b


@pytest.mark.parametrize(
    ("indices", "follows", "tags"),
    [
        ([1, 2, 0, 4], None, "B-a I-a O B-b"),
        ([2, 4, 4], None, "B-a B-b I-b"),
        ([1, UNSEEN, 2], None, "B-a I-a I-a"),  # inside an entity
        ([1, UNSEEN, 1], None, "B-a O B-a"),
        ([1, UNSEEN, 0], None, "B-a O O"),
        ([UNSEEN, 1, UNSEEN], None, "O B-a O"),
        # The digits of a number: the first one's label holds for all.
        ([1, UNSEEN, UNSEEN, 0], [0, 1, 1, 1], "B-a I-a I-a O"),
        ([0, UNSEEN, 3, UNSEEN], [0, 1, 1, 1], "O O B-b I-b"),
        ([1, UNSEEN, UNSEEN], [0, 1, 0], "B-a I-a O"),
    ],
)
def test_words_without_a_label_of_their_own(indices, follows, tags):
    assert plain_tags(PLAIN, np.array(indices), follows) == tags.split()


def test_any_scheme_becomes_the_same_tags():
    for labels, indices in (
        ("O S-a B-a E-a B-b E-b", [1, 0, 2, 3, 4, 5]),
        ("U_b O U_a B_a L_a B_b L_b", [2, 1, 3, 4, 5, 6]),
        ("O a b", [1, 0, 1, 1, 2, 2]),
        ("O I-a I-b X", [1, 3, 1, 1, 2, 2]),
    ):
        found = plain_tags(read_labels(labels.split()), np.array(indices))
        assert found == ["B-a", "O", "B-a", "I-a", "B-b", "I-b"]
    words, indices = read_labels(("NOUN", "VERB")), np.array([0, 0, 1, UNSEEN, UNSEEN])
    found = plain_tags(words, indices, [False, False, False, True, False])
    assert found == ["B-NOUN", "B-NOUN", "B-VERB", "B-VERB", "O"]


def test_scores_are_those_of_seqeval():
    rng = np.random.default_rng(0)
    predicted, right = (
        [plain_tags(PLAIN, rng.integers(0, 5, size)) for size in (5, 9, 1)] for rng in (rng, np.random.default_rng(1))
    )
    found = tag_scores(predicted, right, ("accuracy", "f1"))
    assert found == {"accuracy": accuracy_score(right, predicted), "f1": pytest.approx(f1_score(right, predicted))}


def test_of_a_label_a_word_f1_is_the_accuracy():
    words = read_labels(("NOUN", "VERB", "X"))
    predicted, right = ([plain_tags(words, np.array(tags))] for tags in ([0, 1, 2, 0], [0, 1, 1, 1]))
    assert tag_scores(predicted, right, ("accuracy", "f1", "recall")) == {"accuracy": 0.5, "f1": 0.5, "recall": 0.5}
