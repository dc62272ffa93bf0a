"""A trained run, as an export sees it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bert_tf.config import RunConfig
from bert_tf.kinds.base import Answer, Kind
from bert_tf.kinds.examples import Examples
from bert_tf.kinds.serving import lengths_of_texts

if TYPE_CHECKING:
    from bert_tf.inference.pipeline import Pipeline
    from bert_tf.text import Tokenizer


@dataclass(frozen=True, kw_only=True)
class Run:
    """What is exported, and what it is checked on.

    Args:
        folder: the run folder.
        config: its settings.
        kind: its task.
        pipeline: its model and tokenizer, float32.
        data: where the data is, as `kind.read` takes it.
        split: which of it the export is checked on.
        examples: that split, or its first examples.

    >>> list(Run.__annotations__)
    ['folder', 'config', 'kind', 'pipeline', 'data', 'split', 'examples']
    """

    folder: Path
    config: RunConfig
    kind: Kind
    pipeline: Pipeline
    data: str
    split: str
    examples: Examples

    @property
    def model(self) -> Any:
        """The Keras model, float32."""
        return self.pipeline.model

    @property
    def tokenizer(self) -> Tokenizer:
        return self.pipeline.tokenizer

    @property
    def sequence_length(self) -> int:
        """Most tokens of an example, special ones included."""
        return self.pipeline.sequence_length

    @cached_property
    def rows(self) -> list[Answer]:
        """The run's own answers to `examples`."""
        return self.pipeline.rows(*self.examples.columns)

    @cached_property
    def metrics(self) -> dict[str, float]:
        """The run's own metrics on `examples`."""
        return self.kind.measure_answers(self.rows, self.examples)

    def training_examples(self, count: int) -> Examples:
        """The first `count` examples of the training split, to calibrate on."""
        return self.kind.read(self.data, "train", skip_bad_rows=True).first(count)

    def probe(self, batch: int, tokens: int) -> tuple[list[str], ...]:
        """Texts of each column, of so many tokens an example, special ones included, to be timed."""
        from bert_tf.exporting.probe import texts_of_length

        lengths = self.kind.serving.lengths or lengths_of_texts(len(self.kind.text_columns))
        return tuple(texts_of_length(self.tokenizer, batch, max(length, 0)) for length in lengths(tokens))
