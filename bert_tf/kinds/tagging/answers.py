"""What a tagger says of raw texts, as one graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from bert_tf.data.tagged.label_sets import LabelSet
from bert_tf.kinds.spans import in_parts
from bert_tf.kinds.tagging.entities import entities, heads_of, pieces_of, tokenize_windows, words_of
from bert_tf.models.base import inputs_of
from bert_tf.text.substrings import substrings

if TYPE_CHECKING:
    from bert_tf.models import BertTagger
    from bert_tf.text import Tokenizer


def tag_answers(
    model: BertTagger, tokenizer: Tokenizer, labels: LabelSet, *, max_length: int, stride: int
) -> Callable[..., dict[str, tf.Tensor]]:
    """A `tf.function` of texts, string [B].

    Args:
        labels: what the model's outputs say.
        max_length: tokens of a window at most.
        stride: pieces that two windows share.
    Returns: of each text's N entities, or words where each has a label, `text` and `label` string, `start` and `end`
        int32, `score` float32 [B, (N)]; and of those P pieces that begin a word or close one `piece_start` int32 and
        `piece_tag` string [B, (P)], for words that the caller knows: a word's label is that of the first of these that
        starts in it. How entities are made of pieces: `bert_tf.kinds.tagging.entities`.
    """
    types, tags = tf.constant(labels.types), tf.constant(labels.labels)

    def tag(rows: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        logits = tf.cast(model(inputs_of(rows), training=False), tf.float32)  # [w, T, C]
        return {"tag": tf.nn.softmax(tf.boolean_mask(logits, rows["scored"]))}  # [p, C]

    def answer(texts: tf.Tensor) -> dict[str, tf.Tensor]:
        rows = tokenize_windows(tokenizer, texts, max_length=max_length, stride=stride)
        pieces = pieces_of(rows)
        probabilities = in_parts(tag, rows, {"tag": tf.TensorSpec([None, len(labels.labels)], tf.float32)})["tag"]
        words = words_of(texts, pieces)
        found = entities(pieces, words, probabilities, labels)

        def by_text(values: tf.Tensor, example: tf.Tensor) -> Any:
            return tf.RaggedTensor.from_value_rowids(values, example, tf.shape(texts)[0], validate=False)

        columns = {
            "text": substrings(texts, found["example"], found["start"], found["end"]),
            "label": tf.gather(types, found["type"]),
            **{name: found[name] for name in ("start", "end", "score")},
        }
        best, heads = tf.gather(tags, tf.argmax(probabilities, axis=-1)), heads_of(words)  # [P]
        example = tf.boolean_mask(pieces.example, heads)
        return {
            **{name: by_text(values, found["example"]) for name, values in columns.items()},
            "piece_start": by_text(tf.boolean_mask(pieces.starts, heads), example),
            "piece_tag": by_text(tf.boolean_mask(best, heads), example),
        }

    return tf.function(answer, input_signature=[tf.TensorSpec([None], tf.string, name="text")], autograph=False)
