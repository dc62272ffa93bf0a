"""What a kind's answers look like to who asks a server: dense tensors, a row a text, in the user's terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from bert_tf.kinds.base import Kind
from bert_tf.kinds.long_texts.notes import CUT_TOKENS, LENGTHS

FILL = {tf.string: "", tf.bool: False}


def dense(kind: Kind, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Ragged [B, (N), ...] as [B, N, ...]: "", 0 and False after the last one, and int32 [B] how many each text has."""
    found: dict[str, Any] = {}
    counts = counts_of(kind, answers)
    for name, value in answers.items():
        if name in counts:
            found[name] = value.to_tensor(FILL.get(value.dtype, 0))
            found[counts[name]] = tf.cast(value.row_lengths(), tf.int32)
        else:
            found[name] = value
    return found


def cut_line(kind: Kind, cut: int, count: int) -> str:
    """A line on how many of so many inputs were cut, and how the commands read more of them."""
    hint = kind.how_to_answer_more
    said = (
        f"{cut:,} of {count:,} inputs are too long and were cut: `{CUT_TOKENS}` in their answers is what was not read"
    )
    return f"{said}; {hint}" if hint else said


def for_users(kind: Kind, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Of what `dense` gives, what an answer is to whoever asks; the names are mostly those that predict prints."""
    signatures = kind.serving.signatures
    inner = {*signatures.inner, *LENGTHS}
    found = {name: value for name, value in answers.items() if name not in inner}
    return found | dict(signatures.added(answers))


def counts_of(kind: Kind, answers: Mapping[str, Any]) -> dict[str, str]:
    """Name of each ragged tensor, or spec of one -> name of how many there are."""
    shared = {name: count for count, names in kind.serving.signatures.counts.items() for name in names}
    ragged = [name for name, value in answers.items() if isinstance(value, tf.RaggedTensor | tf.RaggedTensorSpec)]
    return {name: shared.get(name, f"{name}_count") for name in ragged}


def with_ragged(answers: Mapping[str, Any], counts: Mapping[str, str]) -> dict[str, Any]:
    """What `dense` gave, with what is ragged as ragged tensors again."""
    return {
        name: tf.RaggedTensor.from_tensor(value, lengths=answers[counts[name]]) if name in counts else value
        for name, value in answers.items()
        if name not in counts.values()
    }
