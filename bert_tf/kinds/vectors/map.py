"""What a map of sentence vectors says of each text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

MOST_TEXTS = 2000


def map_of(
    texts: Sequence[str], members: np.ndarray, vectors: Sequence[np.ndarray]
) -> tuple[np.ndarray, Mapping[str, Sequence[str]]]:
    """The vectors of the first 2,000 texts; with each the first example that it is in, and its place there.

    Args:
        texts: N texts.
        members: int [E, P], the texts of each example.
        vectors: of each text, float [D].

    >>> map_of(["a", "b", "c"], np.array([[0, 2]]), [np.zeros(2)] * 3)[1]
    {'text': ['a', 'b', 'c'], 'example': ['0', '', '0'], 'place': ['1', '', '2']}
    """
    found: dict[int, tuple[str, str]] = {}
    for number, example in enumerate(members.tolist()):
        for place, text in enumerate(example, start=1):
            found.setdefault(text, (str(number), str(place)))
    shown = list(texts[:MOST_TEXTS])
    examples, places = ([found.get(text, ("", ""))[k] for text in range(len(shown))] for k in (0, 1))
    return np.stack(vectors[: len(shown)]), {"text": shown, "example": examples, "place": places}
