"""What every kind of task has besides its data and its model: features, loss, metrics, answers, and what is served."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bert_tf.config import Needs
from bert_tf.errors import UserError
from bert_tf.kinds.diagnosis import Diagnosis
from bert_tf.kinds.examples import Examples
from bert_tf.kinds.long_texts.notes import cut_of
from bert_tf.kinds.long_texts.reader import Reader
from bert_tf.kinds.serving import Serving
from bert_tf.metrics import get_metric

if TYPE_CHECKING:
    from bert_tf.config import RunConfig
    from bert_tf.data import Features
    from bert_tf.kinds.explained import Explained
    from bert_tf.text import Tokenizer

Answer = Mapping[str, Any]
"""One text's part of an answer: NumPy arrays and scalars, and bytes for strings, by name."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What an evaluation in training finds.

    Args:
        scores: the task's metrics.
        loss: the mean loss of the validation set; None: not known.
        of_training: the metrics of the sample of training examples, where there is one.
    """

    scores: Mapping[str, float]
    loss: float | None = None
    of_training: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class ToWatch:
    """What evaluations in training look at.

    Args:
        model: its token numbers are those of `features`, which need not be the tokenizer's.
        tokenizer: of raw texts.
        features: split -> its examples, tokenised: of the `scored_splits`, and of more where a kind asks for more.
        examples: split -> what was read.
        batch_examples: examples in a batch of an evaluation.
    """

    model: Any
    tokenizer: Tokenizer
    features: Mapping[str, Any]
    examples: Mapping[str, Examples]
    batch_examples: int


@dataclass(frozen=True, kw_only=True)
class Kind(Reader):
    """A task of some kind. Nothing here imports TensorFlow until it works with tensors.

    Its data is what `Task` says, its tokenizer and model `Modelled`, and what becomes of long texts `Reader`. A kind
    that is scored by what its model gives for tokenised examples, as most are, begins with `Measured`.

    >>> from bert_tf.data import Csv
    >>> from bert_tf.kinds import Classification
    >>> files = Csv(files={"train": "train.csv"})
    >>> kind = Classification(source=files, text=("text",), label="label", classes=("no", "yes"), sequence_length=32)
    >>> isinstance(kind, Kind), kind.text_columns, kind.main_metric
    (True, ('text',), 'accuracy')
    """

    # What is trained.

    @abc.abstractmethod
    def features(
        self,
        tokenizer: Tokenizer,
        examples: Examples,
        *,
        sequence_length: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Features:
        """Tokenises examples, with the graph that also serves.

        Args:
            progress: called with (examples done, examples in all) after each chunk.
        """

    loss_parts: ClassVar[tuple[str, ...]] = ()  # names of what the loss is the sum of, where all are to be reported
    compared_fields: ClassVar[tuple[str, ...]] = ()  # what a loss reads of the batch's other examples, besides outputs

    @abc.abstractmethod
    def per_example_loss(
        self,
        outputs: Any,
        batch: Mapping[str, Any],
        *,
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] | None = None,
    ) -> Any:
        """float32 tensor shaped as `batch["example_weight"]`: the loss of each example, before that weight.

        Where the loss has several terms an example (a labelled token each, say), their sum: the features'
        `loss_terms` counts them. A kind with `loss_parts` gives each part, on one more axis, the last.
        """

    def class_weights(self, setting: Sequence[float] | str | None, examples: Examples) -> tuple[float, ...] | None:
        """Resolves `training.class_weights` against the training data. Raises: UserError if they cannot be used."""
        if setting is None:
            return None
        raise UserError(f"'training.class_weights' is for tasks with classes. Received: {setting!r}")

    def numbers_in(self, examples: Examples) -> tuple[np.ndarray, np.ndarray]:
        """The mean and the standard deviation of labels that are numbers, float32 [C] each. Raises: UserError for
        others."""
        raise UserError(f"'training.standardize_numbers' is for tasks of numbers. Received: {type(self).__name__}")

    needs: ClassVar[Needs | None] = Needs()
    """What it takes to learn, from which settings are found that nobody gives; None: they keep their defaults."""

    def can_solve_head(self, config: RunConfig) -> bool:
        """Whether a run may begin with a head that is solved for, as none of its backbone's is lost by it. Loads no
        TensorFlow.
        """
        return False

    def solved_head(
        self, model: Any, features: Features, examples: Examples, config: RunConfig
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """A head for the backbone as it is, without an update, for training.mode=frozen.

        Args:
            model: its token numbers are those of `features`.
            config: the run.
        Returns: weights of the model by path, and what is to be said of them in the result.
        Raises: UserError for a kind that has no such head.
        """
        raise UserError(
            "'training.mode' = \"frozen\" is for classes, labels, numbers and labels of words. Received: "
            f"{type(self).__name__}, which must be fine-tuned"
        )

    # How good it is.

    @property
    def greater_is_better(self) -> bool:
        """Which of two values of `main_metric` is the better one."""
        return get_metric(self.main_metric).greater_is_better

    @property
    def answer_metric(self) -> tuple[str, bool]:
        """The metric of answers to raw text that an export is judged by, and whether more of it is better."""
        return self.main_metric, self.greater_is_better

    to_watch: ClassVar[type[ToWatch]] = ToWatch
    """What `scorer_of_splits` and `watcher` take; training, which imports no kind, makes one by this name."""

    @abc.abstractmethod
    def scorer_of_splits(self, watched: ToWatch) -> Callable[[], dict[str, float]]:
        """A function that scores the model, as it stands then, on all `scored_splits`; called again and again in
        training.
        """

    sample_split: ClassVar[str] = "train_sample"
    """What the training examples are called that evaluations score next to the validation set."""

    def training_sample(self, examples: Examples, count: int) -> Examples | None:
        """About `count` training examples whose metrics are cheap to watch; None: this kind's are not."""
        return None

    def watcher(
        self, watched: ToWatch, *, train_batch_examples: int, loss: Callable[[Any, Mapping[str, Any]], Any]
    ) -> Callable[[], Watched]:
        """`scorer_of_splits`, and with it what training draws as curves. Here the loss has a pass of its own, over a
        part of the validation set where that is large.

        Args:
            watched: has `sample_split` too where `training_sample` gave one.
            train_batch_examples: of an update; a loss that compares the examples of a batch depends on it.
            loss: outputs and batch -> the loss of each example, as in training.
        """
        from bert_tf.kinds.outputs import MeanLoss

        score, validation = self.scorer_of_splits(watched), watched.features["validation"]
        mean_loss = MeanLoss(watched.model, validation, loss, batch_examples=train_batch_examples)
        return lambda: Watched(scores=score(), loss=mean_loss())

    @abc.abstractmethod
    def measure_answers(self, answers: Sequence[Answer], examples: Examples) -> dict[str, float]:
        """The same metrics, from what `answer_function` made of the raw texts."""

    @property
    def is_scored_by_answers(self) -> bool:
        """Whether `measure_answers` gives the task's metrics: not where they are of more than answers."""
        return True

    def scores(self, pipeline: Any, examples: Examples) -> dict[str, float]:
        """The metrics of a `bert_tf.Pipeline`, from raw text."""
        return self.scores_and_report(pipeline, examples)[0]

    def scores_and_report(self, pipeline: Any, examples: Examples) -> tuple[dict[str, float], dict[str, Any]]:
        """The metrics, and what `report` says more, from one run of the model over the texts."""
        answers = pipeline.rows(*examples.columns)
        cut = cut_of(answers)
        return self.measure_answers(answers, examples), {
            **self.report(answers, examples),
            **({} if cut is None else {"cut": cut.as_json()}),
        }

    def score_of_a_guess(self, examples: Examples) -> float | None:
        """The main metric of one answer to everything, the best there is without looking; None: it is not known."""
        return 0.0 if self.greater_is_better else None

    def report(self, answers: Sequence[Answer], examples: Examples) -> dict[str, Any]:
        """What evaluate gives besides single numbers, by name, as JSON can hold it."""
        return {}

    def diagnose(self, answers: Sequence[Answer], examples: Examples) -> Diagnosis:
        """Which answers are right, and what tables and figures say of them: `bert_tf.kinds.diagnosis`. Without labels,
        and by default, there is nothing to say.

        Args:
            answers: what `answer_function` gave for each of the examples, as `Pipeline.rows` has it.
        """
        return Diagnosis()

    most_diagnosed: ClassVar[int | None] = None
    """How many examples training looks at in this way at most when it is over; None: as many as the run says."""

    def projected(
        self, pipeline: Any, examples: Examples, answers: Sequence[Answer], diagnosis: Diagnosis
    ) -> tuple[np.ndarray, Mapping[str, Sequence[str]]] | None:
        """Vectors of texts for a map of them, float [N, D], and what is said of each: name -> N texts. None: no map.

        Args:
            pipeline: a `bert_tf.Pipeline`, whose answers to the examples these are.
            diagnosis: what `diagnose` says of them.
        """
        return None

    def baselines(self, examples: Examples) -> dict[str, dict[str, float]]:
        """Metrics of simple answers that need no model, by their names; evaluate prints them beside the model's."""
        return {}

    # What it answers.

    def of_columns(self, count: int) -> Kind:
        """The same task for so many texts an answer, 1 or 2; itself where it cannot be."""
        return self

    pipeline_tag: ClassVar[str] = ""
    """What Hugging Face's hub calls such tasks; "": it has no name for them."""
    explained: ClassVar[Callable[..., Sequence[Explained]] | None] = None
    """A method from an answer, the model, its tokenizer, the answer's texts, one a column, and the sequence length to
    what `Pipeline.explain` explains of the answer; None where nothing can be."""
    explains_parts: ClassVar[bool] = False  # whether there are as many as an answer has parts, such as entities
    in_one_pass: ClassVar[bool] = False  # whether that is all an answer takes, so that it can do without a graph

    @abc.abstractmethod
    def answer_function(
        self, model: Any, tokenizer: Tokenizer, *, sequence_length: int | None = None
    ) -> Callable[..., dict[str, Any]]:
        """One `tf.function` from raw strings [B], one argument a column, to the tensors of the answers.

        They are dense [B, ...] or ragged [B, (N), ...], and say everything that `to_json` needs.
        """

    def to_json(self, text: str, pair: str | None, answer: Answer) -> dict[str, Any]:
        """One row of `answer_function`'s tensors, as the object that predict prints: of a task of one or two texts."""
        texts = (text,) if pair is None else (text, pair)
        return row_as_json(dict(zip(self.text_columns, texts, strict=True)), answer)

    def as_json(self, texts: Sequence[str], answer: Answer) -> dict[str, Any]:
        """The same of a text a column, however many columns there are; a kind with more than two has its own.

        >>> from bert_tf.data import InMemory
        >>> from bert_tf.kinds import Regression
        >>> kind = Regression(source=InMemory({}), text=("a", "b"), label="score", sequence_length=8)
        >>> kind.as_json(("good", "fine"), {"values": [4.5]})
        {'text': 'good', 'pair': 'fine', 'value': 4.5}
        """
        if len(texts) > 2:
            return row_as_json(dict(zip(self.text_columns, texts, strict=True)), answer)
        return self.to_json(texts[0], texts[1] if len(texts) == 2 else None, answer)

    @property
    def serving(self) -> Serving:
        """What the formats of export read of the task; the default does for a model that gives one tensor."""
        return Serving()


def row_as_json(texts: Mapping[str, str], answer: Answer) -> dict[str, Any]:
    """The texts, and the parts of an answer as they are: arrays as lists, bytes as text."""

    def plain(value: Any) -> Any:
        value = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
        if isinstance(value, bytes):
            return value.decode("utf-8")
        return [plain(part) for part in value] if isinstance(value, list) else value

    return {**texts, **{name: plain(value) for name, value in answer.items()}}
