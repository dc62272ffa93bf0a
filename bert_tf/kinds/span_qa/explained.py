"""What an explanation of an answer is of: the logits of its start and of its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from bert_tf.kinds.base import Answer
from bert_tf.kinds.explained import Explained, arrays_of
from bert_tf.kinds.span_qa.diagnosis import NO_ANSWER
from bert_tf.kinds.spans import WINDOWS_AT_ONCE
from bert_tf.models.base import inputs_of

if TYPE_CHECKING:
    from bert_tf.text import Tokenizer


def explained_span(
    answer: Answer,
    model: Any,
    tokenizer: Tokenizer,
    windows: Callable[..., dict[str, tf.Tensor]],
    question: str,
    context: str,
    *,
    answer_tokens: int,
) -> Explained:
    """The sum of the logits of an answer's first token and its last, in the window where it is greatest; of no answer
    that of [CLS], in the window that is surest to have one, as "no answer" is scored.

    Args:
        answer: its `answer`, empty where there is none, `start` and `end`, in characters of the context.
        windows: to the rows of `question_windows`.
        answer_tokens: most tokens of an answer.
    """
    rows = {name: np.asarray(tensor) for name, tensor in windows([question], [context]).items()}
    rows |= _with_question(rows, tokenizer, question)
    logits = np.concatenate([
        np.asarray(model({name: part[k : k + WINDOWS_AT_ONCE] for name, part in inputs_of(rows).items()}))
        for k in range(0, len(rows["token_ids"]), WINDOWS_AT_ONCE)
    ])  # [W, T, 2]  # fmt: skip
    text = answer["answer"].decode("utf-8") if isinstance(answer["answer"], bytes) else str(answer["answer"])
    if text:
        first, last = (
            rows["in_context"] & (rows[name] == int(answer[part]))
            for name, part in (("starts", "start"), ("ends", "end"))
        )
        spans = [
            (float(logits[w, i, 0] + logits[w, j, 1]), w, i, j)
            for w in np.flatnonzero(first.any(axis=1) & last.any(axis=1))
            for i in np.flatnonzero(first[w])
            for j in np.flatnonzero(last[w])
            if i <= j < i + answer_tokens
        ]
        _, window, start, end = max(spans)
    else:
        window, start, end = int(logits[:, 0].sum(axis=-1).argmin()), 0, 0
    own = arrays_of(rows, [window])
    weights = np.zeros((*own["token_ids"].shape, 2), np.float32)
    weights[0, start, 0] = weights[0, end, 1] = 1.0
    return Explained(name=text or NO_ANSWER, rows=own, weights=weights)


def _with_question(rows: dict[str, np.ndarray], tokenizer: Tokenizer, question: str) -> dict[str, np.ndarray]:
    """starts and ends, int32 [W, T], of the question's tokens too, which `question_windows` leaves at 0."""
    first_texts = (rows["segment_ids"] == 0) & (rows["padding_mask"] == 1)
    count = int(first_texts[0].sum()) - 1 - tokenizer.pair_separators
    _, *places = (column.values.numpy()[:count] for column in tokenizer.tokenize_with_offsets([question]))
    found = {name: rows[name].copy() for name in ("starts", "ends")}
    for name, place in zip(found, places, strict=True):
        found[name][:, 1 : 1 + count] = place
    return found
