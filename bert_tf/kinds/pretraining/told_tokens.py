"""How likely each token of a text was replaced, as a graph from raw text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from bert_tf.kinds.long_texts.notes import answer_lengths

if TYPE_CHECKING:
    from bert_tf.text import Tokenizer


def told_tokens(model: Any, tokenizer: Tokenizer, *, max_length: int) -> Callable[..., dict[str, Any]]:
    """From texts, string [B], to what a `BertDiscriminator` says of their N tokens each, special ones left out.

    Returns: a `tf.function` to `starts` and `ends`, ragged int32 [B, (N)], in characters; `scores`, ragged float32
        [B, (N)], how likely each token is another than stood there; and the `LENGTHS` of
        `bert_tf.kinds.long_texts.notes`. Of what lies beyond `max_length` tokens nothing is said.
    """

    def answer(texts: tf.Tensor) -> dict[str, tf.Tensor]:
        inputs = tokenizer(texts, max_length=max_length, padding="longest", return_offsets=True, return_cut=True)
        lengths = answer_lengths(inputs, inputs.pop("cut"))
        starts, ends = inputs.pop("starts"), inputs.pop("ends")
        scores = tf.nn.sigmoid(tf.cast(model(inputs, training=False), tf.float32))  # [B, T]
        is_token = (ends > starts) & (inputs["padding_mask"] > 0)
        found = {"starts": starts, "ends": ends, "scores": scores}
        return {name: tf.ragged.boolean_mask(value, is_token) for name, value in found.items()} | lengths

    return tf.function(answer, input_signature=[tf.TensorSpec([None], tf.string, name="text")], autograph=False)
