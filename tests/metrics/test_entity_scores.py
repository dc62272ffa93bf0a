from __future__ import annotations

import math

import pytest

from bert_tf.metrics import entity_scores


def tags(*sentences: str) -> list[list[str]]:
    return [sentence.split() for sentence in sentences]


RIGHT = tags("B-a I-a O B-b", "O O", "B-b B-b")


def test_all_right_and_all_wrong():
    assert entity_scores(RIGHT, RIGHT) == {"f1": 1.0, "precision": 1.0, "recall": 1.0}
    assert entity_scores(tags("O O O O", "O O", "O O"), RIGHT) == {"f1": 0.0, "precision": 0.0, "recall": 0.0}


def test_type_and_both_ends_must_be_right():
    # Of 5 found, 2 are right: the first ends too early, the second is of another type, one is where there is none.
    found = tags("B-a O O B-a", "B-a O", "B-b B-b")
    scores = entity_scores(found, RIGHT)
    assert scores["precision"] == pytest.approx(2 / 5)
    assert scores["recall"] == pytest.approx(2 / 4)
    assert scores["f1"] == pytest.approx(2 * 2 / (5 + 4))


@pytest.mark.parametrize(
    ("found", "right"),
    [
        ("O I-a I-a O", "O B-a I-a O"),  # I without a B begins an entity
        ("B-a I-b O O", "B-a B-b O O"),  # and so does I of another type
        ("I-a B-a O I-b", "B-a B-a O B-b"),
    ],
)
def test_the_rules_are_those_of_conlleval(found, right):
    assert entity_scores(tags(found), tags(right))["f1"] == 1.0


def test_an_entity_does_not_cross_sentences():
    assert entity_scores(tags("B-a", "I-a"), tags("B-a", "B-a"))["f1"] == 1.0


@pytest.mark.parametrize("found", [tags("O O"), tags("O O", "O"), []])
def test_sizes_must_agree(found):
    with pytest.raises(ValueError, match="`predictions` must have a tag for each of `labels`"):
        entity_scores(found, tags("O O", "O O") if found else [])


def test_where_there_is_nothing_to_find():
    nothing = entity_scores(tags("O O"), tags("O O"))
    assert [getattr(nothing[name], "reason", None) for name in ("f1", "precision", "recall")] == [
        "there is no entity to find"
    ] * 3
    wrong = entity_scores(tags("B-a O"), tags("O O"))
    assert (wrong["f1"], wrong["precision"], math.isnan(wrong["recall"])) == (0.0, 0.0, True)
