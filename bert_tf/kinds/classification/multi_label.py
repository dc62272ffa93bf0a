"""Labels of a text, or of a pair of texts: any number of them, none included."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bert_tf.kinds.base import Answer
from bert_tf.kinds.classification.classes import OfClasses
from bert_tf.kinds.classification.diagnosis import of_labels
from bert_tf.kinds.classification.pooled import inputs_as_json
from bert_tf.kinds.diagnosis import Diagnosis
from bert_tf.kinds.examples import Examples
from bert_tf.kinds.serving import Serving, log

if TYPE_CHECKING:
    import tensorflow as tf

    from bert_tf.data.batching.features import Features
    from bert_tf.kinds.long_texts.windows import Windows
    from bert_tf.models import BertClassifier


@dataclass(frozen=True, kw_only=True)
class MultiLabel(OfClasses):
    """Those of `classes` that hold for a text or a pair.

    Args:
        classes: names of the labels, in the order of their indices.
        label: the column that lists an example's labels, by name or by index: a list, or a text with `separator`
            between them; an empty one means no label. None: a column for each of `classes`, named as it is, of 0 and 1.
        separator: what stands between labels in a text.
        threshold: probability from which on a label is answered, in (0, 1).
    Raises: ValueError for columns, classes, metrics, a threshold or a length that cannot be.

    >>> from bert_tf.data import InMemory
    >>> source = InMemory({"train": [{"text": "too late, but good", "label": "good,late"}]})
    >>> kind = MultiLabel(
    ...     source=source, text=("text",), label="label", classes=("late", "rude", "good"), sequence_length=32
    ... )
    >>> kind.read("own", "train").labels.tolist()
    [[1, 0, 1]]
    """

    classes: tuple[str, ...]
    label: str | None = None
    separator: str = ","
    threshold: float = 0.5
    metrics: tuple[str, ...] = ("f1_micro", "f1_macro")

    problem: ClassVar[str] = "multi_label"
    measured: ClassVar[str] = "labels"

    def __post_init__(self) -> None:
        if isinstance(self.classes, str) or len(set(self.classes)) != len(self.classes) or not self.classes:
            raise ValueError(f"`classes` must be one name or more, all different. Received: classes={self.classes!r}")
        if not 0 < self.threshold < 1:
            raise ValueError(f"`threshold` must be in (0, 1). Received: threshold={self.threshold}")
        super().__post_init__()

    @property
    def output_names(self) -> tuple[str, ...]:
        return self.classes

    @property
    def label_parsers(self) -> Mapping[str, Callable[[Any], Any]]:
        from bert_tf.data import class_indices, yes_or_no

        if self.label is None:
            return dict.fromkeys(self.classes, yes_or_no)
        return {self.label: class_indices(self.classes, self.separator)}

    def label_array(self, columns: Sequence[Sequence[Any]]) -> np.ndarray:
        """0 or 1, int32 [E, C]"""
        if self.label is None:
            return np.stack([np.asarray(column, np.int32) for column in columns], axis=1)
        labels = np.zeros((len(columns[0]), len(self.classes)), np.int32)
        for row, indices in zip(labels, columns[0], strict=True):
            row[list(indices)] = 1
        return labels

    def per_example_loss(
        self,
        outputs: tf.Tensor,
        batch: Mapping[str, tf.Tensor],
        *,
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] | None = None,
    ) -> tf.Tensor:
        """The mean over labels of the binary cross entropy of logits and `labels`, 0 or 1, both [..., C]."""
        from bert_tf.models.losses.classification import multi_label_cross_entropy

        return multi_label_cross_entropy(
            outputs, batch["labels"], label_smoothing=label_smoothing, class_weights=class_weights
        )[0]

    def balanced_weights(self, examples: Examples) -> tuple[float, ...]:
        """A label weighs as much where it holds as where it does not."""
        assert examples.labels is not None
        held = examples.labels.sum(axis=0)
        return tuple(float(max(len(examples) - count, 1) / max(count, 1)) for count in held)

    def measure(self, outputs: Sequence[np.ndarray], features: Features, examples: Examples) -> dict[str, float]:
        from scipy.special import expit

        scores = expit(np.stack(outputs))
        return self.metrics_of((scores >= self.threshold).astype(np.int32), examples, scores)

    def measure_answers(self, answers: Sequence[Answer], examples: Examples) -> dict[str, float]:
        return self.metrics_of(self.guesses(answers), examples, self.probabilities(answers))

    def diagnose(self, answers: Sequence[Answer], examples: Examples) -> Diagnosis:
        probabilities = np.stack([answer["probabilities"] for answer in answers])
        return of_labels(
            self.text_columns, self.classes, examples, predictions=self.guesses(answers), probabilities=probabilities
        )

    def guess(self, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        shares = np.tile(labels.mean(axis=0), (len(labels), 1))
        return (shares >= 0.5).astype(np.int32), shares

    def guesses(self, answers: Sequence[Answer]) -> np.ndarray:
        """0 or 1, int32 [E, C]"""
        return np.stack([answer["holds"] for answer in answers]).astype(np.int32)

    def answers(self, outputs: tf.Tensor, model: BertClassifier) -> dict[str, tf.Tensor]:
        """Returns: `labels`, the names, ragged string [B, (N)]; `holds` bool, `probabilities` and `logits` [B, C]."""
        import tensorflow as tf

        probabilities = tf.nn.sigmoid(outputs)
        holds = probabilities >= self.threshold
        names = tf.broadcast_to(tf.constant(self.classes), tf.shape(holds))
        return {
            "labels": tf.ragged.boolean_mask(names, holds),
            "holds": holds,
            "probabilities": probabilities,
            "logits": outputs,
        }

    def merge(self, outputs: tf.Tensor, windows: Windows, model: Any) -> tf.Tensor:
        """Logits of the mean of the windows' probabilities."""
        import tensorflow as tf

        from bert_tf.kinds.long_texts.windows import mean_over_windows, where_several

        mean = mean_over_windows(tf.nn.sigmoid(outputs), windows)
        return where_several(log(mean) - log(1.0 - mean), outputs, windows)

    @property
    def serving(self) -> Serving:
        from bert_tf.kinds.classification.serving import multi_label

        return self.served(multi_label(self.classes, threshold=self.threshold))

    def to_json(self, text: str, pair: str | None, answer: Answer) -> dict[str, Any]:
        return {
            **inputs_as_json(text, pair),
            "labels": [name for name, holds in zip(self.classes, answer["holds"], strict=True) if holds],
            "probabilities": {name: float(p) for name, p in zip(self.classes, answer["probabilities"], strict=True)},
        }
