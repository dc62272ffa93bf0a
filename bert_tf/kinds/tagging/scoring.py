"""Scores of tagged words, whatever the labels: both sides are brought to one form first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bert_tf.data.tagged.label_sets import OUTSIDE, LabelSet
from bert_tf.kinds.base import Answer
from bert_tf.kinds.tagging.examples import TaggedExamples
from bert_tf.metrics.entities import ENTITY_METRICS, entity_scores

ACCURACY = "accuracy"
TAG_METRICS = (*ENTITY_METRICS, ACCURACY)
UNSEEN = -1


def tag_scores(
    predictions: Sequence[Sequence[str]], right: Sequence[Sequence[str]], metrics: Sequence[str]
) -> dict[str, float]:
    """The metrics asked for, of tags as `plain_tags` gives them.

    "accuracy" is the share of words with the right tag; the others are those of `bert_tf.metrics.entities`, where a
    label that each word has counts as an entity of one word.
    """
    scores = entity_scores(predictions, right)
    same = [one == other for pair in zip(predictions, right, strict=True) for one, other in zip(*pair, strict=True)]
    scores[ACCURACY] = float(np.mean(same))
    return {name: scores[name] for name in metrics}


def plain_tags(labels: LabelSet, indices: np.ndarray, follows: Sequence[bool] | None = None) -> list[str]:
    """The tags of a sentence's words in IOB2, of their labels; where each word has a label, B with each.

    A word without a label of its own continues what is around it: a part of a longer piece, as the second digit of a
    number, what is before it; another one an entity that continues behind it.

    Args:
        indices: int [W], `UNSEEN` for a word without a label of its own.
        follows: bool [W], whether a word stands right behind the one before it, without a space; None: none does.
    """
    seen = np.flatnonzero(indices != UNSEEN)
    begins = labels.begins(indices[seen])
    tags: list[str | None] = [None] * len(indices)
    for i, begin in zip(seen, begins, strict=True):
        kind = labels.type_of[indices[i]]
        tags[i] = OUTSIDE if kind < 0 else f"{'B' if begin else 'I'}-{labels.types[kind]}"
    later = OUTSIDE
    bridged = [later := tag or later for tag in reversed(tags)][::-1]
    found: list[str] = []
    for i, tag in enumerate(tags):
        if tag is None and follows is not None and follows[i]:
            before = found[-1]
            goes_on = before == OUTSIDE or not labels.is_entities
            tag = before if goes_on else f"I-{before[2:]}"
        elif tag is None:
            tag = bridged[i] if bridged[i].startswith("I-") else OUTSIDE
        found.append(tag)
    return found


def plain_sides(
    labels: LabelSet, predictions: Sequence[np.ndarray], examples: TaggedExamples
) -> tuple[list[list[str]], list[list[str]]]:
    """The tags that were predicted, as numbers of `labels`, and the right ones, both as `plain_tags` gives them."""
    assert examples.tags is not None
    predicted = [plain_tags(labels, tags, examples.follows(i)) for i, tags in enumerate(predictions)]
    return predicted, [plain_tags(examples.label_set, np.asarray(tags)) for tags in examples.tags]


def answered_labels(names: Sequence[str], answers: Sequence[Answer], examples: TaggedExamples) -> list[np.ndarray]:
    """The labels that a model gave to the words of sentences, int [W] each, from what it answered of their texts.

    Args:
        names: of the model's labels.
    """
    from bert_tf.kinds.tagging.features import first_pieces

    numbers = {name.encode(): number for number, name in enumerate(names)}
    found = []
    for answer, words, starts in zip(answers, examples.words, examples.starts, strict=True):
        tags = np.full(len(words), UNSEEN)
        ends = np.array([start + len(word) for start, word in zip(starts, words, strict=True)])
        places, pieces = first_pieces(np.asarray(starts), ends, answer["piece_start"])
        tags[places] = [numbers[bytes(answer["piece_tag"][piece])] for piece in pieces]
        found.append(tags)
    return found
