"""What stands behind every [MASK] of a text: the likeliest tokens, as a graph from raw text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from bert_tf.kinds.base import Answer
from bert_tf.kinds.long_texts.notes import answer_lengths

if TYPE_CHECKING:
    from bert_tf.text import Tokenizer


def fill_mask(model: Any, tokenizer: Tokenizer, *, max_length: int, top_k: int) -> Callable[..., dict[str, Any]]:
    """From texts, string [B], to N guessed places each, and K tokens a place, the likeliest first.

    Returns: a `tf.function` to `starts` and `ends`, ragged int32 [B, (N)], the place of each [MASK] in characters;
        `tokens`, ragged string [B, (N), K], as `Tokenizer.shown` gives them; `token_ids` and `scores`, ragged int32 and
        float32 [B, (N), K]: their ids and probabilities; and the `LENGTHS` of `bert_tf.kinds.long_texts.notes`. A
        [MASK] beyond `max_length` tokens is not answered.
    """
    top_k = min(top_k, tokenizer.vocabulary_size)
    vocabulary = tf.constant([tokenizer.shown(token) for token in tokenizer.vocabulary])

    def answer(texts: tf.Tensor) -> dict[str, tf.Tensor]:
        inputs = tokenizer(texts, max_length=max_length, padding="longest", return_offsets=True, return_cut=True)
        lengths = answer_lengths(inputs, inputs.pop("cut"))
        starts, ends = inputs.pop("starts"), inputs.pop("ends")
        where = tf.where(inputs["token_ids"] == tokenizer.mask_id)  # [N, 2]
        rows, columns = tf.cast(where[:, 0], tf.int32), tf.cast(where[:, 1], tf.int32)
        count = tf.shape(inputs["token_ids"])[0]
        places = tf.RaggedTensor.from_value_rowids(columns, rows, nrows=tf.cast(count, rows.dtype), validate=False)
        dense = places.to_tensor()  # [B, P]
        dense = tf.pad(dense, [[0, 0], [0, tf.cast(tf.equal(tf.shape(dense)[1], 0), tf.int32)]])  # one place at least
        logits = model({**inputs, "masked_positions": dense}, training=False)["masked_lm_logits"]  # [B, P, V]
        number = tf.range(tf.size(rows)) - tf.gather(tf.cast(places.row_splits, tf.int32), rows)  # in its text
        shares = tf.nn.softmax(tf.cast(tf.gather_nd(logits, tf.stack([rows, number], axis=1)), tf.float32))  # [N, V]
        scores, ids = tf.math.top_k(shares, k=top_k)  # [N, K]
        found = {
            "starts": tf.gather_nd(starts, where),
            "ends": tf.gather_nd(ends, where),
            "tokens": tf.gather(vocabulary, ids),
            "token_ids": ids,
            "scores": scores,
        }
        return {name: places.with_values(values) for name, values in found.items()} | lengths

    return tf.function(answer, input_signature=[tf.TensorSpec([None], tf.string, name="text")], autograph=False)


def masks_as_json(text: str, answer: Answer) -> dict[str, Any]:
    """`text`; `filled`, it with the best guesses put in; and `masks`, each with `start`, `end` and its `guesses`."""
    masks = []
    for start, end, tokens, ids, scores in zip(
        *(answer[name] for name in ("starts", "ends", "tokens", "token_ids", "scores")), strict=True
    ):
        guesses = [
            {"token": token.decode("utf-8"), "token_id": int(number), "score": float(score)}
            for token, number, score in zip(tokens, ids, scores, strict=True)
        ]
        masks.append({"start": int(start), "end": int(end), "guesses": guesses})
    filled = text
    for mask in reversed(masks):
        best = mask["guesses"][0]["token"]
        before = filled[: mask["start"]]
        if best.startswith("##"):  # it continues the word before
            before, best = before.rstrip(), best.removeprefix("##")
        elif not before or before[-1].isspace():  # a token that begins with the space before its word
            best = best.removeprefix(" ")
        filled = before + best + filled[mask["end"] :]
    return {"text": text, "filled": filled, "masks": masks}
