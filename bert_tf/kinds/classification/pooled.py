"""What the kinds share whose model gives one row of outputs for a text, or for a pair of texts."""

from __future__ import annotations

import abc
import logging
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bert_tf.config import SAMPLE, RunConfig
from bert_tf.data.rows.cells import shown
from bert_tf.errors import UserError
from bert_tf.kinds.base import Answer
from bert_tf.kinds.examples import Examples
from bert_tf.kinds.long_texts.notes import answer_lengths
from bert_tf.kinds.long_texts.spec import Windowed
from bert_tf.metrics import get_metric

if TYPE_CHECKING:
    import tensorflow as tf

    from bert_tf.data.batching.features import Features
    from bert_tf.kinds.explained import Explained
    from bert_tf.models import BertClassifier
    from bert_tf.text import Tokenizer

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Pooled(Windowed):
    """A `BertClassifier`'s outputs for a text or a pair; what they mean is the subclass's.

    Args:
        text: the column of the text, or the two columns of a pair.
    Raises: ValueError for columns, metrics or a length that cannot be.
    """

    text: tuple[str, ...]

    pipeline_tag: ClassVar[str] = "text-classification"
    in_one_pass: ClassVar[bool] = True
    problem: ClassVar[str]
    """The `problem` of the model."""
    measured: ClassVar[str]
    """What the metrics must be of: see `Metric.of`."""

    def __post_init__(self) -> None:
        if len(self.text) not in (1, 2) or isinstance(self.text, str):
            raise ValueError(f"`text` must be a tuple of one or two columns. Received: text={self.text!r}")
        if isinstance(self.metrics, str) or not self.metrics:
            raise ValueError(f"`metrics` must be a tuple of one name or more. Received: metrics={self.metrics!r}")
        for name in self.metrics:
            get_metric(name).check(self.measured, len(self.output_names))
        if self.sequence_length < 3:
            raise ValueError(f"`sequence_length` must be 3 or more. Received: sequence_length={self.sequence_length}")
        if len(set(self.output_names)) != len(self.output_names) or not self.output_names:
            raise ValueError(f"outputs must be different names, one or more. Received: {self.output_names!r}")
        super().__post_init__()

    @property
    def text_columns(self) -> tuple[str, ...]:
        return self.text

    def of_columns(self, count: int) -> Pooled:
        return self if count == len(self.text) else replace(self, text=("text", "pair")[:count])

    def fitted(self, model: Any, where: str) -> Pooled:
        """Raises: UserError for a model of other classes, or of the same in another order."""
        names, own = tuple(getattr(model, "labels", ())), self.output_names
        if len(names) != len(own):
            raise UserError(f"{where}: expected a model of {len(own)} outputs ({', '.join(own)}). Received: {names}")
        if self.problem == "regression" or names == tuple(f"LABEL_{i}" for i in range(len(own))):
            return self
        theirs, ours = ([name.casefold() for name in side] for side in (names, own))
        if theirs != ours and set(theirs) == set(ours):
            raise UserError(
                f"{where}: expected the model's classes in the task's order, {', '.join(own)}. Received: "
                f"{', '.join(names)}; give the task its classes in the model's order"
            )
        if theirs != ours:
            logger.warning("%s: the model's classes %s are taken for the task's, %s, in this order", where, names, own)
        return self

    @property
    @abc.abstractmethod
    def output_names(self) -> tuple[str, ...]:
        """Names of the model's C outputs."""

    @property
    @abc.abstractmethod
    def label_parsers(self) -> Mapping[str, Callable[[Any], Any]]:
        """The columns that say what is right, and what reads their cells."""

    @abc.abstractmethod
    def label_array(self, columns: Sequence[Sequence[Any]]) -> np.ndarray:
        """What the columns of `label_parsers` hold, each [E], as an array [E] or [E, C]."""

    def read(self, where: str, split: str, *, skip_bad_rows: bool = False) -> Examples:
        from bert_tf.data import text as text_cell

        parsers = self.label_parsers
        table = self.source.open(
            self.place(where),
            split,
            {**dict.fromkeys(self.text, text_cell), **parsers},
            optional=() if split in ("train", "validation") else tuple(parsers),
            skip_bad_rows=skip_bad_rows,
        )
        columns = [table.columns[name] for name in parsers if name in table.columns]
        labels = self.label_array(columns) if len(columns) == len(parsers) else None
        if labels is not None and split != "train":
            self.say_absent(labels, table.origin)
        return Examples(
            texts=table.columns[self.text[0]],
            pairs=table.columns[self.text[1]] if len(self.text) == 2 else None,
            labels=labels,
            bad_rows=table.skipped,
            bad_row_reasons=table.reasons,
            is_sample=where == SAMPLE,
        )

    def features(
        self,
        tokenizer: Tokenizer,
        examples: Examples,
        *,
        sequence_length: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Features:
        from bert_tf.data.batching.features import encode, numbers

        if self.reads_windows:
            from bert_tf.kinds.long_texts.features import encode_windows

            reading = self.reading(sequence_length)
            windows = encode_windows(tokenizer, examples.texts, examples.pairs, reading=reading, progress=progress)
            return windows.of_texts(None if examples.labels is None else numbers(examples.labels))
        return encode(
            tokenizer,
            examples.texts,
            examples.pairs,
            labels=examples.labels,
            max_length=sequence_length or self.sequence_length,
            progress=progress,
        )

    @property
    def can_store(self) -> bool:
        return type(self).features is Pooled.features

    @property
    def stored_features(self) -> type[Features] | None:
        from bert_tf.data import Features

        if not self.can_store:
            return None
        if self.reads_windows:
            from bert_tf.kinds.long_texts.features import WindowFeatures

            return WindowFeatures
        return Features

    def build_model(self, config: RunConfig) -> BertClassifier:
        from bert_tf.kinds.classification.frozen_head import why_no_head
        from bert_tf.models import BertClassifier
        from bert_tf.models.mean_block import with_mean_block

        model = self.from_backbone(
            BertClassifier,
            config,
            num_classes=len(self.output_names),
            labels=self.output_names,
            problem=self.problem,
            # Trained on logits, and answered with what the kind makes of them.
            output_activation="linear",
            score_activation=None,
        )
        if config.training.mode == "fine_tune":
            return model
        reason = why_no_head(model.config)
        if reason is not None:
            raise UserError(
                f"training.mode=frozen solves heads on {reason}: fine-tune it. "
                f"Received: training.mode={config.training.mode}"
            )
        return with_mean_block(model)  # a head that is solved for is one on the mean over tokens

    def load_model(self, folder: str, *, ignore: Collection[str] = (), dtype: str = "float32") -> BertClassifier:
        from bert_tf.models import BertClassifier

        return BertClassifier.from_pretrained(
            folder, dtype=dtype, new_weights="forbid", output_activation="linear", ignore=ignore
        )

    def answer_function(
        self, model: BertClassifier, tokenizer: Tokenizer, *, sequence_length: int | None = None
    ) -> Callable[..., dict[str, tf.Tensor]]:
        """Returns: what `answers` does, and the `LENGTHS` of `bert_tf.kinds.long_texts.notes`."""
        import tensorflow as tf

        max_length = sequence_length or self.sequence_length

        def cut(*texts: tf.Tensor) -> dict[str, tf.Tensor]:
            inputs = tokenizer(*texts, max_length=max_length, padding="longest", return_cut=True)
            lengths = answer_lengths(inputs, inputs.pop("cut"))
            return self.answers(tf.cast(model(inputs, training=False), tf.float32), model) | lengths

        def in_windows(*texts: tf.Tensor) -> dict[str, tf.Tensor]:
            from bert_tf.kinds.long_texts.windows import ask, window_rows

            found = window_rows(tokenizer, *texts, reading=self.reading(sequence_length))
            width, call = len(self.output_names), partial(model, training=False)
            outputs = ask(call, found.rows, texts=tf.size(texts[0]), width=width)
            return self.answers(self.merge(outputs, found.windows, model), model) | found.answer_lengths

        answer = in_windows if self.reads_windows else cut
        signature = [tf.TensorSpec([None], tf.string, name=column) for column in self.text_columns]
        return tf.function(answer, input_signature=signature, autograph=False)

    def explained(  # pyright: ignore[reportIncompatibleVariableOverride]
        self, answer: Answer, model: Any, tokenizer: Tokenizer, texts: Sequence[str], sequence_length: int | None = None
    ) -> list[Explained]:
        """The likeliest class or label, or the first number."""
        from bert_tf.kinds.classification.explained import explained_output

        number = int(np.argmax(answer["probabilities"])) if "probabilities" in answer else 0
        return [explained_output(self, number, model, tokenizer, texts, sequence_length)]

    @abc.abstractmethod
    def answers(self, outputs: tf.Tensor, model: BertClassifier) -> dict[str, tf.Tensor]:
        """The model's outputs, float32 [B, C], as answers."""

    @property
    def positive_index(self) -> int:
        """The output whose F1, precision, recall and the like the metrics of two classes are."""
        return len(self.output_names) - 1

    def metrics_of(
        self, predictions: np.ndarray, examples: Examples, scores: np.ndarray | None = None
    ) -> dict[str, float]:
        """The task's metrics, of predictions shaped as the labels, and the probability of each output [E, C]."""
        assert examples.labels is not None
        options = {"scores": scores, "classes": len(self.output_names), "positive": self.positive_index}
        return {name: get_metric(name)(predictions, examples.labels, **options) for name in self.metrics}

    def score_of_a_guess(self, examples: Examples) -> float | None:
        assert examples.labels is not None
        predictions, scores = self.guess(examples.labels)
        value = self.metrics_of(predictions, examples, scores)[self.main_metric]
        return value if math.isfinite(value) else super().score_of_a_guess(examples)

    @abc.abstractmethod
    def guess(self, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """One answer for every example, shaped as the labels, with its probabilities [E, C]: what they have most."""

    def can_solve_head(self, config: RunConfig) -> bool:
        from bert_tf.kinds.classification.frozen_head import can_solve

        return len(self.text) == 1 and can_solve(config)

    def solved_head(
        self, model: BertClassifier, features: Features, examples: Examples, config: RunConfig
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        from bert_tf.kinds.classification.frozen_head import solved

        return solved(self, model, features, examples, config)

    def say_absent(self, labels: np.ndarray, where: str) -> None:
        """Says which outputs no example has where an average over all of them is scored."""
        averages = [name for name in self.metrics if name.endswith("_macro")]
        if not averages or self.measured == "numbers":
            return
        held = np.arange(len(self.output_names)) == labels[:, None] if labels.ndim == 1 else labels != 0
        absent = [
            name for name, is_held in zip(self.output_names, held.any(axis=0).tolist(), strict=True) if not is_held
        ]
        if absent:
            logger.warning(
                "%s: no example of %s, which %s count%s as well",
                where,
                shown(absent),
                " and ".join(averages),
                "s" * (len(averages) == 1),
            )

    def probabilities(self, answers: Sequence[Answer]) -> np.ndarray | None:
        """[E, C], where a metric is of them."""
        if not any(get_metric(name).needs_scores for name in self.metrics):
            return None
        return np.stack([answer["probabilities"] for answer in answers])


def inputs_as_json(text: str, pair: str | None) -> dict[str, Any]:
    """What an answer repeats of the question."""
    return {"text": text} if pair is None else {"text": text, "pair": pair}
