"""What a task says: where its data is and how it is read, how long examples are, and what it is scored by."""

from __future__ import annotations

import abc
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from bert_tf.config import OWN, SAMPLE, RunConfig
from bert_tf.data.inputs import text_only
from bert_tf.errors import UserError
from bert_tf.kinds.examples import Examples

if TYPE_CHECKING:
    from bert_tf.data import Features, Source

OF_LONG_TEXTS = ("long_texts", "window_overlap", "max_windows")  # keys of [data], and fields of kinds that have them
SAMPLES = Path(__file__).resolve().parent.parent / "data" / "samples"
Self = TypeVar("Self", bound="Task")


@dataclass(frozen=True, kw_only=True)
class Task(abc.ABC):
    """The data of a task. Nothing here imports TensorFlow.

    Args:
        source: reads the published files of the data (`bert_tf.data.Tsv` and others).
        sequence_length: most tokens of an example, special ones included, where the run does not say.
        metrics: names of the task's published metrics; the first chooses the best weights.
        also_score: further splits that are scored wherever "validation" is, such as a second dev set; the names of
            their metrics end in the split's: "validation_mismatched" gives "accuracy_mismatched".
        sample: name of the data bundled with the library that stands in for the real set, or None.
        defaults: keys of a run that this task sets, by section: `{"training": {"epochs": 2}}`.
        how_to_get: one sentence that says where to get the real data.
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

    def with_settings(self: Self, settings: Mapping[str, Any]) -> Self:
        """The same task with some of its `answer_settings` changed. Raises: UserError for another name or type."""
        check_answer_settings(self, self.answer_settings, settings)
        try:
            return replace(self, **settings)
        except ValueError as error:
            raise UserError(f"--set: {error}") from None

    def meant_by(self, config: RunConfig) -> Any:
        """The task that a run's settings make of this one: itself, but where a setting asks for a kind of its own."""
        return self

    def configured(self: Self, config: RunConfig, *, new_data: bool = False) -> Self:
        """The same task as a run wants it, where that can say more; `new_data`: it is to be scored on other data.

        Raises: UserError for a language where nothing depends on one, or an unknown one, and for windows of long texts
            where an answer cannot be made of several.
        """
        options = {"encoding": config.data.encoding, "bad_rows_share": config.data.bad_rows_share}
        own = {field.name for field in fields(self)}
        long_texts = {name: getattr(config.data, name) for name in OF_LONG_TEXTS}
        long_texts = {name: value for name, value in long_texts.items() if value is not None}
        if unknown := [name for name in long_texts if name not in own]:
            raise UserError(
                f"'data.{unknown[0]}' is for tasks of classes, numbers and vectors, which make one answer of several "
                f"windows of a text. Received: {long_texts[unknown[0]]!r}"
            )
        source = self.source.for_new_data() if new_data else self.source
        task = replace(self, source=source.with_options(**options), **long_texts)
        language = config.data.language
        if language is None:
            return task
        if "language" not in own:
            raise UserError(f"'data.language' is for tasks whose metrics count words. Received: {language!r:.80}")
        try:
            return replace(task, language=language)
        except ValueError as error:
            raise UserError(f"'data.language': {error}") from None

    @property
    def main_metric(self) -> str:
        """The metric that chooses the best weights."""
        return self.metrics[0]

    @property
    def scored_splits(self) -> dict[str, str]:
        """Each split that says how good the model is -> what the names of its metrics end in."""
        return {"validation": "", **{split: f"_{split.removeprefix('validation_')}" for split in self.also_score}}

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
        """Names of the input's columns, as in the data and in JSON lines given to predict: one or more."""

    def input_text(self, cell: Any, column: str = "") -> str:
        """The text that a value of one of the input's columns stands for, in JSON lines and where a pipeline is given
        dicts. Raises: ValueError if for none."""
        return text_only(cell)

    @abc.abstractmethod
    def read(self, where: str, split: str, *, skip_bad_rows: bool = False) -> Examples:
        """Reads one split ("train", "validation" or what else the source has).

        Args:
            where: a folder or file in the source's own format, `tfds:NAME`, `hf:NAME`, `sample` or `own`.
            skip_bad_rows: leave out and count bad rows, where the default is to stop at the first.
        Raises: UserError that names file and line.
        """

    @property
    def stored_features(self) -> type[Features] | None:
        """The class of the training examples' features, where those of parts of the examples, end to end, are those of
        all: then they can be made part by part and kept on a disk. None: they are held in memory."""
        return None

    @property
    def can_store(self) -> bool:
        """Whether there are `stored_features`; asked before TensorFlow is loaded, as their class may need it."""
        return type(self).stored_features is not Task.stored_features

    @property
    def preparation(self) -> Preparation | None:
        """What `bert_tf.prepare` makes shards with; None: the task does not learn from raw text."""
        return None


class Preparation(Protocol):
    """A task whose examples can be made of raw text before training."""

    def tokenising_jobs(self, tokenizer: Any, corpus: Any) -> Sequence[tuple[Callable[..., Any], tuple[Any, ...]]]:
        """Calls that tokenise a corpus, in any order and anywhere."""
        ...

    def portions(self, tokenizer: Any, corpus: Any) -> Any:
        """The examples of a split, a portion at a time: see `bert_tf.data.corpora.portions`."""
        ...

    def described(self, config: RunConfig, tokenizer: Any) -> dict[str, Any]:
        """What a manifest says of how examples were made."""
        ...


def check_answer_settings(task: Any, known: Collection[str], settings: Mapping[str, Any]) -> None:
    """Raises: UserError for a setting of another name or type than those `known` of the task."""
    for name, value in settings.items():
        if name not in known:
            listed = ", ".join(known) or "none"
            raise UserError(f"--set: this task's answers have no setting {name!r}. There are: {listed}")
        now = getattr(task, name)
        if isinstance(now, float) and type(value) is int:
            continue
        if not isinstance(value, type(now)) or isinstance(value, bool) != isinstance(now, bool):
            raise UserError(f"--set {name}: expected a {type(now).__name__}, such as {now}. Received: {value!r}")
