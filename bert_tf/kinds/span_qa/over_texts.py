"""One question asked of several texts: the best answers over all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bert_tf.kinds.base import Answer
from bert_tf.sentinels import NEVER

ONE = ("answer", "start", "end", "score")


def over_texts(
    answers: Sequence[Answer], names: Sequence[str], *, n_best: int, threshold: float | None
) -> tuple[int | None, dict[str, Any]]:
    """Answers over several texts, as if each were a window of one: the best spans by their logits, and "no answer" as
    the text scores it that is surest to have one.

    Args:
        answers: rows of `SpanQA.answer_function`, one a text, all of one question.
        names: what each text is called.
        n_best: how many answers are given.
        threshold: "no answer" wins where it scores more than this above the best span; None: only where there is none.
    Returns: the number of the text that the best answer stands in, None where there is no answer; and `answer`,
        `start` and `end` in that text, `score`, `no_answer_score` where there is a threshold, `file`, the text's name,
        and `n_best`, each with its own.
    """
    found = [
        (float(logit), text, bytes(span).decode("utf-8"), int(start), int(end))
        for text, row in enumerate(answers)
        for span, start, end, logit in zip(
            *(row[f"n_best_{name}"] for name in ("answer", "start", "end", "logit")), strict=True
        )
    ]
    found = sorted(found, key=lambda span: -span[0])[:n_best]
    silences = [
        float(row["no_answer_score"]) + float(row["n_best_logit"][0]) for row in answers if len(row["n_best_logit"])
    ]
    nothing = NEVER if threshold is None or not silences else min(silences)
    logits = np.array([nothing, *(span[0] for span in found)], np.float64)
    shares = np.exp(logits - logits.max())
    shares /= shares.sum()
    best = [
        {**dict(zip(ONE, (span, start, end, float(share)), strict=True)), "file": names[text]}
        for (_, text, span, start, end), share in zip(found, shares[1:], strict=True)
    ]
    difference = nothing - found[0][0] if found else -NEVER
    if not found or (threshold is not None and difference > threshold):
        where, one = None, {"answer": "", "start": 0, "end": 0, "score": float(shares[0]), "file": None}
    else:
        where, one = found[0][1], best[0]
    score = {} if threshold is None else {"no_answer_score": difference}
    return where, {**one, **score, "n_best": best}


def as_json(
    question: str,
    texts: Mapping[str, str],
    answers: Sequence[Answer],
    *,
    columns: tuple[str, str],
    n_best: int,
    threshold: float | None,
) -> dict[str, Any]:
    """What predict gives of it: the question, the text that has the answer, under the task's names, and the answer.

    Args:
        texts: those asked, by their names.
        answers: see `over_texts`.
        columns: what the task calls questions and contexts.
    """
    where, found = over_texts(answers, list(texts), n_best=n_best, threshold=threshold)
    context = "" if where is None else list(texts.values())[where]
    return {columns[0]: question, columns[1]: context, **found}
