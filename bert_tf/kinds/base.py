"""What every kind of task has: reading, features, model, loss, metrics, answers."""

from __future__ import annotations

import abc
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bert_tf.config import OWN, SAMPLE, RunConfig
from bert_tf.data.inputs import text_only
from bert_tf.errors import UserError
from bert_tf.kinds.answer_settings import check_answer_settings
from bert_tf.kinds.examples import Examples
from bert_tf.kinds.words import OF_TOKENIZER, reading_of, words_of
from bert_tf.metrics import get_metric

if TYPE_CHECKING:
    from bert_tf.data import Features, Source
    from bert_tf.text import BertTokenizer

Answer = Mapping[str, Any]
"""One text's part of an answer: NumPy arrays and scalars, and bytes for strings, by name."""

SAMPLES = Path(__file__).resolve().parent.parent / "data" / "samples"


@dataclass(frozen=True, kw_only=True)
class Kind(abc.ABC):
    """A task of some kind: which data, which labels. Nothing here imports TensorFlow until it works with tensors.

    Args:
        source: reads the published files of the data (`bert_tf.data.Tsv` and others).
        sequence_length: most tokens of an example, special ones included, where the run does not say.
        metrics: names of the task's published metrics; the first chooses the best weights.
        also_score: further splits that are scored wherever "validation" is, such as a second dev set; the names of
            their metrics end in the split's: "validation_mismatched" gives "accuracy_mismatched".
        sample: name of the data bundled with the library that stands in for the real set, or None.
        defaults: keys of a run that this task sets, by section: `{"training": {"epochs": 2}}`.
        how_to_get: one sentence that says where the real data is to be had.

    >>> from bert_tf.data import Csv
    >>> from bert_tf.kinds import Classification
    >>> files = Csv(files={"train": "train.csv"})
    >>> kind = Classification(source=files, text=("text",), label="label", classes=("no", "yes"), sequence_length=32)
    >>> isinstance(kind, Kind), kind.text_columns, kind.main_metric
    (True, ('text',), 'accuracy')
    """

    source: Source
    sequence_length: int
    metrics: tuple[str, ...]
    also_score: tuple[str, ...] = ()
    sample: str | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    how_to_get: str = ""

    answer_settings: ClassVar[tuple[str, ...]] = ()
    """Names of the fields that say how texts are answered, which predict can be given."""

    def with_settings(self, settings: Mapping[str, Any]) -> Kind:
        """The same task with some of its `answer_settings` changed. Raises: UserError for another name or type."""
        check_answer_settings(self, self.answer_settings, settings)
        return replace(self, **settings)

    def configured(self, config: RunConfig, *, new_data: bool = False) -> Kind:
        """The same task as a run wants it, where that can say more; `new_data`: it is to be scored on other data.

        Raises: UserError for a language where nothing depends on one, or an unknown one.
        """
        options = {"encoding": config.data.encoding, "bad_rows_share": config.data.bad_rows_share}
        task = replace(self, source=self.source.with_options(**options))
        language = config.data.language
        if language is None:
            return task
        if "language" not in {field.name for field in fields(self)}:
            raise UserError(f"'data.language' is for tasks whose metrics count words. Received: {language!r}")
        try:
            return replace(task, language=language)
        except ValueError as error:
            raise UserError(f"'data.language': {error}") from None

    def of_columns(self, count: int) -> Kind:
        """The same task for so many texts an answer, 1 or 2; itself where it cannot be."""
        return self

    def fitted(self, model: Any, where: str) -> Kind:
        """The same task for a model from `where`. Raises: UserError if its classes are not the task's, in order."""
        return self

    @property
    def main_metric(self) -> str:
        """The metric that chooses the best weights."""
        return self.metrics[0]

    @property
    def greater_is_better(self) -> bool:
        """Which of two values of `main_metric` is the better one."""
        return get_metric(self.main_metric).greater_is_better

    @property
    def answer_metric(self) -> tuple[str, bool]:
        """The metric of answers to raw text that an export is judged by, and whether more of it is better."""
        return self.main_metric, self.greater_is_better

    @property
    def has_own_place(self) -> bool:
        """Whether the task's source itself says where the data is: in memory, or at a hub."""
        return self.source.has_own_place

    def place(self, where: str) -> Path | str | None:
        """Where `source` is to look for `where`, as `read` takes it. Raises: UserError for a sample there is not."""
        if where != SAMPLE:
            return None if where == OWN else where
        folder = SAMPLES / (self.sample or "")
        if self.sample is None or not folder.is_dir():
            raise UserError(f"expected a place with the data. Received: {SAMPLE!r}, of which this task has none")
        return folder

    @property
    @abc.abstractmethod
    def text_columns(self) -> tuple[str, ...]:
        """Names of the input's columns, as in the data and in JSON lines given to predict: one or two."""

    def input_text(self, cell: Any) -> str:
        """The text that a value of the input's columns stands for, in JSON lines. Raises: ValueError if for none."""
        return text_only(cell)

    @abc.abstractmethod
    def read(self, where: str, split: str, *, skip_bad_rows: bool = False) -> Examples:
        """Reads one split ("train", "validation" or what else the source has).

        Args:
            where: a folder or file in the source's own format, `tfds:NAME`, `hf:NAME`, `sample` or `own`.
            skip_bad_rows: leave out and count bad rows, where the default is to stop at the first.
        Raises: UserError that names file and line.
        """

    @abc.abstractmethod
    def features(
        self,
        tokenizer: BertTokenizer,
        examples: Examples,
        *,
        sequence_length: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Features:
        """Tokenises examples, with the graph that also serves.

        Args:
            progress: called with (examples done, examples in all) after each chunk.
        """

    def build_tokenizer(self, backbone: str, vocabulary: str | None = None, **reading: Any) -> BertTokenizer:
        """The tokenizer of a checkpoint; for a size with random weights that of `vocabulary`, or minilm's.

        Args:
            reading: further arguments of `BertTokenizer.from_pretrained`.
        Raises: UserError if there is none, or if a checkpoint is to have another vocabulary than its own.
        """
        from bert_tf.text import BertTokenizer

        return BertTokenizer.from_pretrained(words_of(backbone, vocabulary), **reading)

    def tokenizer_of(self, config: RunConfig) -> BertTokenizer:
        """The tokenizer of a new run, as its settings say. Raises: as `build_tokenizer`."""
        return self.build_tokenizer(config.backbone, config.vocabulary, **reading_of(config))

    @abc.abstractmethod
    def build_model(self, config: RunConfig) -> Any:
        """The Keras model of a new run: the backbone's weights, and a new head where they have none."""

    def from_backbone(self, model_class: Any, config: RunConfig, **arguments: Any) -> Any:
        """A model of `model_class` for `build_model`: the run's backbone, precision, dropout and vocabulary.

        Raises: UserError if the backbone has too few positions, or a vocabulary of its own beside the run's.
        """
        from bert_tf.text.files import count_tokens, read

        settings = config.model.model_dump().items()
        changes = {name: value for name, value in settings if value is not None and name not in OF_TOKENIZER}
        if config.vocabulary is not None:
            found, _ = read(words_of(config.backbone, config.vocabulary), **reading_of(config))
            changes["vocabulary_size"] = count_tokens(found)
        model = model_class.from_pretrained(
            config.backbone, dtype=config.training.precision, **{**changes, **arguments}
        )
        longest = config.data.sequence_length or self.sequence_length
        if longest > model.config.max_positions:
            raise UserError(
                f"'data.sequence_length' must be at most {model.config.max_positions}, the positions that "
                f"{config.backbone} has. Received: {longest}"
            )
        return model

    @abc.abstractmethod
    def load_model(self, folder: str, *, ignore: Collection[str] = ()) -> Any:
        """The Keras model as a run saved it, in float32.

        Args:
            ignore: facts of a folder that no run made to leave out, as every model's `from_pretrained` takes them.
        """

    loss_parts: ClassVar[tuple[str, ...]] = ()
    """Names of what the loss is the sum of, where training is to report more than the sum."""

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

    @property
    def scored_splits(self) -> dict[str, str]:
        """Each split that says how good the model is -> what the names of its metrics end in."""
        return {"validation": "", **{split: f"_{split.removeprefix('validation_')}" for split in self.also_score}}

    def scorer_of_splits(
        self,
        model: Any,
        tokenizer: BertTokenizer,
        features: Mapping[str, Features],
        examples: Mapping[str, Examples],
        *,
        batch_examples: int,
    ) -> Callable[[], dict[str, float]]:
        """A function that scores the model, as it stands then, on all `scored_splits`, keys of both mappings."""
        splits = self.scored_splits
        scorers = {
            split: self.scorer(model, tokenizer, features[split], examples[split], batch_examples=batch_examples)
            for split in splits
        }

        def score() -> dict[str, float]:
            found = {split: scorers[split]() for split in reversed(splits)}  # what "validation" sets on the model stays
            return {name + end: value for split, end in splits.items() for name, value in found[split].items()}

        return score

    def scorer(
        self, model: Any, tokenizer: BertTokenizer, features: Features, examples: Examples, *, batch_examples: int
    ) -> Callable[[], dict[str, float]]:
        """A function that scores the model as it stands then, called again and again in training.

        Args:
            model: its token numbers are those of `features`, which need not be the tokenizer's.
        """
        from bert_tf.kinds.outputs import Outputs

        outputs = Outputs(model, features, batch_examples=batch_examples, per_token=self.outputs_per_token)
        return lambda: self.measure(outputs(), features, examples)

    @property
    def trims_vocabulary(self) -> bool:
        """Whether training may leave out token vectors that the data cannot reach: not where tokens are written."""
        return True

    def baselines(self, examples: Examples) -> dict[str, dict[str, float]]:
        """Metrics of simple answers that need no model, by their names; evaluate prints them beside the model's."""
        return {}

    @property
    def outputs_per_token(self) -> bool:
        """Whether the model gives something a token, rather than something an example."""
        return False

    @abc.abstractmethod
    def measure(self, outputs: Sequence[np.ndarray], features: Features, examples: Examples) -> dict[str, float]:
        """The task's metrics by name, from what the model gave for each of the features (see `Outputs`).

        Shares are between 0 and 1.
        """

    @abc.abstractmethod
    def measure_answers(self, answers: Sequence[Answer], examples: Examples) -> dict[str, float]:
        """The same metrics, from what `answer_function` made of the raw texts."""

    def scores(self, pipeline: Any, examples: Examples) -> dict[str, float]:
        """The metrics of a `bert_tf.Pipeline`, from raw text."""
        return self.scores_and_report(pipeline, examples)[0]

    def scores_and_report(self, pipeline: Any, examples: Examples) -> tuple[dict[str, float], dict[str, Any]]:
        """The metrics, and what `report` says more, from one run of the model over the texts."""
        answers = pipeline.rows(examples.texts, examples.pairs)
        return self.measure_answers(answers, examples), self.report(answers, examples)

    def report(self, answers: Sequence[Answer], examples: Examples) -> dict[str, Any]:
        """What evaluate gives beside single numbers, by name, as JSON can hold it."""
        return {}

    @abc.abstractmethod
    def answer_function(
        self, model: Any, tokenizer: BertTokenizer, *, sequence_length: int | None = None
    ) -> Callable[..., dict[str, Any]]:
        """One `tf.function` from raw strings [B] (and their pairs [B]) to the tensors of the answers.

        They are dense [B, ...] or ragged [B, (N), ...], and say everything that `to_json` needs.
        """

    @abc.abstractmethod
    def to_json(self, text: str, pair: str | None, answer: Answer) -> dict[str, Any]:
        """One row of `answer_function`'s tensors, as the object that predict prints."""
