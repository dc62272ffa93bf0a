"""Answers row by row, and those to lists of words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from bert_tf.kinds import Answer, Kind


def rows_of(tensors: Mapping[str, Any]) -> Iterator[Answer]:
    """The rows of dense [B, ...] and ragged [B, (N), ...] tensors."""
    columns = {}
    for name, tensor in tensors.items():
        is_ragged = hasattr(tensor, "row_splits")
        columns[name] = np.split(tensor.values, tensor.row_splits[1:-1]) if is_ragged else tensor.numpy()
    for row in zip(*columns.values(), strict=True):
        yield dict(zip(columns, row, strict=True))


def answers_of_words(kind: Kind, rows: Callable[[Sequence[str]], list[Answer]], texts: Any, pairs: Any = None) -> Any:
    """What a tagger answers to lists of words, or to one list.

    Args:
        rows: gives the rows of `answer_function`'s tensors for texts.
    Raises: ValueError for another task, and for what is no list of words.
    """
    split = kind.serving.of_words
    if split is None or pairs is not None:
        came = f"`pairs`, and {type(kind).__name__}" if pairs is not None else type(kind).__name__
        raise ValueError(f"`is_split_into_words` is for taggers, without `pairs`. Received: {came}")
    if isinstance(texts, str) or not isinstance(texts, Sequence):
        raise ValueError(f"`texts` must be lists of words, or one list. Received: {texts!r:.80}")
    if len(texts) and isinstance(texts[0], str):
        return answers_of_words(kind, rows, [texts])[0]
    found = split(texts)
    return [found.as_json(i, row) for i, row in enumerate(rows(found.texts))]
