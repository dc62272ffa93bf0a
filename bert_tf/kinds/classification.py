"""Classification of a text, or of a pair of texts, into one of several classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bert_tf.config import SAMPLE, RunConfig
from bert_tf.errors import UserError
from bert_tf.kinds.base import Answer, Examples, Kind
from bert_tf.metrics import get_metric

if TYPE_CHECKING:
    import tensorflow as tf

    from bert_tf.data.features import Features
    from bert_tf.models import BertClassifier
    from bert_tf.text import BertTokenizer


@dataclass(frozen=True, kw_only=True)
class Classification(Kind):
    """One of `classes` for a text or a pair.

    Args:
        text: the column of the text, or the two columns of a pair.
        label: the column of the label, in which a class stands by name or by index.
        classes: names of the classes, in the order of their indices.
    Raises: ValueError for columns, classes, metrics or a length that cannot be.
    """

    text: tuple[str, ...]
    label: str
    classes: tuple[str, ...]
    metrics: tuple[str, ...] = ("accuracy",)

    def __post_init__(self) -> None:
        if len(self.text) not in (1, 2) or isinstance(self.text, str):
            raise ValueError(f"`text` must be a tuple of one or two columns. Received: text={self.text!r}")
        if isinstance(self.classes, str) or len(set(self.classes)) != len(self.classes) or len(self.classes) < 2:
            raise ValueError(f"`classes` must be two different names or more. Received: classes={self.classes!r}")
        if isinstance(self.metrics, str) or not self.metrics:
            raise ValueError(f"`metrics` must be a tuple of one name or more. Received: metrics={self.metrics!r}")
        for name in self.metrics:
            if get_metric(name).of_numbers:
                raise ValueError(f"`metrics` must be of classes, not of numbers. Received: metrics={self.metrics!r}")
        if self.sequence_length < 3:
            raise ValueError(f"`sequence_length` must be 3 or more. Received: sequence_length={self.sequence_length}")

    @property
    def text_columns(self) -> tuple[str, ...]:
        return self.text

    def read(self, where: str, split: str, *, skip_bad_rows: bool = False) -> Examples:
        from bert_tf.data import class_index
        from bert_tf.data import text as text_cell

        table = self.source.open(
            self.place(where),
            split,
            {**dict.fromkeys(self.text, text_cell), self.label: class_index(self.classes)},
            optional=() if split in ("train", "validation") else (self.label,),
            skip_bad_rows=skip_bad_rows,
        )
        labels = table.columns.get(self.label)
        return Examples(
            texts=table.columns[self.text[0]],
            pairs=table.columns[self.text[1]] if len(self.text) == 2 else None,
            labels=None if labels is None else np.asarray(labels, np.int32),
            bad_rows=table.skipped,
            is_sample=where == SAMPLE,
        )

    def features(
        self,
        tokenizer: BertTokenizer,
        examples: Examples,
        *,
        sequence_length: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Features:
        from bert_tf.data.features import encode

        return encode(
            tokenizer,
            examples.texts,
            examples.pairs,
            labels=examples.labels,
            max_length=sequence_length or self.sequence_length,
            progress=progress,
        )

    def build_model(self, config: RunConfig) -> BertClassifier:
        from bert_tf.models import BertClassifier

        return self.from_backbone(
            BertClassifier, config, num_classes=len(self.classes), labels=self.classes, problem="single_label"
        )

    def load_model(self, folder: str) -> BertClassifier:
        from bert_tf.models import BertClassifier

        return BertClassifier.from_pretrained(folder, dtype="float32")

    def per_example_loss(
        self,
        outputs: tf.Tensor,
        batch: Mapping[str, tf.Tensor],
        *,
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] | None = None,
    ) -> tf.Tensor:
        """Cross entropy of logits [..., C] against `labels` int32 [...], in float32, times the weight of the class.

        With smoothing s the target is 1 - s + s / C at the label and s / C elsewhere.
        """
        import tensorflow as tf

        logits = tf.cast(outputs, tf.float32)
        log_probabilities = tf.nn.log_softmax(logits)
        targets = tf.one_hot(batch["labels"], len(self.classes))
        smoothed = (1.0 - label_smoothing) * targets + label_smoothing / len(self.classes)
        loss = -tf.reduce_sum(smoothed * log_probabilities, axis=-1)
        if class_weights is not None:
            loss *= tf.reduce_sum(targets * tf.constant(class_weights, tf.float32), axis=-1)
        return loss

    def class_weights(self, setting: Sequence[float] | str | None, examples: Examples) -> tuple[float, ...] | None:
        """ "balanced" weighs a class by E / (C * how often it occurs), so that the mean weight of an example is 1."""
        if setting is None:
            return None
        if setting == "balanced":
            assert examples.labels is not None
            counts = np.bincount(examples.labels, minlength=len(self.classes))
            return tuple(float(len(examples) / (len(counts) * max(count, 1))) for count in counts)
        if len(setting) != len(self.classes):
            classes = ", ".join(self.classes)
            raise UserError(
                f"'training.class_weights' must have {len(self.classes)} weights, one a class ({classes}). "
                f"Received: {list(setting)!r}"
            )
        return tuple(float(weight) for weight in setting)

    def measure(self, outputs: Sequence[np.ndarray], features: Features, examples: Examples) -> dict[str, float]:
        return self._metrics([int(np.argmax(logits)) for logits in outputs], examples)

    def measure_answers(self, answers: Sequence[Answer], examples: Examples) -> dict[str, float]:
        return self._metrics([int(answer["label_index"]) for answer in answers], examples)

    def _metrics(self, predictions: Sequence[int], examples: Examples) -> dict[str, float]:
        assert examples.labels is not None
        return {name: get_metric(name)(np.asarray(predictions), examples.labels) for name in self.metrics}

    def answer_function(
        self, model: BertClassifier, tokenizer: BertTokenizer, *, sequence_length: int | None = None
    ) -> Callable[..., dict[str, tf.Tensor]]:
        """Returns: `label` string [B], `label_index` int32 [B], `probabilities` and `logits` float32 [B, C]."""
        import tensorflow as tf

        max_length = sequence_length or self.sequence_length
        classes = tf.constant(self.classes)

        def answer(*texts: tf.Tensor) -> dict[str, tf.Tensor]:
            inputs = tokenizer(*texts, max_length=max_length, padding="longest")
            logits = tf.cast(model(inputs, training=False), tf.float32)  # [B, C]
            index = tf.argmax(logits, axis=-1, output_type=tf.int32)  # [B]
            return {
                "label": tf.gather(classes, index),
                "label_index": index,
                "probabilities": tf.nn.softmax(logits),
                "logits": logits,
            }

        signature = [tf.TensorSpec([None], tf.string, name=column) for column in self.text_columns]
        return tf.function(answer, input_signature=signature)

    def to_json(self, text: str, pair: str | None, answer: Answer) -> dict[str, Any]:
        probabilities = [float(p) for p in answer["probabilities"]]
        index = int(answer["label_index"])
        return {
            **({"text": text} if pair is None else {"text": text, "pair": pair}),
            "label": self.classes[index],
            "score": probabilities[index],
            "probabilities": dict(zip(self.classes, probabilities, strict=True)),
        }
