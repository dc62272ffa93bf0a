"""What the kinds share whose outputs are of classes or labels, rather than numbers."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bert_tf.errors import UserError
from bert_tf.kinds.base import Answer
from bert_tf.kinds.classification.pooled import Pooled
from bert_tf.kinds.examples import Examples
from bert_tf.metrics import get_metric
from bert_tf.metrics.classification import per_class


@dataclass(frozen=True, kw_only=True)
class OfClasses(Pooled):
    """Each output of the model is a class or a label, which can be weighted, and reported by itself."""

    def class_weights(self, setting: Sequence[float] | str | None, examples: Examples) -> tuple[float, ...] | None:
        if setting is None:
            return None
        if setting == "balanced":
            return self.balanced_weights(examples)
        if len(setting) != len(self.output_names):
            raise UserError(
                f"'training.class_weights' must have {len(self.output_names)} weights, one a class "
                f"({', '.join(self.output_names)}). Received: {list(setting)!r}"
            )
        return tuple(float(weight) for weight in setting)

    @abc.abstractmethod
    def balanced_weights(self, examples: Examples) -> tuple[float, ...]:
        """The weights that "balanced" stands for."""

    def report(self, answers: Sequence[Answer], examples: Examples) -> dict[str, Any]:
        """`per_class`: precision, recall, F1 and support of each class or label; `positive`: the one that metrics of
        two classes are of, where there are such.
        """
        assert examples.labels is not None
        found: dict[str, Any] = {"per_class": per_class(self.guesses(answers), examples.labels, self.output_names)}
        if any(get_metric(name).binary for name in self.metrics):
            found["positive"] = self.output_names[self.positive_index]
        return found

    @abc.abstractmethod
    def guesses(self, answers: Sequence[Answer]) -> np.ndarray:
        """What the answers say, shaped as the labels."""
