"""Folders of models that give vectors: those of sentence-transformers, and KerasHub's embedders."""

from __future__ import annotations

import dataclasses

from bert_tf.kinds.folders import LONGEST, Answering, Folder, Format, no_source
from bert_tf.kinds.vectors.retrieval import Retrieval
from bert_tf.weights.sentence_transformers import has_vectors


def vectors(folder: Folder) -> Answering:
    """As long as the model's own longest text."""
    kind = Retrieval(source=no_source(), sequence_length=LONGEST)
    model = kind.load_model(str(folder.where), **folder.reading)
    longest = min(model.max_length or model.config.max_positions, model.config.max_positions)
    return dataclasses.replace(kind, sequence_length=longest), model


FORMATS = (
    Format(is_place=has_vectors, is_checkpoint=lambda found: "pooling" in found.settings, answer=vectors),  # KerasHub's
)
