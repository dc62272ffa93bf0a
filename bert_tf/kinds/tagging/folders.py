"""Folders of taggers."""

from __future__ import annotations

import logging

from bert_tf.data.tagged.label_sets import of_types, read_labels
from bert_tf.kinds.folders import Answering, Folder, Row, length_of, no_source
from bert_tf.kinds.tagging.spec import Tagging

logger = logging.getLogger(__name__)


def tagging(folder: Folder) -> Answering:
    """A tagger, with its labels read as they show."""
    from bert_tf.models import BertTagger

    model = BertTagger.from_pretrained(folder.where, **folder.whole)
    kind = Tagging(source=no_source(), labels=model.labels, sequence_length=length_of(model))
    labels = kind.label_set
    if labels.labels != of_types(labels.types).labels:
        logger.warning("%s: the labels are read as %s", folder.place, labels.description)
    return kind, model


def has_tags(folder: Folder) -> bool:
    """Whether tensors are a tagger's. It has the same head as a classifier, but no pooler, or labels of entities."""
    if "classifier" not in folder.parts:
        return False
    labels = folder.checkpoint.labels
    begins = labels is not None and "B" in read_labels(labels).letters and read_labels(labels).is_entities
    return begins or "pooler" not in folder.parts


ROWS = {"BertForTokenClassification": Row(("classifier",), tagging, is_meant=has_tags)}
