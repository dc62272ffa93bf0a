"""Files that take batches of rows, read back: behind the run's own tokenizer."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bert_tf.exporting.artefact import Loaded
from bert_tf.exporting.run import Run
from bert_tf.inference.pipeline import Pipeline
from bert_tf.runtimes.base import RowsModel

if TYPE_CHECKING:
    from bert_tf.kinds.base import Answer


class LoadedRows(Loaded):
    """A file that takes token_ids, segment_ids and padding_mask."""

    def __init__(self, name: str, files: Sequence[Path], run: Run, model: RowsModel) -> None:
        super().__init__(name, files, takes="tensors")
        self.run, self.model = run, model
        kind = dataclasses.replace(run.kind, **model.contract.settings)
        self.pipeline = Pipeline.of(
            kind,
            model,
            run.tokenizer,
            sequence_length=run.sequence_length,
            batch_examples=run.pipeline.batch_examples,
        )

    def rows(self, *columns: Sequence[str]) -> list[Answer]:
        return self.pipeline.rows(*columns)

    def call(self, batch: int, tokens: int) -> Callable[[], object]:
        """One run of the file, whose rows have no padding."""
        ids = np.arange(batch * tokens, dtype=np.int32).reshape(batch, tokens) % self.run.tokenizer.vocabulary_size
        return lambda: self.model.outputs(ids, np.ones_like(ids), np.zeros_like(ids))
