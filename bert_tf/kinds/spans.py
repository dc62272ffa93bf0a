"""Answers as spans of a context, in the graph: windows of token rows, the best spans of each, the best of them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from bert_tf.kinds.long_texts.notes import CUT_TOKENS, TEXT_TOKENS
from bert_tf.sentinels import NEVER
from bert_tf.text import Tokenizer
from bert_tf.text.windows import Layout, build_rows

WINDOWS_AT_ONCE = 64  # most rows that the model gets in one go, so that one long context does not take all memory


def question_windows(
    tokenizer: Tokenizer,
    questions: tf.Tensor,
    contexts: tf.Tensor,
    *,
    max_length: int,
    stride: int,
    question_tokens: int,
) -> dict[str, tf.Tensor]:
    """[CLS] question [SEP] a part of the context [SEP], as many rows as cover the context: W rows of B questions.

    Args:
        questions, contexts: string [B]. Of a question only the first `question_tokens` tokens are kept, or as many as
            leave half of the row to the context.
        stride: tokens that windows share, or as many as half a window holds.
    Returns: int32 [W, T] token_ids, segment_ids, padding_mask, starts and ends, each token's place in the context
        (0 elsewhere); bool [W, T] in_context; int32 [W] example, rising, and lengths; int32 [B] text_tokens and
        cut_tokens, those of a question beyond the first ones: see `bert_tf.kinds.long_texts.notes`.
    """
    separators = tokenizer.pair_separators
    layout = Layout(max_length, truncation="only_second", return_offsets=True, separators=separators)
    room = max_length - layout.special(2)
    question_tokens = min(question_tokens, room // 2)
    stride = min(stride, (room - question_tokens) // 2)
    with tf.device("CPU"):
        sides, tokens = [], []
        for texts, most in ((questions, question_tokens), (contexts, None)):
            columns = tokenizer.tokenize_with_offsets(texts)
            tokens.append(tf.cast(columns[0].row_lengths(), tf.int32))
            pieces = columns[0].with_values(tf.stack([column.values for column in columns], axis=1))  # [B, (P), 3]
            pieces = pieces if most is None else pieces[:, :most]
            sides.append((pieces.values, pieces.row_splits))
        layout = layout._replace(stride=stride)
        rows = build_rows(sides, layout, cls_id=tokenizer.cls_id, sep_id=tokenizer.sep_id, pad_id=tokenizer.pad_id)
        in_context = context_tokens(rows["segment_ids"], rows["lengths"])
        for name in ("starts", "ends"):
            rows[name] = tf.where(in_context, rows[name], 0)
        lengths = {
            TEXT_TOKENS: tf.add_n(tokens) + layout.special(2),
            CUT_TOKENS: tf.maximum(tokens[0] - question_tokens, 0),
        }
    return rows | lengths | {"in_context": in_context}


def context_tokens(segment_ids: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
    """Where the context's tokens are, [SEP] not among them: bool [W, T] of segment_ids [W, T] and lengths [W]."""
    places = tf.range(tf.shape(segment_ids)[1], dtype=lengths.dtype)
    return (segment_ids == 1) & (places < lengths[:, None] - 1)


