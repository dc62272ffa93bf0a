"""Classification of a text, or of a pair of texts, into one of several classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bert_tf.kinds.base import Answer
from bert_tf.kinds.classification.classes import OfClasses
from bert_tf.kinds.classification.diagnosis import of_one_class
from bert_tf.kinds.classification.pooled import inputs_as_json
from bert_tf.kinds.diagnosis import Diagnosis
from bert_tf.kinds.examples import Examples
from bert_tf.kinds.serving import Serving, log
from bert_tf.metrics.undefined import Undefined

if TYPE_CHECKING:
    import tensorflow as tf

    from bert_tf.data.batching.features import Features
    from bert_tf.kinds.long_texts.windows import Windows
    from bert_tf.models import BertClassifier

APART = 2e-6  # scores nearer to one another may change places by rounding


@dataclass(frozen=True, kw_only=True)
class Classification(OfClasses):
    """One of `classes` for a text or a pair; or none, where `reject_share` is set.

    A text that belongs to no class gets some class all the same, mostly with a low score. With a `reject_share` each
    evaluation in training finds the score below which that share of the validation texts lie, and the model keeps it,
    as `reject_below` in its config.json: a text that scores less is answered with no label, and with the best guess
    next to it. So the share is what it may cost among texts that do belong. Edit `reject_below` to choose otherwise.

    Args:
        label: the column of the label, in which a class stands by name or by index.
        classes: names of the classes, in the order of their indices.
        positive: of two classes the one that "f1", "precision", "recall", "roc_auc" and "average_precision" are of;
            None: the last one, as in GLUE. For more classes these metrics end in what the average over classes is
            called: "f1_macro", "f1_micro", "f1_weighted".
        reject_share: share of the validation texts that may be answered with no label, in [0, 1); 0: every text gets
            one.
    Raises: ValueError for columns, classes, metrics, a share or a length that cannot be.

    >>> from bert_tf.data import InMemory
    >>> rows = [{"text": "a good film", "label": "yes"}, {"text": "a bad film", "label": "no"}]
    >>> source = InMemory({"train": rows})
    >>> kind = Classification(source=source, text=("text",), label="label", classes=("no", "yes"), sequence_length=32)
    >>> kind.read("own", "train").labels.tolist()
    [1, 0]
    """

    label: str
    classes: tuple[str, ...]
    metrics: tuple[str, ...] = ("accuracy",)
    reject_share: float = 0.0
    positive: str | None = None

    problem: ClassVar[str] = "single_label"
    measured: ClassVar[str] = "classes"

    def __post_init__(self) -> None:
        if isinstance(self.classes, str) or len(set(self.classes)) != len(self.classes) or len(self.classes) < 2:
            raise ValueError(f"`classes` must be two different names or more. Received: classes={self.classes!r}")
        if self.positive is not None and (len(self.classes) != 2 or self.positive not in self.classes):
            raise ValueError(
                f"`positive` must be one of two classes. Received: positive={self.positive!r}, classes={self.classes!r}"
            )
        if not 0 <= self.reject_share < 1:
            raise ValueError(f"`reject_share` must be in [0, 1). Received: reject_share={self.reject_share}")
        super().__post_init__()

    @property
    def output_names(self) -> tuple[str, ...]:
        return self.classes

    @property
    def label_parsers(self) -> Mapping[str, Callable[[Any], int]]:
        from bert_tf.data import class_index

        return {self.label: class_index(self.classes)}

    def label_array(self, columns: Sequence[Sequence[int]]) -> np.ndarray:
        return np.asarray(columns[0], np.int32)

    def per_example_loss(
        self,
        outputs: tf.Tensor,
        batch: Mapping[str, tf.Tensor],
        *,
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] | None = None,
    ) -> tf.Tensor:
        """The cross entropy of logits [..., C] and `labels` int32 [...]."""
        from bert_tf.models.losses.classification import cross_entropy

        return cross_entropy(outputs, batch["labels"], label_smoothing=label_smoothing, class_weights=class_weights)[0]

    def balanced_weights(self, examples: Examples) -> tuple[float, ...]:
        """A class weighs E / (C * how often it occurs), so that the mean weight of an example is 1."""
        assert examples.labels is not None
        counts = np.bincount(examples.labels, minlength=len(self.classes))
        return tuple(float(len(examples) / (len(counts) * max(count, 1))) for count in counts)

    def note(self, model: Any, outputs: Sequence[np.ndarray]) -> None:
        """With a `reject_share`, the model's `reject_below`."""
        if self.reject_share:
            model.reject_below = self.threshold(outputs)

    def threshold(self, logits: Sequence[np.ndarray]) -> float:
        """The score below which `reject_share` of the examples lie, from their logits [E, C]; or somewhat fewer, where
        it would part examples of equal scores, such as a text that is there twice."""
        scores = np.sort(_probabilities(logits).max(axis=-1))
        rejected = int(self.reject_share * len(scores))
        (gaps,) = np.nonzero(np.diff(scores[: rejected + 1]) > APART)
        # Halfway to the next, so that rounding cannot move an example over it.
        return float(scores[gaps[-1]] + scores[gaps[-1] + 1]) / 2 if len(gaps) else 0.0

    def measure(self, outputs: Sequence[np.ndarray], features: Features, examples: Examples) -> dict[str, float]:
        scores = _probabilities(outputs)
        rejected = scores.max(axis=-1) < self.threshold(outputs)
        return self._metrics(np.argmax(np.stack(outputs), axis=-1), scores, rejected, examples)

    def measure_answers(self, answers: Sequence[Answer], examples: Examples) -> dict[str, float]:
        rejected = np.array([bool(answer.get("is_rejected", False)) for answer in answers])
        return self._metrics(self.guesses(answers), self.probabilities(answers), rejected, examples)

    def diagnose(self, answers: Sequence[Answer], examples: Examples) -> Diagnosis:
        return of_one_class(
            self.text_columns,
            self.classes,
            examples,
            predictions=self.guesses(answers),
            probabilities=np.stack([answer["probabilities"] for answer in answers]),
            rejected=np.array([bool(answer.get("is_rejected", False)) for answer in answers]),
        )

    def guess(self, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        shares = np.bincount(labels, minlength=len(self.classes)) / max(len(labels), 1)
        return np.full(len(labels), shares.argmax()), np.tile(shares, (len(labels), 1))

    def guesses(self, answers: Sequence[Answer]) -> np.ndarray:
        return np.array([int(answer["label_index"]) for answer in answers])

    @property
    def positive_index(self) -> int:
        return super().positive_index if self.positive is None else self.classes.index(self.positive)

    def _metrics(
        self, guesses: np.ndarray, scores: np.ndarray | None, rejected: np.ndarray, examples: Examples
    ) -> dict[str, float]:
        """Those of the best guesses; where texts are rejected also the share that is not, and its accuracy."""
        metrics = self.metrics_of(guesses, examples, scores)
        if self.reject_share:
            assert examples.labels is not None
            right = (guesses == examples.labels)[~rejected]
            accuracy = float(right.mean()) if len(right) else Undefined("every example is rejected")
            metrics |= {"coverage": float(np.mean(~rejected)), "accuracy_of_covered": accuracy}
        return metrics

    def answers(self, outputs: tf.Tensor, model: BertClassifier) -> dict[str, tf.Tensor]:
        """Returns: `label` string [B], `label_index` int32 [B], `probabilities` and `logits` float32 [B, C].

        Of a model that rejects also `is_rejected` bool [B]; there `label` is empty, and `label_index` the best guess.
        """
        import tensorflow as tf

        index = tf.argmax(outputs, axis=-1, output_type=tf.int32)  # [B]
        label, probabilities = tf.gather(tf.constant(self.classes), index), tf.nn.softmax(outputs)
        found = {"label": label, "label_index": index, "probabilities": probabilities, "logits": outputs}
        if model.reject_below:
            found["is_rejected"] = tf.reduce_max(probabilities, axis=-1) < model.reject_below
            found["label"] = tf.where(found["is_rejected"], "", label)
        return found

    def merge(self, outputs: tf.Tensor, windows: Windows, model: Any) -> tf.Tensor:
        """Logits of the mean of the windows' probabilities."""
        import tensorflow as tf

        from bert_tf.kinds.long_texts.windows import mean_over_windows, where_several

        mean = mean_over_windows(tf.nn.softmax(outputs), windows)
        return where_several(log(mean), outputs, windows)

    @property
    def serving(self) -> Serving:
        from bert_tf.kinds.classification.serving import single_label

        return self.served(single_label(self.classes))

    def to_json(self, text: str, pair: str | None, answer: Answer) -> dict[str, Any]:
        probabilities = [float(p) for p in answer["probabilities"]]
        index = int(answer["label_index"])
        guess = self.classes[index]
        rejects = "is_rejected" in answer
        return {
            **inputs_as_json(text, pair),
            "label": None if rejects and answer["is_rejected"] else guess,
            **({"best_guess": guess} if rejects else {}),
            "score": probabilities[index],
            "probabilities": dict(zip(self.classes, probabilities, strict=True)),
        }


def _probabilities(logits: Sequence[np.ndarray]) -> np.ndarray:
    """[E, C] -> [E, C]"""
    from scipy.special import softmax

    return softmax(np.stack(logits), axis=-1)
