"""What is served of questions that a span of a text answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bert_tf.kinds.serving import Contract, Serving, Signatures, TensorNote, Tensors, from_model
from bert_tf.terminal.parts import Line, Marked, Part, Span

AROUND = 200  # characters of a context that are shown on either side of an answer


def span_qa(
    *,
    columns: tuple[str, str],
    no_answer: bool,
    threshold: float,
    n_best: int,
    question_tokens: int,
    answer_tokens: int,
    stride: int,
) -> Serving:
    """Args:
    columns: what the task calls questions and contexts.
    no_answer: whether a question may have none.
    threshold: it has none where that scores more than this above the best span.
    n_best: how many answers are given.
    question_tokens, answer_tokens: the most that a question, and an answer, has.
    stride: tokens that neighbouring windows of a context share.
    """

    from bert_tf.kinds.span_qa.over_texts import as_json

    def decode(found: Any) -> Any:
        import tensorflow as tf

        return tf.stack([found["start_logits"], found["end_logits"]], axis=-1)

    of_n_best = tuple(f"n_best_{name}" for name in ("answer", "start", "end", "score", "logit"))
    return Serving(
        signatures=Signatures(
            counts={"n_best_count": of_n_best},
            inner=("n_best_logit", *(() if no_answer else ("no_answer_score",))),
            tensors=Tensors(run=from_model(lambda x: {"start_logits": x[..., 0], "end_logits": x[..., 1]})),
        ),
        contract=Contract(
            name="Question answerer",
            description="Where in a text (the second) the answer to a question (the first) starts and ends.",
            outputs=(
                TensorNote(name="end_logits", description="How well an answer ends at each token."),
                TensorNote(name="start_logits", description="How well an answer starts at each token."),
            ),
            encode=lambda x: {"end_logits": x[..., 1], "start_logits": x[..., 0]},
            decode=decode,
            per_token=True,
            reader="answerer",
            places=True,
            facts={"no_answer_at": 0 if no_answer else None, "most_answer_tokens": answer_tokens},
            stride=stride,
            text_names=("question", "context"),
            first_tokens=question_tokens,
        ),
        shown=lambda answer: _shown(answer, *columns),
        over_texts=lambda question, texts, answers: as_json(
            question, texts, answers, columns=columns, n_best=n_best, threshold=threshold if no_answer else None
        ),
    )


def _shown(answer: Mapping[str, Any], question: str, context: str) -> list[Part]:
    """The answer in what is around it."""
    parts: list[Part] = [Line(answer[question], is_input=True)]
    sure = f"{100 * answer['score']:.1f} %"
    if not answer["answer"]:
        return [*parts, Line(f"no answer in it ({sure})")]
    span = Span(answer["start"], answer["end"])
    parts.append(Line(f"{answer['answer']} ({sure})", "answer"))
    return [*parts, Marked(answer[context], [span], around=AROUND, name=answer.get("file", ""))]
