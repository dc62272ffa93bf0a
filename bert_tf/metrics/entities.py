"""Precision, recall and F1 of entities, by seqeval: an entity counts where its type and both its ends are right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from bert_tf.metrics.undefined import Undefined

ENTITY_METRICS = ("f1", "precision", "recall")
NOTHING: Any = 0  # of the quotient 0 / 0; Any: seqeval says str


def entity_scores(predictions: Sequence[Sequence[str]], labels: Sequence[Sequence[str]]) -> dict[str, float]:
    """Micro averages over all types.

    The rules are seqeval's default, which are those of the shared tasks' own script, conlleval, and so of published
    figures and of Transformers' examples: a predicted I that follows no entity of its type begins one. (seqeval's
    strict mode drops such an entity. For labels, which are well-formed IOB2, it is all the same.)

    Args:
        predictions: tags of each sentence's words.
        labels: the right ones.
    Returns: "f1", "precision" and "recall", in [0, 1]. As in conlleval precision is 0 where nothing is found; where
        there is nothing to find recall is `Undefined`, and all are if nothing is found either.
    Raises: ValueError if the sentences or their words are not as many.
    Reference: Ramshaw and Marcus, 1995, https://aclanthology.org/W95-0107; https://www.clips.uantwerpen.be/conll2000/chunking

    >>> scores = entity_scores([["B-PER", "O", "B-LOC"]], [["B-PER", "O", "O"]])
    >>> scores["precision"], scores["recall"]
    (0.5, 1.0)
    """
    from seqeval.metrics.sequence_labeling import precision_recall_fscore_support

    sizes = [[len(tags) for tags in side] for side in (predictions, labels)]
    if sizes[0] != sizes[1] or not sizes[0]:
        raise ValueError(
            "`predictions` must have a tag for each of `labels`, one sentence at least. Received: "
            f"{len(sizes[0])} and {len(sizes[1])} sentences of {sum(sizes[0])} and {sum(sizes[1])} words"
        )
    scores: Any = precision_recall_fscore_support(
        [list(tags) for tags in labels], [list(tags) for tags in predictions], average="micro", zero_division=NOTHING
    )
    found = dict(zip(("precision", "recall", "f1"), map(float, scores[:3]), strict=True))
    has_entity = [any(tag != "O" for tags in side for tag in tags) for side in (predictions, labels)]
    if not has_entity[1]:
        none = Undefined("there is no entity to find")
        found |= {"recall": none} if has_entity[0] else dict.fromkeys(found, none)
    return {name: found[name] for name in ENTITY_METRICS}


def entity_table(
    predictions: Sequence[Sequence[str]], labels: Sequence[Sequence[str]]
) -> list[dict[str, str | int | float | None]]:
    """The same scores for each type that either side has, in the order of the alphabet, by the same rules.

    Args:
        predictions, labels: as those of `entity_scores`.
    Returns: for each type `type`, `precision`, `recall` and `f1`, None where it is 0 / 0, and `entities`, how many
        there are to be found, and `found`, how many were named.

    >>> table = entity_table([["B-PER", "O", "B-LOC"]], [["B-PER", "O", "O"]])
    >>> [(row["type"], row["precision"], row["recall"]) for row in table]
    [('LOC', 0.0, None), ('PER', 1.0, 1.0)]
    """
    from seqeval.metrics.sequence_labeling import get_entities, precision_recall_fscore_support

    sides = [[list(tags) for tags in side] for side in (labels, predictions)]
    counts = [Counter(kind for tags in side for kind, _, _ in get_entities(tags)) for side in sides]
    types = sorted(counts[0] | counts[1])
    if not types:
        return []
    scores: Any = precision_recall_fscore_support(*sides, average=None, zero_division=NOTHING)
    table: list[dict[str, str | int | float | None]] = []
    for kind, precision, recall, f1 in zip(types, *scores[:3], strict=True):
        wanted, found = counts[0][kind], counts[1][kind]
        table.append(
            {
                "type": kind,
                "precision": float(precision) if found else None,
                "recall": float(recall) if wanted else None,
                "f1": float(f1),
                "entities": wanted,
                "found": found,
            }
        )
    return table
