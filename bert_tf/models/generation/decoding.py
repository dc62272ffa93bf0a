"""Greedy and sampled decoding, and what keeps tokens from being chosen. All in the graph, for any model of text.

A model is a function `step(tokens, place, past)`: int [B, K] tokens that stand at `place` (int []) of K texts of each
of B examples, and what it made of the tokens before, to the logits of the tokens after, float32 [B * K, V], and the
new `past`. `past` is any nest of tensors that begin with the axis B * K.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from bert_tf.layers.dropout import GivenSeed
from bert_tf.models.generation.settings import Generation
from bert_tf.sentinels import NEVER

Step = Callable[[Any, Any, Any], tuple[Any, Any]]


def decode(
    step: Step,
    logits,
    past,
    settings: Generation,
    *,
    end_id: int,
    pad_id: int = 0,
    never: Sequence[int] = (),
    seed=None,
) -> dict[str, Any]:
    """Greedy or sampled texts, one for each row of `logits`.

    Args:
        step: the model.
        logits: float32 [B, V], of the texts' first tokens.
        past: what `step` is to get with the first tokens.
        settings: `beams` must be 1.
        end_id: the token that ends a text.
        pad_id: stands after it.
        never: tokens that are not to be written.
        seed: int [2], for sampling.
    Returns: token_ids int32 [B, L], L = `max_length`, and score, float32 [B].
    """
    length, places = settings.max_length, ops.arange(settings.max_length)

    def choose(logits, place, written, total, done):
        log_p = allowed(logits, written, place, settings, end_id=end_id, never=never)  # [B, V]
        token = ops.argmax(_noisy(log_p, place, settings, seed) if settings.sample else log_p, axis=-1)
        token = ops.where(done, pad_id, ops.cast(token, "int32"))  # [B]
        gained = ops.take_along_axis(log_p, token[:, None], axis=-1)[:, 0]
        total = total + ops.where(done, 0.0, gained)
        written = ops.where(ops.equal(places, place), token[:, None], written)
        return token, written, total, ops.logical_or(done, ops.equal(token, end_id))

    none = ops.zeros_like(ops.argmax(logits, axis=-1), "int32")  # [B]
    written = none[:, None] + ops.full((1, length), pad_id, "int32")  # [B, L]
    first = ops.zeros((), "int32")
    token, written, total, done = choose(logits, first, written, ops.cast(none, "float32"), none > 0)

    def goes_on(place, token, written, total, done, past):
        return ops.logical_and(place < length, ops.logical_not(ops.all(done)))

    def body(place, token, written, total, done, past):
        logits, past = step(token[:, None], place - 1, past)
        return place + 1, *choose(logits, place, written, total, done), past

    _, _, written, total, done, _ = ops.while_loop(goes_on, body, (first + 1, token, written, total, done, past))
    return {"token_ids": written, "score": total / power(text_lengths(written, end_id), settings.length_penalty)}


def text_lengths(written, end_id: int):
    """Tokens of each text [..., L], the end token included, int32 [...]; L where there is none."""
    is_end = ops.equal(written, end_id)
    first = ops.cast(ops.argmax(ops.cast(is_end, "int32"), axis=-1), "int32")
    return ops.where(ops.any(is_end, axis=-1), first + 1, written.shape[-1])


def power(length, penalty: float):
    """What the log probability of a text of that length is divided by, float32."""
    return ops.power(ops.cast(length, "float32"), penalty)


def allowed(logits, written, place, settings: Generation, *, end_id: int, never: Sequence[int]):
    """Log probabilities [R, V], `NEVER` or less where the settings bar a token after the first `place` ones of
    `written`."""
    log_p = ops.log_softmax(ops.cast(logits, "float32"))
    size = log_p.shape[-1]
    bars = np.zeros(size, "float32")
    bars[list(never)] = NEVER
    # One sum for all bars: a choice between two tensors takes several times as long over a whole vocabulary.
    if settings.min_length > 1:
        too_soon = ops.cast(place + 1 < settings.min_length, "float32") * NEVER
        log_p = log_p + (bars + too_soon * (np.arange(size) == end_id).astype("float32"))
    elif never:
        log_p = log_p + bars
    if 0 < settings.no_repeat_ngram <= settings.max_length:
        log_p = ops.where(_would_repeat(written, place, settings.no_repeat_ngram, size) > 0, NEVER, log_p)
    return log_p


def _would_repeat(written, place, n: int, size: int):
    """How often each token [R, V] has followed the n - 1 tokens before `place`: float32."""
    windows = written.shape[1] - n + 1
    starts = ops.arange(windows)
    last = written[:, n - 1 :]  # [R, W], the last token of each window
    same = ops.logical_and(starts + (n - 1) < place, ops.equal(last, last))
    for j in range(n - 1):
        now = ops.take(written, ops.maximum(place - (n - 1) + j, 0), axis=1)  # [R]
        same = ops.logical_and(same, ops.equal(written[:, j : j + windows], now[:, None]))
    rows = ops.broadcast_to(ops.arange(ops.shape(written)[0])[:, None], ops.shape(last))
    where = ops.reshape(ops.stack([rows, last], axis=-1), (-1, 2))
    return ops.scatter(where, ops.reshape(ops.cast(same, "float32"), (-1,)), (ops.shape(written)[0], size))


def _noisy(log_p, place, settings: Generation, seed):
    """Log probabilities with noise, so that the largest is a draw; what top-k and top-p leave out is barred."""
    kept = narrowed(log_p / settings.temperature, settings.top_k, settings.top_p)
    seed = ops.convert_to_tensor((0, 0) if seed is None else seed, dtype="int32")
    seed = seed + ops.stack([ops.zeros_like(place), place])
    draw = keras.random.uniform(ops.shape(kept), 1e-20, 1.0, dtype="float32", seed=GivenSeed(seed))
    return kept - ops.log(-ops.log(draw))


def narrowed(logits, top_k: int, top_p: float):
    """Logits [R, V] with all but the likeliest tokens barred: `top_k` first, then `top_p` of what is left."""
    size = logits.shape[-1]
    if 0 < top_k < size:
        least = ops.top_k(logits, top_k)[0][:, -1:]
        logits = ops.where(logits < least, NEVER, logits)
    if top_p < 1.0:
        falling = ops.top_k(logits, top_k if 0 < top_k < size else size)[0]  # [R, V or k]
        share = ops.softmax(falling)
        before = ops.cumsum(share, axis=-1) - share  # of the tokens that are likelier
        least = ops.min(ops.where(before < top_p, falling, ops.max(falling, axis=-1, keepdims=True)), axis=-1)
        logits = ops.where(logits < least[:, None], NEVER, logits)
    return logits
