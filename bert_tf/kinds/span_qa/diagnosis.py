"""Which questions are answered rightly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bert_tf.kinds.base import Answer
from bert_tf.kinds.diagnosis import Answered, Diagnosis, inputs_of, share
from bert_tf.kinds.span_qa.examples import SpanExamples
from bert_tf.metrics.span_answers import answer_scores

NO_ANSWER = "(no answer)"


def diagnose_spans(
    columns: Sequence[str], answers: Sequence[Answer], examples: SpanExamples, *, no_answer: bool, language: str
) -> Diagnosis:
    """Of `SpanQA`: an answer is right where it is an exact match.

    Args:
        columns: of the question and the context.
        no_answer, language: the task's.
    """
    assert examples.answers is not None
    rows = []
    for i, (inputs, answer, right) in enumerate(
        zip(inputs_of(columns, examples.columns), answers, examples.answers, strict=True)
    ):
        text = bytes(answer["answer"]).decode("utf-8")
        texts = list(dict.fromkeys(one.text for one in right))
        scores = answer_scores(text, texts, no_answer=no_answer, language=language)
        rows.append(
            Answered(
                number=i,
                inputs=inputs,
                expected=" | ".join(texts) or NO_ANSWER,
                answered=text or NO_ANSWER,
                is_right=scores["exact_match"] == 1.0,
                confidence=float(answer["score"]),
                scores=scores,
            )
        )
    exact = sum(row.is_right is True for row in rows)
    f1 = np.mean([row.scores["f1"] for row in rows])
    return Diagnosis(
        rows=rows,
        summary=f"The answer is exactly right for {share(exact, len(rows))} questions; "
        f"on average it shares {100 * f1:.1f} % of its words with a right one (F1).",
        tables={"questions with and without an answer": _parts(rows)} if no_answer else {},
    )


def _parts(rows: Sequence[Answered]) -> list[Mapping[str, Any]]:
    """Scores of the questions that have an answer, and of those that have none."""
    table = []
    for name, has_none in (("with an answer", False), ("without one", True)):
        part = [row for row in rows if (row.expected == NO_ANSWER) == has_none]
        if part:
            scores = {score: float(np.mean([row.scores[score] for row in part])) for score in ("exact_match", "f1")}
            silent = sum(row.answered == NO_ANSWER for row in part)
            table.append({"questions": name, "count": len(part), "answered with nothing": silent, **scores})
    return table
