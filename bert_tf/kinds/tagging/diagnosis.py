"""Which entities, or which words' labels, are right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bert_tf.data.tagged.label_sets import OUTSIDE, LabelSet
from bert_tf.kinds.base import Answer
from bert_tf.kinds.diagnosis import Answered, Diagnosis, share
from bert_tf.kinds.tagging.examples import TaggedExamples
from bert_tf.metrics.entities import entity_table

Entity = tuple[str, int, int]  # its type, its first word and its last
NONE = "(none)"
"""The class of words outside of every entity."""


def diagnose_tags(
    labels: LabelSet,
    predicted: Sequence[Sequence[str]],
    right: Sequence[Sequence[str]],
    answers: Sequence[Answer],
    examples: TaggedExamples,
) -> Diagnosis:
    """Of `Tagging`: a row a sentence, classes of its words.

    A wrong sentence is as sure as the surest of its wrong entities, a right one as the least sure of its entities;
    where nothing was named there is no confidence.

    Args:
        labels: what the model tells apart.
        predicted, right: tags of each sentence's words, as `plain_tags` gives them.
        answers: the sentences' entities, with their scores.
    """
    from seqeval.metrics.sequence_labeling import get_entities

    entities = get_entities if labels.is_entities else _units
    rows = []
    found, wanted, good = 0, 0, 0
    for i, (ours, theirs, answer) in enumerate(zip(predicted, right, answers, strict=True)):
        named: list[Entity] = entities(list(ours))
        expected: list[Entity] = entities(list(theirs))
        wrong = [entity for entity in named if entity not in expected]
        scores = [_score(entity, answer, examples, i) for entity in (wrong or named)]
        known = [score for score in scores if score is not None]
        is_right = list(ours) == list(theirs) if not labels.is_entities else set(named) == set(expected)
        # Of a sentence that is wrong only by what was not found, nothing says how sure that was.
        sure = known if wrong or is_right else []
        rows.append(
            Answered(
                number=i,
                inputs={"text": examples.texts[i]},
                expected=_shown(expected, examples, i),
                answered=_shown(named, examples, i),
                is_right=is_right,
                confidence=(max(sure) if wrong else min(sure)) if sure else None,
            )
        )
        found, wanted, good = found + len(named), wanted + len(expected), good + len(named) - len(wrong)
    outside = labels.is_entities or any(tag == OUTSIDE for side in (right, predicted) for tags in side for tag in tags)
    classes = (*((NONE,) if outside else ()), *labels.types)
    number = {name: k for k, name in enumerate(classes)}
    sides = [
        np.array([number[NONE if tag == OUTSIDE else tag[2:]] for tags in side for tag in tags], np.int64)
        for side in (right, predicted)
    ]
    if labels.is_entities:
        summary = f"Of the {wanted:,} entities {good:,} were found" if wanted else "There is no entity to find"
        summary += f" ({100 * good / wanted:.1f} %)" if wanted else ""
        summary += (
            f"; of the {found:,} that were named, {100 * good / found:.1f} % are right."
            if found
            else "; none was named."
        )
    else:
        summary = f"The right label was given to {share(int((sides[0] == sides[1]).sum()), len(sides[0]))} words."
    return Diagnosis(
        rows=rows,
        summary=summary,
        classes=classes,
        targets=sides[0],
        predictions=sides[1],
        tables={"entities by type": entity_table(predicted, right)} if labels.is_entities else {},
    )


def _units(tags: Sequence[str]) -> list[Entity]:
    """Each word by itself, where each has a label."""
    return [(tag[2:] or tag, i, i) for i, tag in enumerate(tags)]


def _places(entity: Entity, examples: TaggedExamples, sentence: int) -> tuple[int, int]:
    """Where an entity is in its text, in characters."""
    words, starts = examples.words[sentence], examples.starts[sentence]
    _, first, last = entity
    return starts[first], starts[last] + len(words[last])


def _shown(entities: Sequence[Entity], examples: TaggedExamples, sentence: int) -> str:
    parts = []
    for entity in entities:
        start, end = _places(entity, examples, sentence)
        parts.append(f"{examples.texts[sentence][start:end]} [{entity[0]}]")
    return ", ".join(parts)


def _score(entity: Entity, answer: Answer, examples: TaggedExamples, sentence: int) -> float | None:
    """How sure the model was of it: the score of what it answered of this type at this place of the raw text."""
    start, end = _places(entity, examples, sentence)
    columns: Any = zip(*(answer[name] for name in ("label", "score", "start", "end")), strict=True)
    for label, score, first, last in columns:
        if bytes(label).decode("utf-8") == entity[0] and first < end and start < last:
            return float(score)
    return None
