"""What an explanation of an entity is of: the logits of the labels that its words were given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from bert_tf.data.tagged.label_sets import LabelSet
from bert_tf.kinds.base import Answer
from bert_tf.kinds.explained import Explained, arrays_of
from bert_tf.kinds.tagging.entities import deciding, heads_of, pieces_of, tokenize_windows, words_of

if TYPE_CHECKING:
    from bert_tf.text import Tokenizer


def explained_entities(
    answer: Answer, tokenizer: Tokenizer, labels: LabelSet, text: str, *, max_length: int, stride: int
) -> list[Explained]:
    """For each entity, or labelled word, of an answer the sum of its words' logits: of each word that of the label
    which its first piece was given, in the window in which the piece counts.

    Args:
        answer: of `tag_answers` to the text.
        labels, max_length, stride: as it had them.
    """
    texts = tf.constant([text], tf.string)
    rows = tokenize_windows(tokenizer, texts, max_length=max_length, stride=stride)
    pieces = pieces_of(rows)
    words = words_of(texts, pieces)
    window, place = np.nonzero(np.asarray(rows["scored"]))  # of each piece
    heads, decides = np.asarray(heads_of(words)), np.asarray(deciding(words, labels))
    numbers = {name.encode(): number for number, name in enumerate(labels.labels)}
    tags = np.full(len(heads), -1)
    tags[heads] = [numbers[bytes(tag)] for tag in answer["piece_tag"]]
    starts = np.asarray(pieces.starts)
    shape = (*rows["token_ids"].shape, len(labels.labels))
    found = []
    for start, end, label in zip(*(answer[name] for name in ("start", "end", "label")), strict=True):
        first = decides & (starts >= start) & ((starts < end) | (starts == start))
        weights = np.zeros(shape, np.float32)
        weights[window[first], place[first], tags[first]] = 1.0
        used = np.unique(window[first])
        own = arrays_of(rows, used)
        weights = weights[used, : own["token_ids"].shape[1]]
        name = bytes(label).decode("utf-8")
        found.append(Explained(name=name, rows=own, weights=weights, start=int(start), end=int(end)))
    return found
