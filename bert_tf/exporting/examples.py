"""The first of a split's examples."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from bert_tf.kinds.examples import Examples
from bert_tf.kinds.vectors.retrieval import Judged
from bert_tf.kinds.vectors.spec import TextGroups


def first_examples(examples: Examples, count: int) -> Examples:
    """The first `count`; all of them where a ranking over all is what is measured."""
    if len(examples) <= count or isinstance(examples, Judged):
        return examples
    if isinstance(examples, TextGroups):
        members = examples.members[:count]
        used, numbers = np.unique(members, return_inverse=True)
        labels = None if examples.labels is None else examples.labels[:count]
        texts = [examples.texts[number] for number in used]
        members = numbers.reshape(members.shape).astype(np.int32)
        return dataclasses.replace(examples, texts=texts, members=members, labels=labels)
    size = len(examples)
    return dataclasses.replace(examples, **{
        field.name: value[:count]
        for field in dataclasses.fields(examples)
        if _is_column(value := getattr(examples, field.name), size)
    })  # fmt: skip


def _is_column(value: Any, size: int) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, str) and len(value) == size
