"""What a SavedModel of each kind can be asked, and what it gives."""

from __future__ import annotations

import pytest
import tensorflow as tf

from bert_tf.exporting.saved_model import batching
from bert_tf.exporting.saved_model.signatures import signatures_of
from bert_tf.inference.pipeline import Pipeline
from tests.exporting.runs import KINDS
from tests.rest_slow import rest_slow

SPAN = {
    "answer",
    "start",
    "end",
    "score",
    "n_best_count",
    *(f"n_best_{x}" for x in ("answer", "start", "end", "score")),
}
VECTOR = {"vector", "token", "token_vector", "start", "end", "token_count"}
ANSWERS = {
    "classification": {"label", "score", "probabilities"},
    "rejecting": {"label", "score", "probabilities"},  # its threshold is found in training
    "multi_label": {"labels", "label_count", "probabilities"},
    "multiple_choice": {"choice", "choice_index", "score", "probabilities"},
    "regression": {"value"},
    "tagging": {"text", "label", "start", "end", "score", "count"},
    "span_qa": SPAN,
    "embedding": VECTOR,
    "retrieval": {"vector"},
    "extractive": {"summary", "start", "end", "score", "count", "unread"},
    "text_to_text": {"generated", "score"},
    "pretraining": {"starts", "ends", "tokens", "token_ids", "scores", "count"},
}
TENSORS = {
    "regression": {"values"},
    "span_qa": {"start_logits", "end_logits"},
    "embedding": {"vector"},
    "retrieval": {"vector"},
    "text_to_text": {"generated", "score"},
    "pretraining": {"logits", "pair_logits"},
}
LISTS = {"multi_label", "tagging", "span_qa", "embedding", "extractive", "pretraining"}
OTHERS = {
    **dict.fromkeys(("classification", "rejecting", "multi_label", "multiple_choice"), "classify"),
    "regression": "regress",
}


@pytest.mark.parametrize("kind", rest_slow(KINDS, "classification", "tagging"))
def test_every_kind_is_asked_with_text_and_with_tensors(runs, kind):
    pipeline = Pipeline(runs(kind))
    of = pipeline.kind
    signatures, counts = signatures_of(of, pipeline.model, pipeline.tokenizer, sequence_length=80)
    others = {OTHERS[kind]} if kind in OTHERS else set()
    assert set(signatures) == {"serving_default", "details", "tensors", *others}
    texts = {name: tf.constant(["a good [MASK]. who was there?", ""]) for name in of.text_columns}
    found = signatures["serving_default"](**texts)
    assert set(found) == ANSWERS[kind]
    details = signatures["details"](**texts)
    assert set(counts.values()) <= set(details)
    assert set(counts) <= set(details)
    inputs = pipeline.tokenizer(["a good film", "bad"], max_length=16)
    if kind == "text_to_text":
        del inputs["segment_ids"]
    if kind == "multiple_choice":
        inputs = {name: value[:, None] for name, value in inputs.items()}  # of a single choice
    found = signatures["tensors"](**inputs)
    assert set(found) == TENSORS.get(kind, {"logits"})
    assert all(value.shape[0] == 2 for value in found.values())
    assert batching.gives_lists(signatures, ("serving_default", "details")) == (kind in LISTS)
