"""Multiple choice: which of several texts goes with a text."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bert_tf.config import SAMPLE, Needs, RunConfig
from bert_tf.data.rows.cells import shown, whole_text
from bert_tf.kinds.base import Answer
from bert_tf.kinds.diagnosis import Diagnosis, Lengths, lengths_of
from bert_tf.kinds.long_texts.notes import answer_lengths
from bert_tf.kinds.measured import Measured
from bert_tf.kinds.multiple_choice.cells import FEWEST, SEPARATOR, ChoiceRows, listed
from bert_tf.kinds.multiple_choice.examples import CHOICE_MASK, ChoiceExamples, encode_choices
from bert_tf.kinds.serving import Serving
from bert_tf.metrics import get_metric
from bert_tf.sentinels import NEVER

if TYPE_CHECKING:
    import tensorflow as tf

    from bert_tf.data.batching.features import Features
    from bert_tf.models import BertMultipleChoice
    from bert_tf.text import Tokenizer


@dataclass(frozen=True, kw_only=True)
class MultipleChoice(Measured):
    """Which of several texts goes with a text: endings of a story, answers to a question.

    The model reads the text with each choice as a pair, the choice behind its stem where there is one, and gives each
    pair a score; the softmax over an example's scores are the choices' probabilities.

    >>> from bert_tf.data import Csv
    >>> task = MultipleChoice(
    ...     source=Csv(files={"train": "train.csv"}), text="premise", choices=("choice1", "choice2"), label="label",
    ...     sequence_length=64)
    >>> task.text_columns
    ('premise', 'choice1', 'choice2')

    Args:
        text: the column of the text.
        stem: the column of what every choice begins with, such as a question, or the first words of an ending; None:
            there is none.
        choices: the columns of the choices, in order; or, as a str, the column that holds a list of them: see
            `bert_tf.kinds.multiple_choice.cells.listed`.
        label: the column that says which choice is right: the name of its column, or its index, from 0; where the list
            itself names its choices, the name.
        labels: what stands there for each choice instead, in order, such as ("A", "B", "C") or ("1", "2").
        label_is_text: the text of the right choice stands there instead.
        least_choices: fewest choices of an example; others have no part in the loss, and a probability of 0. None: as
            many as there are columns, or, of a list, 2.
    Raises: ValueError for columns, labels, metrics or numbers that cannot be.
    """

    text: str
    stem: str | None = None
    choices: tuple[str, ...] | str
    label: str
    labels: tuple[str, ...] | None = None
    label_is_text: bool = False
    least_choices: int | None = None
    metrics: tuple[str, ...] = ("accuracy",)

    pipeline_tag: ClassVar[str] = "multiple-choice"
    needs: ClassVar[Needs | None] = Needs(layer_decay=1.0)

    def __post_init__(self) -> None:
        if not isinstance(self.choices, str) and (len(self.choices) < FEWEST):
            raise ValueError(
                f"`choices` must be two columns or more, or one, as a str, that holds lists. Received: {self.choices!r}"
            )
        columns = (*self.text_columns, self.label)
        if len(set(columns)) < len(columns):
            raise ValueError(f"`text`, `stem`, `choices` and `label` must be different columns. Received: {columns}")
        if self.labels is not None:
            wanted = None if isinstance(self.choices, str) else len(self.choices)
            is_names = not isinstance(self.labels, str) and len(set(self.labels)) == len(self.labels) >= FEWEST
            if not is_names or (wanted is not None and len(self.labels) != wanted):
                raise ValueError(
                    f"`labels` must be {wanted or 'two'} different names{'' if wanted else ' or more'}. "
                    f"Received: labels={self.labels!r}"
                )
        most = None if isinstance(self.choices, str) else len(self.choices)
        if self.least_choices is not None and not FEWEST <= self.least_choices <= (most or self.least_choices):
            raise ValueError(
                f"`least_choices` must be from {FEWEST} to the number of choices. "
                f"Received: least_choices={self.least_choices}"
            )
        if isinstance(self.metrics, str) or not self.metrics:
            raise ValueError(f"`metrics` must be a tuple of one name or more. Received: metrics={self.metrics!r}")
        for name in self.metrics:
            get_metric(name).check("classes", most or FEWEST + 1)
        if self.sequence_length < 4:
            raise ValueError(f"`sequence_length` must be 4 or more. Received: sequence_length={self.sequence_length}")

    @property
    def in_columns(self) -> bool:
        """Whether each choice is a column of its own."""
        return not isinstance(self.choices, str)

    @property
    def text_columns(self) -> tuple[str, ...]:
        stem = () if self.stem is None else (self.stem,)
        return (self.text, *stem, *((self.choices,) if isinstance(self.choices, str) else self.choices))

    @property
    def choice_names(self) -> tuple[str, ...] | None:
        """What the data calls each choice; None where it has no names, or rows have their own."""
        return self.labels or (None if isinstance(self.choices, str) else self.choices)

    @property
    def _before(self) -> int:
        """How many columns of the texts are before the choices."""
        return 1 + (self.stem is not None)

    def input_text(self, cell: Any, column: str = "") -> str:
        """As every kind's; of the column with the list, the choices: see `cells.listed`."""
        return SEPARATOR.join(listed(cell).at_least(FEWEST)) if column == self.choices else super().input_text(cell)

    def read(self, where: str, split: str, *, skip_bad_rows: bool = False) -> ChoiceExamples:
        from bert_tf.data import text as text_cell

        usual = FEWEST if isinstance(self.choices, str) else len(self.choices)
        rows = ChoiceRows(
            columns=self.choices,
            label=self.label,
            labels=self.labels,
            least=self.least_choices or usual,
            by_text=self.label_is_text,
        )
        stem: Mapping[str, Callable[[Any], Any]] = {} if self.stem is None else {self.stem: _stem}
        table = self.source.open(
            self.place(where),
            split,
            {self.text: text_cell, **stem, **rows.parsers},
            optional=() if split in ("train", "validation") else (self.label,),
            skip_bad_rows=skip_bad_rows,
            adapt=rows.adapt,
        )
        labels = table.columns.get(self.label)
        return ChoiceExamples(
            texts=table.columns[self.text],
            stems=None if self.stem is None else table.columns[self.stem],
            choices=[choices.texts for choices in table.columns[rows.names[0]]],
            in_columns=self.in_columns,
            labels=None if labels is None else np.asarray(labels, np.int32),
            bad_rows=table.skipped,
            bad_row_reasons=table.reasons,
            is_sample=where == SAMPLE,
        )

    def features(
        self,
        tokenizer: Tokenizer,
        examples: ChoiceExamples,
        *,
        sequence_length: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Features:
        return encode_choices(
            tokenizer, examples, max_length=sequence_length or self.sequence_length, progress=progress
        )

    def build_model(self, config: RunConfig) -> BertMultipleChoice:
        from bert_tf.models import BertMultipleChoice

        return self.from_backbone(BertMultipleChoice, config)

    def load_model(self, folder: str, *, ignore: Collection[str] = (), dtype: str = "float32") -> BertMultipleChoice:
        from bert_tf.models import BertMultipleChoice

        return BertMultipleChoice.from_pretrained(folder, dtype=dtype, new_weights="forbid", ignore=ignore)

    def per_example_loss(
        self,
        outputs: tf.Tensor,
        batch: Mapping[str, tf.Tensor],
        *,
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] | None = None,
    ) -> tf.Tensor:
        """The cross entropy over an example's choices, of logits [R, M * K], or [R, K] where rows are not packed."""
        from bert_tf.models.losses.choices import choice_cross_entropy

        return choice_cross_entropy(outputs, batch["labels"], batch[CHOICE_MASK], label_smoothing=label_smoothing)[0]

    def scorer(
        self, model: Any, tokenizer: Tokenizer, features: Features, examples: ChoiceExamples, *, batch_examples: int
    ) -> Callable[[], dict[str, float]]:
        """As every kind's; each choice is a row of its own, so that no row is long."""
        from bert_tf.kinds.outputs import Outputs

        assert features.members is not None
        outputs, members = Outputs(model, features.single_texts, batch_examples=batch_examples), features.members
        return lambda: self.measure(list(np.stack(outputs())[members]), features, examples)

    def measure(self, outputs: Sequence[np.ndarray], features: Features, examples: ChoiceExamples) -> dict[str, float]:
        """The metrics, from the logits of each example's choices, [K]."""
        there = features.example_fields[CHOICE_MASK] != 0
        return self._metrics(np.argmax(np.where(there, np.stack(outputs), -np.inf), axis=-1), examples)

    def score_of_a_guess(self, examples: ChoiceExamples) -> float:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Of the place in which most right choices stand."""
        assert examples.labels is not None
        place = np.bincount(examples.labels).argmax()
        return self._metrics(np.full(len(examples), place), examples)[self.main_metric]

    def measure_answers(self, answers: Sequence[Answer], examples: ChoiceExamples) -> dict[str, float]:
        return self._metrics(np.array([int(answer["choice_index"]) for answer in answers]), examples)

    def lengths(self, tokenizer: Tokenizer, examples: ChoiceExamples, *, sequence_length: int) -> Lengths:
        """Of each choice, which is a row of its own with the text."""
        seconds = [examples.second_texts(i) for i in range(len(examples))]
        texts = [text for text, own in zip(examples.texts, seconds, strict=True) for second in own if second]
        return lengths_of(tokenizer, (texts, [one for own in seconds for one in own if one]), sequence_length)

    def diagnose(self, answers: Sequence[Answer], examples: ChoiceExamples) -> Diagnosis:
        from bert_tf.kinds.multiple_choice.diagnosis import diagnose_choices

        return diagnose_choices(self.text, self.stem, answers, examples)

    def _metrics(self, guesses: np.ndarray, examples: ChoiceExamples) -> dict[str, float]:
        assert examples.labels is not None
        classes = max(map(len, examples.choices))
        return {name: get_metric(name)(guesses, examples.labels, classes=classes) for name in self.metrics}

    def answer_function(
        self, model: Any, tokenizer: Tokenizer, *, sequence_length: int | None = None
    ) -> Callable[..., dict[str, tf.Tensor]]:
        """Returns: `choice` string [B], the text of the likeliest; `choice_index` int32 [B]; `probabilities` and
        `logits` float32 [B, K]. An empty choice is none, with a probability of 0; without any, all of them are 0.
        """
        import tensorflow as tf

        max_length = sequence_length or self.sequence_length

        def answer(*columns: tf.Tensor) -> dict[str, tf.Tensor]:
            if self.in_columns:
                choices = tf.stack(columns[self._before :], axis=1)  # [B, K]
            else:
                choices = tf.strings.split(columns[self._before], SEPARATOR).to_tensor("")
            number = choices.shape[1] or tf.shape(choices)[1]
            flat = tf.reshape(choices, [-1])  # [B * K]
            if self.stem is not None:
                flat = tf.strings.join([tf.repeat(columns[1], number), flat], separator=" ")
            text = tf.repeat(columns[0], number)
            rows = tokenizer(text, flat, max_length=max_length, padding="longest", return_cut=True)
            lengths = answer_lengths(rows, rows.pop("cut"))  # [B * K] each
            logits = tf.reshape(tf.cast(model(rows, training=False), tf.float32), tf.shape(choices))
            there = tf.not_equal(tf.strings.strip(choices), "")
            hidden = tf.where(there, logits, NEVER)
            index = tf.argmax(hidden, axis=-1, output_type=tf.int32)
            return {
                "choice": tf.gather(choices, index, axis=1, batch_dims=1),
                "choice_index": index,
                "probabilities": tf.where(there, tf.nn.softmax(hidden), 0.0),
                "logits": logits,
                **{name: tf.reduce_max(tf.reshape(x, tf.shape(choices)), axis=1) for name, x in lengths.items()},
            }

        signature = [tf.TensorSpec([None], tf.string, name=column) for column in self.text_columns]
        return tf.function(answer, input_signature=signature, autograph=False)

    def as_json(self, texts: Sequence[str], answer: Answer) -> dict[str, Any]:
        """What predict prints of the texts of each column and a row of `answer_function`'s tensors."""
        before = self._before
        choices = list(texts[before:]) if self.in_columns else texts[before].split(SEPARATOR)
        index, names = int(answer["choice_index"]), self.choice_names or ()
        probabilities = [float(p) for p in answer["probabilities"][: len(choices)]]
        return {
            "text": texts[0],
            **({} if self.stem is None else {"stem": texts[1]}),
            "choices": choices,
            "choice": choices[index],
            "choice_index": index,
            **({"label": names[index]} if index < len(names) else {}),
            "score": probabilities[index],
            "probabilities": probabilities,
        }

    @property
    def serving(self) -> Serving:
        from bert_tf.kinds.multiple_choice.serving import multiple_choice

        names = self.choice_names if self.in_columns else None
        columns = len(self.text_columns) - self._before
        return multiple_choice(text=self.text, stem=self.stem, columns=columns, names=names or ())


def _stem(cell: Any) -> str:
    """A text that may be empty."""
    if not isinstance(cell, str):
        raise ValueError(f"expected text. Received: {shown(cell)}")
    return whole_text(cell)
