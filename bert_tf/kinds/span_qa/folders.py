"""Folders of models that answer questions by a span."""

from __future__ import annotations

from bert_tf.kinds.folders import Answering, Folder, Row, no_source
from bert_tf.kinds.span_qa.spec import SpanQA


def span_qa(folder: Folder) -> Answering:
    """With the task's own settings."""
    kind = SpanQA(source=no_source())
    return kind, kind.load_model(str(folder.where), **folder.reading)


def is_meant(folder: Folder) -> bool:
    """Whether tensors are such a model's, and no classifier's or masked language model's."""
    return "span" in folder.parts and not folder.parts & {"classifier", "masked_lm"}


ROWS = {"BertForQuestionAnswering": Row(("span",), span_qa, is_meant=is_meant)}
