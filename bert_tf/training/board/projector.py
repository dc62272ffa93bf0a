"""Vectors of texts with their labels, as TensorBoard's projector reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from tensorboard.plugins import projector

from bert_tf.training.board.markdown import cut

VECTORS, LABELS = "vectors.tsv", "labels.tsv"
LONGEST = 200


def write_vectors(folder: Path, vectors: np.ndarray, columns: Mapping[str, Sequence[str]]) -> None:
    """Writes vectors, what is said of each, and the file by which the projector finds both.

    Args:
        folder: of one of TensorBoard's runs, with an event file in it.
        vectors: float [N, D].
        columns: name -> a text for each vector.
    """
    np.savetxt(folder / VECTORS, vectors, fmt="%.5g", delimiter="\t")
    rows = zip(*columns.values(), strict=True)
    lines = ["\t".join(cut(text, LONGEST) for text in row) for row in (columns, *rows)]
    if len(columns) == 1:  # a file of one column has no heading
        del lines[0]
    (folder / LABELS).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    config = projector.ProjectorConfig()
    embedding = config.embeddings.add()
    embedding.tensor_name = "texts"
    embedding.tensor_shape.extend(vectors.shape)
    embedding.tensor_path, embedding.metadata_path = VECTORS, LABELS
    projector.visualize_embeddings(str(folder), config)
