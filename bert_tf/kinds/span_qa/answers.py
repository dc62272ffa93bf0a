"""Span answers from raw strings, in one graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from bert_tf.kinds.long_texts.notes import CUT_TOKENS, TEXT_TOKENS
from bert_tf.kinds.spans import in_parts, is_span, merge_windows, window_spans
from bert_tf.models.base import inputs_of
from bert_tf.sentinels import NEVER

Answers = Callable[[tf.Tensor, tf.Tensor], dict[str, Any]]


def make_answer(
    model: Any,
    windows: Callable[..., dict[str, tf.Tensor]],
    *,
    answer_tokens: int,
    n_best: int,
    threshold: float | None,
) -> Answers:
    """What `SpanQA.answer_function` wraps in a `tf.function`.

    Args:
        model: gives float32 [W, T, 2].
        windows: questions and contexts, string [B], to the rows of `question_windows`.
        threshold: "no answer" wins where it scores more than this above the best span; None: only where there is no
            span, which is where the context has no token.
    """
    signature = {
        "score": tf.TensorSpec([None, n_best], tf.float32),
        "start": tf.TensorSpec([None, n_best], tf.int32),
        "end": tf.TensorSpec([None, n_best], tf.int32),
        "no_answer": tf.TensorSpec([None], tf.float32),
    }

    def spans_of(rows: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        logits = tf.cast(model(inputs_of(rows), training=False), tf.float32)  # [W, T, 2]
        return window_spans(logits, rows, answer_tokens=answer_tokens, n_best=n_best)

    def answer(questions: tf.Tensor, contexts: tf.Tensor) -> dict[str, Any]:
        rows = windows(questions, contexts)
        lengths = {name: rows.pop(name) for name in (TEXT_TOKENS, CUT_TOKENS)}
        example = rows.pop("example")
        spans = in_parts(spans_of, rows, signature)
        best = merge_windows(spans, example, tf.size(questions), n_best=n_best)
        found = is_span(best["score"])  # [B, N]
        start, end = best["start"], best["end"]  # [B, N]
        with tf.device("CPU"):
            texts = tf.strings.unicode_transcode(contexts, "UTF-8", "UTF-8")  # as the offsets count
            answers = tf.strings.substr(texts[:, None], start, end - start, unit="UTF8_CHAR")  # [B, N]

        difference = best["no_answer"] - best["score"][:, 0]  # [B]
        silent = ~found[:, 0] if threshold is None else difference > threshold
        nothing = tf.fill(tf.shape(difference), NEVER) if threshold is None else best["no_answer"]
        shares = tf.nn.softmax(tf.concat([nothing[:, None], best["score"]], axis=1))  # [B, 1 + N]
        return {
            "answer": tf.where(silent, "", answers[:, 0]),
            "start": tf.where(silent, 0, start[:, 0]),
            "end": tf.where(silent, 0, end[:, 0]),
            "score": tf.where(silent, shares[:, 0], shares[:, 1]),
            "no_answer_score": difference,
            "n_best_answer": tf.ragged.boolean_mask(answers, found),
            "n_best_start": tf.ragged.boolean_mask(start, found),
            "n_best_end": tf.ragged.boolean_mask(end, found),
            "n_best_score": tf.ragged.boolean_mask(shares[:, 1:], found),
            "n_best_logit": tf.ragged.boolean_mask(best["score"], found),
            **lengths,
        }

    return answer
