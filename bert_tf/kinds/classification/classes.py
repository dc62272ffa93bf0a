"""What the kinds share whose outputs are of classes or labels, rather than numbers."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bert_tf.config import Needs
from bert_tf.errors import UserError
from bert_tf.kinds.base import Answer
from bert_tf.kinds.classification.pooled import Pooled
from bert_tf.kinds.diagnosis import Diagnosis
from bert_tf.kinds.examples import Examples
from bert_tf.metrics import get_metric
from bert_tf.metrics.classification import per_class

MOST_PROJECTED = 500
EXAMPLES_OF_A_CLASS = 100
"""Up to which a head that is solved for first gave better models than a random one: docs/small_data.md."""
MOST_SOLVED = 10_000  # examples: with more, and many classes, solving takes as long as training


@dataclass(frozen=True, kw_only=True)
class OfClasses(Pooled):
    """Each output of the model is a class or a label, which can be weighted, and reported by itself."""

    @property
    def needs(self) -> Needs:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The more classes, the longer a new head takes to tell them apart, and the fewer examples each has."""
        classes = len(self.output_names)
        return Needs(updates=150 + 10 * classes, head_first=min(EXAMPLES_OF_A_CLASS * classes, MOST_SOLVED))

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

    def projected(
        self, pipeline: Any, examples: Examples, answers: Sequence[Answer], diagnosis: Diagnosis
    ) -> tuple[np.ndarray, Mapping[str, Sequence[str]]]:
        """What the head sees of some of the texts, with the right classes and the answered ones."""
        rows = np.unique(np.linspace(0, len(examples) - 1, num=MOST_PROJECTED).round().astype(int))
        vectors = []
        for batch in np.array_split(rows, -(-len(rows) // pipeline.batch_examples)):
            texts = [[column[k] for k in batch] for column in examples.columns]
            inputs = pipeline.tokenizer(*texts, max_length=pipeline.sequence_length, padding="longest")
            vectors.append(np.asarray(pipeline.model.pooled(pipeline.model.backbone(inputs, only_pooled=True))))
        chosen = [diagnosis.rows[k] for k in rows]
        return np.concatenate(vectors).astype(np.float32), {
            "text": [" / ".join(row.inputs.values()) for row in chosen],
            "expected": [row.expected for row in chosen],
            "answered": [row.answered for row in chosen],
            "right": ["yes" if row.is_right else "no" for row in chosen],
        }
