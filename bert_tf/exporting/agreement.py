"""How far an artefact's answers are those of the run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from bert_tf.kinds.base import Answer, Kind
from bert_tf.kinds.examples import Examples

NOT_COMPARED = ("n_best", "tokens")  # lists of second choices, and of all there is to a text


def agreement(kind: Kind, examples: Examples, ours: Sequence[Answer], theirs: Sequence[Answer]) -> dict[str, Any]:
    """Compares answers as predict prints them, `ours` being the run's.

    Returns: "same_answers", the share of examples for which all but numbers with a fraction is equal: labels, texts and
        places; over those "largest_difference" and "mean_difference" of these numbers (probabilities, scores, values);
        where the answers are vectors also "least_cosine" and "mean_cosine". "examples" is how many there were.
    Raises: ValueError where there are not as many answers.
    """
    texts = list(zip(*examples.columns, strict=True))
    if not len(ours) == len(theirs) == len(texts):
        raise ValueError(f"`theirs` must be {len(ours)} answers, one a text. Received: {len(theirs)}")
    vector = kind.serving.vector
    same, differences = 0, [0.0]
    cosines: list[float] = []
    for i, row in enumerate(texts):
        sides = [list(_leaves(kind.as_json(row, rows[i]))) for rows in (ours, theirs)]
        words = [[leaf for leaf in side if not isinstance(leaf[1], float)] for side in sides]
        if words[0] != words[1]:
            continue
        numbers = [np.array([leaf[1] for leaf in side if isinstance(leaf[1], float)], np.float64) for side in sides]
        if numbers[0].shape != numbers[1].shape:
            continue
        same += 1
        difference = np.abs(numbers[0] - numbers[1])
        differences.append(float(difference.max(initial=0.0)))
        if vector:
            cosines.append(_cosine(ours[i][vector], theirs[i][vector]))
    found: dict[str, Any] = {
        "examples": len(ours),
        "same_answers": same / max(len(ours), 1),
        "largest_difference": max(differences),
        "mean_difference": sum(differences) / max(same, 1),
    }
    if cosines:
        found |= {"least_cosine": min(cosines), "mean_cosine": sum(cosines) / len(cosines)}
    return found


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """What is in an object of JSON, with where it is."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name not in NOT_COMPARED:
                yield from _leaves(item, f"{path}/{name}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _leaves(item, f"{path}/{number}")
    else:
        yield path, math.inf if isinstance(value, float) and math.isnan(value) else value


def _cosine(one: Any, other: Any) -> float:
    one, other = np.asarray(one, np.float64), np.asarray(other, np.float64)
    return float(one @ other / max(np.linalg.norm(one) * np.linalg.norm(other), 1e-12))
