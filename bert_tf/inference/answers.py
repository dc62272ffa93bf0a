"""What a kind's answers look like to who asks a server: dense tensors, a row a text, in the user's terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from bert_tf.kinds import (
    Classification,
    ExtractiveSummarization,
    Kind,
    MultiLabel,
    Pretraining,
    Regression,
    SpanQA,
    Tagging,
)
from bert_tf.kinds.vectors.spec import SentenceVectors

# Of each kind, what its answers have several of, and the name of how many there are. Of a kind that is not here, and
# of names that are not, each has a number of its own, `<name>_count`.
COUNTS: dict[type[Kind], dict[str, tuple[str, ...]]] = {
    MultiLabel: {"label_count": ("labels",)},
    Tagging: {"count": ("text", "label", "start", "end", "score"), "piece_count": ("piece_start", "piece_tag")},
    SpanQA: {"n_best_count": tuple(f"n_best_{name}" for name in ("answer", "start", "end", "score", "logit"))},
    SentenceVectors: {"token_count": ("token", "start", "end", "token_vector")},
    ExtractiveSummarization: {"count": ("start", "end", "score")},
    Pretraining: {"count": ("starts", "ends", "tokens", "token_ids", "scores")},
}
# What only scoring needs.
INNER: dict[type[Kind], tuple[str, ...]] = {
    Classification: ("label_index", "logits"),
    MultiLabel: ("holds", "logits"),
    Tagging: ("piece_start", "piece_tag", "piece_count"),
    SpanQA: ("n_best_logit",),
}
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


def for_users(kind: Kind, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Of what `dense` gives, what an answer is to whoever asks; the names are mostly those that predict prints."""
    found = {name: value for name, value in answers.items() if name not in _of_kind(INNER, kind, ())}
    if isinstance(kind, Classification):
        found["score"] = tf.reduce_max(answers["probabilities"], axis=-1)
        if "is_rejected" in answers:
            found["best_guess"] = tf.gather(tf.constant(kind.classes), answers["label_index"])
    if isinstance(kind, Regression) and len(kind.output_names) == 1:
        found = {"value": answers["values"][:, 0]}
    if isinstance(kind, SpanQA) and not kind.no_answer:
        del found["no_answer_score"]
    return found


def counts_of(kind: Kind, answers: Mapping[str, Any]) -> dict[str, str]:
    """Name of each ragged tensor, or spec of one -> name of how many there are."""
    shared = {name: count for count, names in _of_kind(COUNTS, kind, {}).items() for name in names}
    ragged = [name for name, value in answers.items() if isinstance(value, tf.RaggedTensor | tf.RaggedTensorSpec)]
    return {name: shared.get(name, f"{name}_count") for name in ragged}


def with_ragged(answers: Mapping[str, Any], counts: Mapping[str, str]) -> dict[str, Any]:
    """What `dense` gave, with what is ragged as ragged tensors again."""
    return {
        name: tf.RaggedTensor.from_tensor(value, lengths=answers[counts[name]]) if name in counts else value
        for name, value in answers.items()
        if name not in counts.values()
    }


def _of_kind(table: Mapping[type[Kind], Any], kind: Kind, otherwise: Any) -> Any:
    return next((value for known, value in table.items() if isinstance(kind, known)), otherwise)
