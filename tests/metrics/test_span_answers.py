from __future__ import annotations

import re
import string

import numpy as np
import pytest

from bert_tf.metrics.span_answers import normalize_answer, squad_scores


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The  Cat's\tTail!", "cats tail"),
        ("a an the", ""),
        ("A theme, an anthem", "theme anthem"),
        ("\u201cthe end\u201d", "\u201c end\u201d"),  # only ASCII punctuation goes
        ("U.S.A.", "usa"),
        ("1,000 km", "1000 km"),
    ],
)
def test_normalized_answers(text, expected):
    assert normalize_answer(text) == expected


def test_the_best_of_several_answers_counts():
    scores = squad_scores(["in the old town", "blue"], [("town", "the old town"), ("red",)])
    assert scores == {"exact_match": 0.0, "f1": pytest.approx((2 * (2 / 3) * 1 / (2 / 3 + 1)) / 2)}
    assert squad_scores(["Old Town."], [("town", "the old town")]) == {"exact_match": 1.0, "f1": 1.0}


def test_repeated_words_count_as_often_as_they_stand():
    assert squad_scores(["very very good"], [("very good",)])["f1"] == pytest.approx(0.8)


def test_words_that_all_fall_away():
    # v1.1 gives no F1 where no word is left, even of equal answers; v2.0 does.
    assert squad_scores(["the"], [("a",)]) == {"exact_match": 1.0, "f1": 0.0}
    assert squad_scores(["the"], [("a",)], no_answer=True)["f1"] == 1.0
    assert squad_scores(["cat"], [("a", "cat")], no_answer=True)["f1"] == 1.0
    assert squad_scores([""], [("a", "cat")], no_answer=True)["exact_match"] == 0.0


def test_questions_without_an_answer():
    scores = squad_scores(["", "red", "blue", ""], [(), (), ("blue",), ("old town",)], no_answer=True)
    assert scores == {
        "exact_match": 0.5,
        "f1": 0.5,
        "has_answer_exact_match": 0.5,
        "has_answer_f1": 0.5,
        "no_answer_exact_match": 0.5,
        "no_answer_f1": 0.5,
    }
    only = squad_scores(["blue"], [("blue",)], no_answer=True)
    assert set(only) == {"exact_match", "f1", "has_answer_exact_match", "has_answer_f1"}


TEXTS = ["red", "blue", "green", "town"]
RIGHT = [(), ("blue",), (), ("old town",)]
DIFFERENCES = [-1.0, -3.0, 2.0, 0.5]


def test_a_difference_above_the_threshold_silences_a_prediction():
    def f1(threshold):
        return squad_scores(TEXTS, RIGHT, no_answer=True, differences=DIFFERENCES, threshold=threshold)["f1"]

    assert f1(0.0) == pytest.approx((0 + 1 + 1 + 0) / 4)
    assert f1(0.5) == pytest.approx((0 + 1 + 1 + 2 / 3) / 4)  # equal is not above
    assert f1(-2.0) == pytest.approx((1 + 1 + 1 + 0) / 4)
    assert f1(-9.0) == pytest.approx(2 / 4)


def test_the_best_threshold_is_the_best_of_all():
    scores = squad_scores(TEXTS, RIGHT, no_answer=True, differences=DIFFERENCES)
    assert (scores["best_f1"], scores["best_f1_threshold"]) == (0.75, -3.0)
    rng = np.random.default_rng(0)
    for _ in range(20):
        count = 12
        differences = rng.integers(-3, 4, count).astype(float)  # many equal ones
        right = [("red",) if has else () for has in rng.random(count) < 0.5]
        texts = ["red" if good else "blue" for good in rng.random(count) < 0.6]
        scores = squad_scores(texts, right, no_answer=True, differences=differences)
        tried = [
            squad_scores(texts, right, no_answer=True, differences=differences, threshold=t)["exact_match"]
            for t in np.arange(-4, 4.5, 0.5)
        ]
        assert scores["best_exact_match"] == pytest.approx(max(tried))
        at = scores["best_exact_match_threshold"]
        again = squad_scores(texts, right, no_answer=True, differences=differences, threshold=at)
        assert again["exact_match"] == pytest.approx(scores["best_exact_match"])


def test_lengths_that_differ():
    with pytest.raises(ValueError, match="Received: 1 predictions, 2 answers"):
        squad_scores(["a"], [(), ()])
    with pytest.raises(ValueError, match="2 answers, 1 differences"):
        squad_scores(["a", "b"], [(), ()], no_answer=True, differences=[1.0])
    with pytest.raises(ValueError, match="at least 1"):
        squad_scores([], [])


def official(text: str, right: list[str], no_answer: bool) -> tuple[float, float]:
    """Exact match and F1 of one question by the rules of evaluate-v1.1.py and evaluate-v2.0.py, written again."""

    def tokens(answer):
        kept = "".join(character for character in answer.lower() if character not in string.punctuation)
        pieces = re.split(r"(\w+)", kept)
        return "".join(" " if piece in ("a", "an", "the") else piece for piece in pieces).split()

    def f1(ours, theirs):
        if no_answer and (not ours or not theirs):
            return float(ours == theirs)
        left, same = list(theirs), 0
        for token in ours:
            if token in left:
                left.remove(token)
                same += 1
        return 2 * same / (len(ours) + len(theirs)) if same else 0.0

    if no_answer:
        right = [answer for answer in right if tokens(answer)] or [""]
    pairs = [(tokens(text), tokens(answer)) for answer in right]
    return max(float(ours == theirs) for ours, theirs in pairs), max(f1(*pair) for pair in pairs)


WORDS = [
    "the",
    "A",
    "an",
    "the-end",
    "Rome",
    "rome",
    "in",
    "U.S.",
    "1,000",
    "—",
    "(x)",
    "‘q’",
    "",
    "İ",
    "é",
    "_the_",
]


@pytest.mark.parametrize("no_answer", [False, True])
def test_scores_are_those_of_the_official_rules(no_answer):
    rng = np.random.default_rng(11 + no_answer)
    texts, rights, wanted = [], [], []
    for _ in range(400):
        text = " ".join(rng.choice(WORDS, rng.integers(0, 5)))
        right = [" ".join(rng.choice(WORDS, rng.integers(0, 4))) for _ in range(rng.integers(1 - no_answer, 4))]
        texts.append(text)
        rights.append(right)
        wanted.append(official(text, right, no_answer))
        found = squad_scores([text], [right], no_answer=no_answer)
        assert (found["exact_match"], found["f1"]) == pytest.approx(wanted[-1]), (text, right)
    whole = squad_scores(texts, rights, no_answer=no_answer)
    assert (whole["exact_match"], whole["f1"]) == pytest.approx(np.mean(wanted, axis=0).tolist())
    assert all(0.05 < share < 0.9 for share in (whole["exact_match"], whole["f1"]))
