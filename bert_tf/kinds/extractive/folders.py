"""Folders of models that score sentences."""

from __future__ import annotations

from bert_tf.kinds.extractive.spec import ExtractiveSummarization
from bert_tf.kinds.folders import Answering, Folder, Row, no_source


def extractive(folder: Folder) -> Answering:
    """With the task's own settings."""
    kind = ExtractiveSummarization(source=no_source(), text="text", summary="summary")
    return kind, kind.load_model(str(folder.where), **folder.reading)


def is_meant(folder: Folder) -> bool:
    """Whether tensors are such a model's, and none with another head."""
    return "sentence_score" in folder.parts and not folder.parts & {"classifier", "masked_lm", "span"}


ROWS = {"BertForExtractiveSummarization": Row(("sentence_score",), extractive, is_meant=is_meant)}
