"""Regression: a number, or several, for a text or a pair of texts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bert_tf.config.fitting import Needs
from bert_tf.errors import UserError
from bert_tf.kinds.base import Answer
from bert_tf.kinds.classification.diagnosis import of_numbers
from bert_tf.kinds.classification.pooled import Pooled, inputs_as_json
from bert_tf.kinds.diagnosis import Diagnosis
from bert_tf.kinds.examples import Examples
from bert_tf.kinds.serving import Serving

if TYPE_CHECKING:
    import tensorflow as tf

    from bert_tf.data.batching.features import Features
    from bert_tf.models import BertClassifier

USUAL = 10.0
"""Numbers with a mean of at most this, and a deviation of a tenth to this, such as grades from 0 to 5, are learnt as
they are. Their mean is learnt first, which holds back a model that sees the same few examples many times: of STS-B 60
and 300 pairs gave 57 and 78 so, and 30 and 71 standardised (Spearman on a third of dev, rate 1e-4, layer decay 0.8,
seed 1)."""


@dataclass(frozen=True, kw_only=True)
class Regression(Pooled):
    """A number a text or a pair, such as how alike two sentences are; metrics are means over several numbers.

    Args:
        label: the column of the number, or a tuple of columns where there are several.
        low, high: the numbers that the data may have. What the model answers is not held to them.
        decimal: what stands before a number's fraction in text files, "." or ",".
    Raises: ValueError for columns, metrics, bounds or a length that cannot be.

    >>> from bert_tf.data import InMemory
    >>> source = InMemory({"train": [{"one": "a film", "two": "a movie", "score": "4.8"}]})
    >>> kind = Regression(source=source, text=("one", "two"), label="score", low=0, high=5, sequence_length=32)
    >>> kind.read("own", "train").labels.tolist()
    [[4.800000190734863]]
    """

    label: str | tuple[str, ...]
    low: float = -math.inf
    high: float = math.inf
    decimal: str = "."
    metrics: tuple[str, ...] = ("spearman", "pearson")

    problem: ClassVar[str] = "regression"
    measured: ClassVar[str] = "numbers"
    needs: ClassVar[Needs | None] = Needs(learning_rate=1e-4, standardize_numbers=True)

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"`low` must be below `high`. Received: low={self.low}, high={self.high}")
        if self.decimal not in (".", ","):
            raise ValueError(f"`decimal` must be '.' or ','. Received: decimal={self.decimal!r}")
        super().__post_init__()

    @property
    def output_names(self) -> tuple[str, ...]:
        return (self.label,) if isinstance(self.label, str) else self.label

    @property
    def label_parsers(self) -> Mapping[str, Callable[[Any], float]]:
        from bert_tf.data import number

        return dict.fromkeys(self.output_names, number(self.low, self.high, decimal=self.decimal))

    def label_array(self, columns: Sequence[Sequence[float]]) -> np.ndarray:
        """float32 [E, C]"""
        return np.stack([np.asarray(column, np.float32) for column in columns], axis=1)

    def per_example_loss(
        self,
        outputs: tf.Tensor,
        batch: Mapping[str, tf.Tensor],
        *,
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] | None = None,
    ) -> tf.Tensor:
        """The squared error of outputs and `labels` float32, both [..., C], the mean over C.

        Args:
            class_weights: C of them, of each number's error.
        Raises: UserError for label smoothing, which needs classes.
        """
        from bert_tf.models.losses.classification import squared_error

        if label_smoothing:
            raise UserError(f"'training.label_smoothing' is for tasks with classes. Received: {label_smoothing}")
        labels = batch["labels"]
        if class_weights is not None:
            factors = np.sqrt(np.asarray(class_weights, np.float32))
            outputs, labels = factors * outputs, factors * labels
        return squared_error(outputs, labels)[0]

    def numbers_in(self, examples: Examples) -> tuple[np.ndarray, np.ndarray]:
        """0 and 1 for a number of the usual size, which few examples teach better as it is: see `USUAL`. One that is
        the same in all examples has the deviation 1."""
        assert examples.labels is not None
        labels = np.asarray(examples.labels, np.float64)
        mean, deviation = labels.mean(axis=0), labels.std(axis=0)
        is_usual = (np.abs(mean) <= USUAL) & (deviation >= 1 / USUAL) & (deviation <= USUAL)
        center = np.where(is_usual, 0.0, mean).astype(np.float32)
        return center, np.where(is_usual | (deviation == 0), 1.0, deviation).astype(np.float32)

    def measure(self, outputs: Sequence[np.ndarray], features: Features, examples: Examples) -> dict[str, float]:
        return self.metrics_of(np.stack(outputs), examples)

    def measure_answers(self, answers: Sequence[Answer], examples: Examples) -> dict[str, float]:
        return self.metrics_of(np.stack([answer["values"] for answer in answers]), examples)

    def diagnose(self, answers: Sequence[Answer], examples: Examples) -> Diagnosis:
        values = np.stack([answer["values"] for answer in answers])
        return of_numbers(self.text_columns, self.output_names, examples, values=values)

    def guess(self, labels: np.ndarray) -> tuple[np.ndarray, None]:
        return np.tile(labels.mean(axis=0), (len(labels), 1)), None

    def answers(self, outputs: tf.Tensor, model: BertClassifier) -> dict[str, tf.Tensor]:
        """Returns: `values` float32 [B, C]: what the model's `scores` makes of its outputs."""
        return {"values": model.scores(outputs)}

    @property
    def serving(self) -> Serving:
        from bert_tf.kinds.classification.serving import regression

        return self.served(regression(self.output_names))

    def to_json(self, text: str, pair: str | None, answer: Answer) -> dict[str, Any]:
        values = [float(value) for value in answer["values"]]
        if len(values) == 1:
            return {**inputs_as_json(text, pair), "value": values[0]}
        return {**inputs_as_json(text, pair), "values": dict(zip(self.output_names, values, strict=True))}
