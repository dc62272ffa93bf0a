"""Exact match and F1 of answers, as the official evaluation of SQuAD v1.1 and v2.0 defines them, and of other
languages by `bert_tf.metrics.answer_rules`.

Our own: the libraries that have them bring PyTorch, or fetch code from a hub at run time.
Reference: Rajpurkar et al., 2016, https://arxiv.org/abs/1606.05250; 2018, https://arxiv.org/abs/1806.03822
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from bert_tf.metrics.answer_rules import answer_words, normalize_answer
from bert_tf.metrics.languages import check_fit, language_code

SQUAD_METRICS = (
    *("exact_match", "f1"),
    *("has_answer_exact_match", "has_answer_f1", "no_answer_exact_match", "no_answer_f1"),
    *("best_exact_match", "best_exact_match_threshold", "best_f1", "best_f1_threshold"),
)


def answer_scores(
    prediction: str, answers: Sequence[str], *, no_answer: bool = False, language: str = "en"
) -> dict[str, float]:
    """`exact_match` and `f1` of one answer, in [0, 1], by the rules of `squad_scores`.

    Args:
        prediction: what was answered; "" for "no answer".
        answers, no_answer, language: as those of `squad_scores`, of this question.

    >>> answer_scores("the old city of Rome", ["Rome"])
    {'exact_match': 0.0, 'f1': 0.4}
    """
    scores = {"exact_match": _exact_match, "f1": _f1}
    return {
        name: _best(score, prediction, answers, no_answer, language_code(language)) for name, score in scores.items()
    }


def squad_scores(
    predictions: Sequence[str],
    answers: Sequence[Sequence[str]],
    *,
    no_answer: bool = False,
    differences: Sequence[float] | np.ndarray | None = None,
    threshold: float = 0.0,
    language: str = "en",
) -> dict[str, float]:
    """The metrics over E questions, shares in [0, 1].

    Args:
        predictions: the best answer to each question; with `differences` the best that is a text.
        answers: the right ones, any of which will do; none where the question has no answer (v2.0).
        no_answer: whether questions may have no answer: the rules of v2.0.
        differences: for each question, how much better "no answer" scored than the prediction. A prediction stands
            where that is not above the threshold, else the answer is that there is none.
        threshold: see `differences`.
        language: of the answers, a code of ISO 639-1: which words and articles count.
    Returns: exact_match and f1; with `no_answer` those two also over the questions with an answer and without one
        (where there are any), and with `differences` the best values that any threshold gives, and that threshold.
    Raises: ValueError if the arguments are not of one length, or empty, or for an unknown language or one that the
        answers are not in.

    >>> squad_scores(["北京大学"], [["北京"]], language="zh")["f1"]
    0.6666666666666666
    """
    code = language_code(language)
    sizes = {len(predictions), len(answers), len(predictions) if differences is None else len(differences)}
    if len(sizes) > 1 or not len(answers):
        raise ValueError(
            "`predictions`, `answers` and `differences` must be of one length, at least 1. "
            f"Received: {len(predictions)} predictions, {len(answers)} answers"
            + ("" if differences is None else f", {len(differences)} differences")
        )
    check_fit((text for right in answers for text in right), code, "answers")
    pairs = list(zip(predictions, answers, strict=True))
    found = {
        "exact_match": np.array([_best(_exact_match, text, right, no_answer, code) for text, right in pairs]),
        "f1": np.array([_best(_f1, text, right, no_answer, code) for text, right in pairs]),
    }
    if not no_answer:
        return {name: float(values.mean()) for name, values in found.items()}
    answered = np.array([bool(right) for right in answers])
    given = {**found}
    if differences is not None:
        silent = np.asarray(differences, np.float64) > threshold
        given = {name: np.where(silent, ~answered, values) for name, values in found.items()}
    scores = {name: float(values.mean()) for name, values in given.items()}
    for part, chosen in (("has_answer", answered), ("no_answer", ~answered)):
        if chosen.any():
            scores |= {f"{part}_{name}": float(values[chosen].mean()) for name, values in given.items()}
    if differences is not None:
        for name, values in found.items():
            best, at = _best_threshold(values, ~answered, np.asarray(differences, np.float64))
            scores |= {f"best_{name}": best, f"best_{name}_threshold": at}
    return scores


def _best(score, text: str, right: Sequence[str], no_answer: bool, language: str) -> float:
    """The score against the right answer that it is best for."""
    if no_answer:
        right = [answer for answer in right if normalize_answer(answer, language)] or [""]
    return max((score(text, answer, no_answer, language) for answer in right), default=0.0)


def _exact_match(text: str, right: str, no_answer: bool, language: str) -> float:
    return float(normalize_answer(text, language) == normalize_answer(right, language))


def _f1(text: str, right: str, no_answer: bool, language: str) -> float:
    words, right_words = answer_words(text, language), answer_words(right, language)
    if no_answer and not (words and right_words):
        return float(words == right_words)
    same = (Counter(words) & Counter(right_words)).total()
    if not same:
        return 0.0
    precision, recall = same / len(words), same / len(right_words)
    return 2 * precision * recall / (precision + recall)


def _best_threshold(values: np.ndarray, unanswerable: np.ndarray, differences: np.ndarray) -> tuple[float, float]:
    """The best mean over all thresholds, and the lowest threshold that gives it: one of the differences, or below all.

    Args:
        values: the score of each prediction, if it stands.
        unanswerable: the score, 0 or 1, of saying that there is no answer.
    """
    order = np.argsort(differences, kind="stable")
    ordered = differences[order]
    # Number k is the sum if the first k predictions stand.
    sums = unanswerable.sum() + np.append(0.0, np.cumsum((values - unanswerable)[order]))
    possible = np.append(True, np.append(ordered[1:] != ordered[:-1], True))  # equal differences stand or fall together
    k = int(np.argmax(np.where(possible, sums, -1.0)))
    at = ordered[k - 1] if k else np.nextafter(ordered[0], -np.inf)
    return float(sums[k] / len(values)), float(at)