def window_spans(
    logits: tf.Tensor, rows: Mapping[str, tf.Tensor], *, answer_tokens: int, n_best: int
) -> dict[str, tf.Tensor]:
    """The N best spans of each window, of all that are in the context and have 1 to `answer_tokens` tokens.

    Args:
        logits: float32 [W, T, 2], of start and end.
        rows: starts, ends and in_context [W, T], as of `question_windows`.
    Returns: score, float32 [W, N], the sum of both logits (about NEVER where there are fewer spans), falling, the
        earlier and the shorter of two equal ones first; start and end, int32 [W, N], characters of the context;
        no_answer, float32 [W], the sum at [CLS].
    """
    start_logits, end_logits = tf.unstack(tf.where(rows["in_context"][..., None], logits, NEVER), axis=-1)  # [W, T]
    length = tf.shape(logits)[1]
    ends = tf.range(length)[:, None] + tf.range(answer_tokens)  # [T, L]
    padded = tf.pad(end_logits, [[0, 0], [0, answer_tokens - 1]], constant_values=NEVER)
    scores = start_logits[..., None] + tf.gather(padded, ends, axis=1)  # [W, T, L]
    scores = tf.reshape(scores, [tf.shape(logits)[0], length * answer_tokens])
    score, index = _top(scores, n_best)  # [W, N]
    first = tf.minimum(index // answer_tokens, length - 1)
    last = tf.minimum(first + index % answer_tokens, length - 1)
    return {
        "score": score,
        "start": tf.gather(rows["starts"], first, batch_dims=1),
        "end": tf.gather(rows["ends"], last, batch_dims=1),
        "no_answer": tf.reduce_sum(logits[:, 0], axis=-1),
    }


def merge_windows(
    spans: Mapping[str, tf.Tensor], example: tf.Tensor, examples: tf.Tensor | int, *, n_best: int
) -> dict[str, tf.Tensor]:
    """The N best spans of each of B examples, over all of its windows, each span once.

    Args:
        spans: of W windows, as `window_spans` gives them.
        example: int32 [W], rising, every number in [0, B).
        examples: B.
    Returns: as `window_spans`, [B, N] and [B]; start and end are 0 where there are fewer spans, and no_answer is the
        lowest of an example's windows.
    """
    columns = {}
    for name, nothing in (("score", NEVER), ("start", 0), ("end", 0)):
        ragged = tf.RaggedTensor.from_value_rowids(spans[name], example, examples, validate=False)  # [B, (w), N]
        dense = ragged.to_tensor(nothing)
        columns[name] = tf.reshape(dense, [examples, tf.shape(dense)[1] * tf.shape(spans[name])[1]])
    # Sorted by score, then by place: of equal places the first is the best, and the others are struck out.
    order = tf.argsort(columns["score"], direction="DESCENDING", stable=True)
    columns = {name: tf.gather(column, order, batch_dims=1) for name, column in columns.items()}
    place = tf.cast(columns["start"], tf.int64) * 2**31 + tf.cast(columns["end"], tf.int64)
    order = tf.argsort(place, stable=True)
    columns = {name: tf.gather(column, order, batch_dims=1) for name, column in columns.items()}
    place = tf.gather(place, order, batch_dims=1)
    again = tf.pad(place[:, 1:] == place[:, :-1], [[0, 0], [1, 0]])[:, : tf.shape(place)[1]]
    score, index = _top(tf.where(again, NEVER, columns["score"]), n_best)
    index = tf.minimum(index, tf.maximum(tf.shape(place)[1] - 1, 0))
    start, end = (
        tf.where(is_span(score), tf.gather(columns[name], index, batch_dims=1), 0) for name in ("start", "end")
    )
    no_answer = tf.math.segment_min(spans["no_answer"], example)
    return {"score": score, "start": start, "end": end, "no_answer": no_answer}


def is_span(score: tf.Tensor) -> tf.Tensor:
    """Whether a score is that of a span, and not of the lack of one."""
    return score > NEVER / 2


def in_parts(
    function: Callable[[dict[str, tf.Tensor]], dict[str, tf.Tensor]],
    tensors: Mapping[str, tf.Tensor],
    signature: Mapping[str, tf.TensorSpec],
    *,
    rows: int = WINDOWS_AT_ONCE,
) -> dict[str, tf.Tensor]:
    """`function` of tensors [W, ...], `rows` rows at a time, and its results [W, ...] joined.

    Args:
        signature: dtype and shape of each result, the first axis None.
    """
    total = tf.shape(next(iter(tensors.values())))[0]
    steps = (total + rows - 1) // rows
    arrays = [
        tf.TensorArray(spec.dtype, steps, infer_shape=False, element_shape=spec.shape) for spec in signature.values()
    ]

    def step(i: tf.Tensor, *arrays: Any) -> tuple[Any, ...]:
        results = function({name: tensor[i * rows : (i + 1) * rows] for name, tensor in tensors.items()})
        return i + 1, *(array.write(i, results[name]) for name, array in zip(signature, arrays, strict=True))

    _, *arrays = tf.while_loop(lambda i, *_: i < steps, step, [tf.constant(0), *arrays], parallel_iterations=1)
    return {name: array.concat() for name, array in zip(signature, arrays, strict=True)}


def _top(scores: tf.Tensor, count: int) -> tuple[tf.Tensor, tf.Tensor]:
    """The best `count` of [W, K] and their places; places of K or more, with NEVER, where K is less."""
    return tf.math.top_k(tf.pad(scores, [[0, 0], [0, count]], constant_values=NEVER), count)
