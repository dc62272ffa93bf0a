"""What is served of questions that a span of a text answers."""

from __future__ import annotations

from typing import Any

from bert_tf.kinds.serving import Contract, Serving, Signatures, TensorNote, Tensors, from_model


def span_qa(*, no_answer: bool, question_tokens: int, answer_tokens: int, stride: int) -> Serving:
    """Args:
    no_answer: whether a question may have none.
    question_tokens, answer_tokens: the most that a question, and an answer, has.
    stride: tokens that neighbouring windows of a context share.
    """

    def decode(found: Any) -> Any:
        import tensorflow as tf

        return tf.stack([found["start_logits"], found["end_logits"]], axis=-1)

    n_best = tuple(f"n_best_{name}" for name in ("answer", "start", "end", "score", "logit"))
    return Serving(
        signatures=Signatures(
            counts={"n_best_count": n_best},
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
    )
