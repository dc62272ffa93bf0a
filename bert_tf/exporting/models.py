"""Exports that are the Keras model itself: a Hugging Face folder, and a `.keras` file."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bert_tf.exporting.artefact import Artefact, Loaded
from bert_tf.exporting.run import Run

if TYPE_CHECKING:
    from bert_tf.inference.pipeline import Pipeline
    from bert_tf.kinds.base import Answer


def files_in(folder: Path) -> list[Path]:
    """What a format put into its folder."""
    return sorted(folder.iterdir())


class LoadedPipeline(Loaded):
    """A pipeline over an artefact's files, which takes text."""

    def __init__(self, name: str, files: Sequence[Path], pipeline: Pipeline, run: Run) -> None:
        super().__init__(name, files)
        self.pipeline, self.run = pipeline, run

    def rows(self, *columns: Sequence[str]) -> list[Answer]:
        return self.pipeline.rows(*columns)

    def call(self, batch: int, tokens: int) -> Callable[[], object]:
        return self.pipeline.call(*self.run.probe(batch, tokens))


@dataclasses.dataclass(frozen=True, kw_only=True)
class HuggingFace(Artefact):
    """A folder that Transformers and `bert_tf.Pipeline` load, and its README.

    Args:
        shard_bytes: most bytes a file of weights; 0: one file, whatever its size.

    >>> HuggingFace(shard_bytes=2_000_000_000).shard_bytes
    2000000000
    """

    shard_bytes: int = 0

    def write(self, run: Run, folder: Path) -> None:
        from bert_tf.exporting.readmes import huggingface

        run.model.save_pretrained(folder, run.tokenizer, shard_bytes=self.shard_bytes or None)
        huggingface.write_readme(folder, run)

    def load(self, run: Run, folder: Path) -> list[Loaded]:
        from bert_tf.inference.pipeline import Pipeline

        pipeline = Pipeline(folder, task=dataclasses.replace(run.kind, sequence_length=run.sequence_length))
        return [LoadedPipeline("huggingface", files_in(folder), pipeline, run)]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Keras(Artefact):
    """model.keras, the tokenizer's files in tokenizer/, and a README.

    >>> Keras().place(Path("a_fresh_folder")).name
    'a_fresh_folder'
    """

    def write(self, run: Run, folder: Path) -> None:
        from bert_tf.exporting.readmes import keras

        run.model.save(folder / "model.keras")
        run.tokenizer.save_pretrained(folder / "tokenizer")
        keras.write_readme(folder, run)

    def load(self, run: Run, folder: Path) -> list[Loaded]:
        import keras

        from bert_tf.inference.pipeline import Pipeline
        from bert_tf.text import Tokenizer

        pipeline = Pipeline.of(
            run.kind,
            keras.saving.load_model(folder / "model.keras"),
            Tokenizer.from_pretrained(folder / "tokenizer"),
            sequence_length=run.sequence_length,
            batch_examples=run.pipeline.batch_examples,
        )
        return [LoadedPipeline("keras", files_in(folder), pipeline, run)]
