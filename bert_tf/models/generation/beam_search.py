"""Beam search, in the graph, for any model of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from bert_tf.models.generation.decoding import Step, allowed, power
from bert_tf.models.generation.settings import Generation
from bert_tf.sentinels import NEVER


def beam_search(
    step: Step, logits, past, settings: Generation, *, end_id: int, pad_id: int = 0, never: Sequence[int] = ()
) -> dict[str, Any]:
    """The text of the highest score that K = `settings.beams` unfinished texts, followed side by side, lead to.

    Each time every beam may end, and the K likeliest longer texts continue. The search ends when no text that continues
    can still come to a higher score than the best one that has ended.

    Args:
        step: the model, see `decoding`.
        logits: float32 [B, V], of the texts' first tokens.
        past: what `step` is to get with the first tokens; begins with the axis B * K.
        settings, end_id, pad_id, never: as for `decoding.decode`.
    Returns: token_ids int32 [B, L], L = `max_length`, padded after the end token, and score, float32 [B].
    Reference: Wu et al., 2016, section 7, https://arxiv.org/abs/1609.08144
    """
    beams, length, size = settings.beams, settings.max_length, logits.shape[-1]
    places = ops.arange(length)
    ends = np.where(np.arange(size) == end_id, 2 * NEVER, 0).astype("float32")  # [V]
    wide = min(beams, size)

    def extend(logits, place, alive, total, best, score):
        """From logits [B * K, V]: the beams one token longer, and the best text that has ended. Also the beams' parents
        [B * K], as rows, and their new tokens [B, K]."""
        flat = ops.reshape(alive, (-1, length))
        log_p = allowed(logits, flat, place, settings, end_id=end_id, never=never)
        ended = total + ops.reshape(log_p[:, end_id], (-1, beams))  # [B, K]
        ended = ended / power(place + 1, settings.length_penalty)
        which = ops.cast(ops.argmax(ended, axis=-1), "int32")  # [B]
        text = ops.take_along_axis(alive, which[:, None, None], axis=1)[:, 0]  # [B, L]
        text = ops.where(ops.equal(places, place), end_id, text)
        better = ops.max(ended, axis=-1) > score
        best, score = ops.where(better[:, None], text, best), ops.where(better, ops.max(ended, axis=-1), score)

        # No more than K of those that a beam may lead to are among the K likeliest of all.
        log_p, tokens = ops.top_k(log_p + ends, wide)  # [B * K, W]
        log_p = total[:, :, None] + ops.reshape(log_p, (-1, beams, wide))  # [B, K, W]
        total, index = ops.top_k(ops.reshape(log_p, (-1, beams * wide)), beams)  # [B, K]
        index = ops.cast(index, "int32")
        parent = index // wide
        token = ops.take_along_axis(ops.reshape(ops.cast(tokens, "int32"), (-1, beams * wide)), index, axis=1)
        alive = ops.take_along_axis(alive, parent[:, :, None], axis=1)
        alive = ops.where(ops.equal(places, place), token[:, :, None], alive)
        first = ops.arange(ops.shape(parent)[0])[:, None] * beams  # [B, 1]
        return (alive, total, best, score), ops.reshape(parent + first, (-1,)), token

    none = ops.zeros_like(ops.argmax(logits, axis=-1), "int32")  # [B]
    alive = none[:, None, None] + ops.full((1, beams, length), pad_id, "int32")  # [B, K, L]
    only_first = ops.cast(ops.arange(beams) > 0, "float32") * NEVER  # the beams are the same, so one is enough
    total = ops.cast(none, "float32")[:, None] + only_first  # [B, K]
    best = none[:, None] + ops.full((1, length), pad_id, "int32")  # [B, L]
    score = ops.cast(none, "float32") + 4 * NEVER  # [B]
    place = ops.zeros((), "int32")
    state, _, token = extend(ops.repeat(logits, beams, axis=0), place, alive, total, best, score)

    def goes_on(place, token, state, past):
        _, total, _, score = state
        hope = total[:, 0] / power(length, settings.length_penalty)  # totals fall, and no text is longer
        return ops.logical_and(place < length, ops.any(hope > score))

    def body(place, token, state, past):
        logits, past = step(token, place - 1, past)
        state, parents, token = extend(logits, place, *state)
        past = keras.tree.map_structure(lambda x: ops.take(x, parents, axis=0), past)
        return place + 1, token, state, past

    _, _, state, _ = ops.while_loop(goes_on, body, (place + 1, token, state, past))
    alive, total, best, score = state
    cut = total[:, 0] / power(length, settings.length_penalty)  # a text of full length that has not ended
    return {
        "token_ids": ops.where((cut > score)[:, None], alive[:, 0], best),
        "score": ops.maximum(cut, score),
    }
