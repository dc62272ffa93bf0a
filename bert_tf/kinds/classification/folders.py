"""Folders of classifiers."""

from __future__ import annotations

import dataclasses
from typing import Any

from bert_tf.kinds.classification.multi_label import MultiLabel
from bert_tf.kinds.classification.regression import Regression
from bert_tf.kinds.classification.single_label import Classification
from bert_tf.kinds.folders import Answering, Folder, Row, length_of, no_source
from bert_tf.kinds.tagging.folders import has_tags

NEXT_SENTENCE = ("is_next", "not_next")
OTHER_HEADS = {"classifier", "masked_lm", "span", "sentence_score"}


def classification(folder: Folder) -> Answering:
    """Of one class, several labels or numbers, as the model's own `problem` says."""
    from bert_tf.models import BertClassifier

    model = BertClassifier.from_pretrained(folder.where, output_activation="linear", **folder.whole)
    shared: dict[str, Any] = {"source": no_source(), "text": ("text",), "sequence_length": length_of(model)}
    if model.problem == "multi_label":
        return MultiLabel(classes=model.labels, **shared), model
    if model.problem == "regression":
        return Regression(label=model.labels, **shared), model
    return Classification(label="label", classes=model.labels, **shared), model


def next_sentence(folder: Folder) -> Answering:
    """Its head is a classifier's of two classes, under another name."""
    from bert_tf.models import BertClassifier
    from bert_tf.models.pretrained import config_of, load_into
    from bert_tf.weights.checkpoint import Arrays, Tensor

    arrays = folder.checkpoint.arrays

    def tensor(path: str) -> Tensor:
        return Tensor(arrays.name(path), arrays.shape(path), lambda: arrays[path])

    renamed = Arrays({path.replace("next_sentence/", "classifier/"): tensor(path) for path in arrays})
    model = BertClassifier(config_of(folder.where, ignore=folder.ignore), len(NEXT_SENTENCE), labels=NEXT_SENTENCE)
    load_into(model, dataclasses.replace(folder.checkpoint, arrays=renamed), new_weights="forbid")
    kind = Classification(
        source=no_source(),
        text=("text", "pair"),
        label="label",
        classes=NEXT_SENTENCE,
        sequence_length=length_of(model),
    )
    return kind, model


ROWS = {
    "BertForSequenceClassification": Row(
        ("classifier",), classification, is_meant=lambda folder: "classifier" in folder.parts and not has_tags(folder)
    ),
    "BertForNextSentencePrediction": Row(
        ("next_sentence",),
        next_sentence,
        is_meant=lambda folder: "next_sentence" in folder.parts and not folder.parts & OTHER_HEADS,
    ),
}
