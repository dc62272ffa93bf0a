"""TFLite files read back: behind the run's own tokenizer, or with their own."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bert_tf.exporting.artefact import Loaded
from bert_tf.exporting.run import Run
from bert_tf.exporting.tflite.file import operators
from bert_tf.exporting.tflite.graph import text_names
from bert_tf.inference.pipeline import Pipeline
from bert_tf.runtimes.tflite import LiteFile, LiteModel, registrars
from bert_tf.sentinels import NEVER

if TYPE_CHECKING:
    from bert_tf.kinds.base import Answer


class LoadedTensors(Loaded):
    """A file that takes tensors, behind the run's own tokenizer."""

    def __init__(self, name: str, path: Path, run: Run) -> None:
        super().__init__(name, [path], takes="tensors")
        self.run, self.file = run, LiteFile(path)
        model = LiteModel(self.file, run.kind.serving.contract, reject_below=_rejects(run))
        self.pipeline = _pipeline(run, model)

    def rows(self, *columns: Sequence[str]) -> list[Answer]:
        return self.pipeline.rows(*columns)

    def call(self, batch: int, tokens: int) -> Callable[[], object] | None:
        """One run of the interpreter; a row of a fixed length is padded to it, and what the file does not take left
        out."""
        if (batch != 1 and not self.file.takes_batches) or tokens > self.run.sequence_length:
            return None
        ids = np.arange(tokens, dtype=np.int32) % self.run.tokenizer.vocabulary_size
        arrays = input_row(ids, np.zeros_like(ids), self.file.length or tokens)
        arrays = {name: np.repeat(row, batch, axis=0) for name, row in arrays.items()}
        return lambda: self.file(arrays)

    def notes(self) -> Mapping[str, Any]:
        return {"length": self.file.length or "dynamic", "operators": dict(operators(self.files[0]))}


class LoadedText(Loaded):
    """A file that takes text, a row of it at a time. What a row has no room for goes without an answer."""

    def __init__(self, name: str, path: Path, run: Run) -> None:
        super().__init__(name, [path], takes="text")
        self.run = run
        self.model = TextModel(LiteFile(path, register=registrars()), run)
        self.pipeline = _pipeline(run, self.model)

    def rows(self, *columns: Sequence[str]) -> list[Answer]:
        found = []
        for texts in zip(*columns, strict=True):
            self.model.arrays = _strings(self.run, texts)
            found += self.pipeline.rows(*([text] for text in texts))
        return found

    def call(self, batch: int, tokens: int) -> Callable[[], object] | None:
        if batch != 1 or tokens > self.run.sequence_length:
            return None
        arrays = _strings(self.run, [text for (text,) in self.run.probe(1, tokens)])
        return lambda: self.model.file(arrays)

    def notes(self) -> Mapping[str, Any]:
        return {"length": self.run.sequence_length, "operators": dict(operators(self.files[0]))}


class TextModel(LiteModel):
    """A file that takes text, where a Keras model is expected: it answers for `arrays`, the text of the rows it is
    given. Where a text is cut into several rows it knows the first only, and finds nothing in the others."""

    def __init__(self, file: LiteFile, run: Run) -> None:
        self.arrays = _strings(run, ("",) * len(run.kind.text_columns))
        super().__init__(file, run.kind.serving.contract, reject_below=_rejects(run))
        self.nothing = np.full(self.shape, NEVER, np.float32)
        if self.contract.nothing is not None:
            self.nothing[self.contract.nothing] = 0.0

    def sample(self) -> Mapping[str, np.ndarray]:
        return self.file(self.arrays)

    def decoded(self, rows: list[Any]) -> Any:
        import tensorflow as tf

        return tf.numpy_function(self._first_row, rows[:1], tf.float32)

    def _first_row(self, ids: np.ndarray) -> np.ndarray:
        """int32 [B, T] to what the Keras model gives."""
        first = np.asarray(self.contract.decode(self.file(self.arrays)))
        if not self.contract.per_token:
            return np.ascontiguousarray(first, np.float32)
        rows = np.broadcast_to(self.nothing, (*ids.shape, *self.shape)).astype(np.float32)
        tokens = min(ids.shape[1], first.shape[1])
        rows[0, :tokens] = first[0, :tokens]
        return rows


def input_row(token_ids: np.ndarray, segment_ids: np.ndarray, length: int) -> dict[str, np.ndarray]:
    """The model's inputs for one example, int32 [1, length]."""
    columns = {"ids": token_ids, "mask": np.ones(len(token_ids)), "segment_ids": segment_ids}
    row = {name: np.zeros((1, length), np.int32) for name in columns}
    for name, column in columns.items():
        row[name][0, : len(column)] = column
    return row


def _strings(run: Run, texts: Sequence[str]) -> dict[str, np.ndarray]:
    names = text_names(run.kind.serving.contract, len(run.kind.text_columns))
    return {name: np.array([text.encode("utf-8")], object) for name, text in zip(names, texts, strict=True)}


def _pipeline(run: Run, model: LiteModel) -> Pipeline:
    kind = dataclasses.replace(run.kind, **model.contract.settings)
    return Pipeline.of(kind, model, run.tokenizer, sequence_length=run.sequence_length)


def _rejects(run: Run) -> float:
    return getattr(run.model, "reject_below", 0.0)
