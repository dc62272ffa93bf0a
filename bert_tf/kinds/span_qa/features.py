"""Questions and contexts as windows of tokens, where the answers are among them, and back to characters."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from bert_tf.data.batching.cut import Cut
from bert_tf.data.batching.features import Features
from bert_tf.kinds.long_texts.notes import CUT_TOKENS, TEXT_TOKENS
from bert_tf.kinds.spans import context_tokens, merge_windows, window_spans

if TYPE_CHECKING:
    from bert_tf.data.rows.span_answers import SpanAnswer
    from bert_tf.kinds.span_qa.examples import SpanExamples

CHUNK = 1024  # questions tokenised in one go
MEASURED_AT_ONCE = 128  # windows


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class SpanFeatures(Features):
    """Windows of token ids; `position_fields` are first_token and last_token of the answer, both 0 without one.

    Args:
        starts, ends: int32 [S], the place of each of the context's tokens in it, in characters.
        example: int32 [E], rising: the question that each window is of.
    """

    starts: np.ndarray
    ends: np.ndarray
    example: np.ndarray

    @property
    def raises(self) -> dict[str, int]:
        return {**super().raises, "example": int(self.example[-1]) + 1}


def span_features(
    windows: Callable[..., Mapping[str, tf.Tensor]],
    examples: SpanExamples,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> SpanFeatures:
    """Tokenises questions and contexts.

    Args:
        windows: to the rows of `question_windows`.
    """
    assert examples.pairs is not None
    parts = []
    for start in range(0, len(examples), CHUNK):
        stop = min(start + CHUNK, len(examples))
        rows = {
            name: tensor.numpy()
            for name, tensor in windows(
                tf.constant(examples.texts[start:stop], tf.string), tf.constant(examples.pairs[start:stop], tf.string)
            ).items()
        }
        answers = None if examples.answers is None else examples.answers[start:stop]
        lengths = {name: rows[name] for name in (TEXT_TOKENS, CUT_TOKENS)}
        parts.append(_flat(rows, answers) | lengths | {"example": rows["example"] + np.int32(start)})
        if progress is not None:
            progress(stop, len(examples))
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return SpanFeatures(
        token_ids=joined["token_ids"],
        segment_ids=joined["segment_ids"],
        splits=np.append(np.zeros(1, np.int64), np.cumsum(joined["lengths"])),
        position_fields={name: joined[name] for name in ("first_token", "last_token") if name in joined},
        starts=joined["starts"],
        ends=joined["ends"],
        example=joined["example"],
        cut=Cut(joined[TEXT_TOKENS], joined[CUT_TOKENS]),
    )


def _flat(rows: Mapping[str, np.ndarray], answers: Sequence[tuple[SpanAnswer, ...]] | None) -> dict[str, np.ndarray]:
    """The rows end to end, without padding, and the places of the first answers."""
    real = rows["padding_mask"].astype(bool)
    flat = {name: rows[name][real] for name in ("token_ids", "starts", "ends")}
    flat |= {"segment_ids": rows["segment_ids"][real].astype(np.int8), "lengths": rows["lengths"].astype(np.int64)}
    if answers is None:
        return flat
    first, last = answer_tokens(rows, *_spans(answers))
    return flat | {"first_token": first, "last_token": last}


def _spans(answers: Sequence[tuple[SpanAnswer, ...]]) -> tuple[np.ndarray, np.ndarray]:
    """The first answers' places [B] without white space around them; -1 and -1 where there is no answer or place."""
    places = np.full((2, len(answers)), -1, np.int64)
    for i, given in enumerate(answers):
        if given and given[0].start >= 0:
            text = given[0].text
            start = given[0].start + len(text) - len(text.lstrip())
            places[:, i] = start, start + len(text.strip())
    return places[0], places[1]


def answer_tokens(
    rows: Mapping[str, np.ndarray], span_starts: np.ndarray, span_ends: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The first and the last of the tokens that cover the answer, int32 [W]; 0, which is [CLS], in a window without it.

    Args:
        rows: of `question_windows`.
        span_starts, span_ends: characters [B]; -1 where there is no answer.
    """
    example = rows["example"]
    start, end = span_starts[example, None], span_ends[example, None]  # [W, 1]
    covering = rows["in_context"] & (rows["ends"] > start) & (rows["starts"] < end)  # [W, T]
    first = np.argmax(covering, axis=1)
    last = covering.shape[1] - 1 - np.argmax(covering[:, ::-1], axis=1)
    # An answer is in a window if it neither begins before it nor ends behind it.
    row = np.arange(len(example))
    segment = rows["in_context"]
    begin = np.argmax(segment, axis=1)
    close = segment.shape[1] - 1 - np.argmax(segment[:, ::-1], axis=1)
    is_first = np.append(True, example[1:] != example[:-1])
    is_last = np.append(example[1:] != example[:-1], True)
    inside = (is_first | (rows["starts"][row, begin] <= start[:, 0])) & (
        is_last | (rows["ends"][row, close] >= end[:, 0])
    )
    inside &= covering.any(axis=1)
    return np.where(inside, first, 0).astype(np.int32), np.where(inside, last, 0).astype(np.int32)


def best_spans(
    outputs: Sequence[np.ndarray], features: SpanFeatures, examples: int, *, answer_tokens: int
) -> dict[str, np.ndarray]:
    """The best span of each question over its windows: start, end, score and no_answer, [B].

    Args:
        outputs: the logits of each window, [T, 2].
    """
    decode = tf.function(
        partial(window_spans, answer_tokens=answer_tokens, n_best=1), reduce_retracing=True, autograph=False
    )
    parts = []
    for start in range(0, len(features), MEASURED_AT_ONCE):
        stop = min(start + MEASURED_AT_ONCE, len(features))
        logits, rows = _padded(outputs[start:stop], features, start, stop)
        parts.append({name: tensor.numpy() for name, tensor in decode(logits, rows).items()})
    spans = {name: tf.constant(np.concatenate([part[name] for part in parts])) for name in parts[0]}
    best = merge_windows(spans, tf.constant(features.example), examples, n_best=1)
    return {name: np.reshape(tensor.numpy(), examples) for name, tensor in best.items()}


def _padded(outputs: Sequence[np.ndarray], features: SpanFeatures, start: int, stop: int) -> tuple[Any, dict[str, Any]]:
    """Logits float32 [W, T, 2] of the windows from `start` to `stop`, and their starts, ends and in_context."""
    lengths = features.lengths[start:stop]
    real = np.arange(lengths.max()) < lengths[:, None]
    logits = np.zeros((*real.shape, 2), np.float32)
    logits[real] = np.concatenate(outputs)
    rows = {}
    for name in ("starts", "ends", "segment_ids"):
        rows[name] = np.zeros(real.shape, np.int32)
        rows[name][real] = getattr(features, name)[features.splits[start] : features.splits[stop]]
    in_context = context_tokens(tf.constant(rows.pop("segment_ids")), tf.constant(lengths))
    rows = {name: tf.constant(row) for name, row in rows.items()}
    return tf.constant(logits), {**rows, "in_context": in_context}
