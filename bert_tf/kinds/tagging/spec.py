"""Tagging: which words of a text name something, and what; or a label for each word, such as its part of speech."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bert_tf.config import SAMPLE, RunConfig
from bert_tf.data.tagged.joining import JOINERS, join_words
from bert_tf.data.tagged.label_sets import LabelSet, of_types, read_labels
from bert_tf.data.tagged.rows import SCHEMES, TaggedRows
from bert_tf.errors import UserError
from bert_tf.kinds.base import Answer
from bert_tf.kinds.diagnosis import Diagnosis
from bert_tf.kinds.examples import Examples
from bert_tf.kinds.measured import Measured
from bert_tf.kinds.serving import Serving
from bert_tf.kinds.tagging.examples import TaggedExamples
from bert_tf.kinds.tagging.scoring import TAG_METRICS, UNSEEN, answered_labels, plain_sides, tag_scores
from bert_tf.metrics.entities import ENTITY_METRICS

if TYPE_CHECKING:
    import tensorflow as tf

    from bert_tf.data.batching.features import Features
    from bert_tf.kinds.explained import Explained
    from bert_tf.models import BertTagger
    from bert_tf.text import Tokenizer

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Tagging(Measured):
    """A label for each word of a text, and entities of several words where the labels are of some scheme for them.

    With `types` the model's labels are IOB2 of these types, and data in any scheme are brought to it: IOB1, IOB2, IO,
    BIOES, BILOU or BMES, as "B-PER", "b_per" or "PER-B". With `labels` they are those, in that order, as the data have
    them: parts of speech, or what a trained model has. Tags may also be numbers of the labels, as in many JSON files.

    A word's label is that of its first piece; a word of which the tokenizer leaves no piece continues an entity around
    it, and is outside elsewhere. Of words that are joined without a space, such as the digits of a number that a file
    has one a row, the first one's label is learned and holds for all. A sentence longer than `sequence_length` is cut
    into windows that overlap, and each word counts in the window where it is furthest from a cut. Metrics are f1,
    precision and recall, see `bert_tf.metrics.entities`, and accuracy, the share of words with the right label.

    Args:
        types: what can be named; the model's labels are O, B-first, I-first, B-second, ...
        labels: instead of types, the model's labels themselves.
        scheme: how the data's tags read, "iob1", "iob2", "bioes" or "io"; with `labels` how these do, "words" or "io".
            None: as they show, with a log line that says what was taken.
        words: the column with the list of a sentence's words; or with its text, where tags are spans of characters.
        tags: the column with the list of their tags; or of spans, [start, end, type] or objects of these.
        joiner: what stands between the words of a text, " " or ""; None: a space, but none in scripts that are written
            without (see `bert_tf.data.tagged.joining`).
        stride: pieces that two windows share; None: a quarter of the sequence length.
    Raises: ValueError for types, labels, metrics, a length or a stride that cannot be.

    Example:
        >>> from bert_tf.data import InMemory
        >>> rows = [{"words": ["Ann", "left", "Rome"], "tags": ["B-PER", "O", "B-LOC"]}]
        >>> kind = Tagging(source=InMemory({"train": rows}), types=("PER", "LOC"))
        >>> kind.tag_names, kind.read("own", "train").tags
        (('O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC'), [[1, 0, 3]])
    """

    types: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    scheme: str | None = None
    words: str = "words"
    tags: str = "tags"
    metrics: tuple[str, ...] = ENTITY_METRICS
    sequence_length: int = 128
    joiner: str | None = None
    stride: int | None = None

    pipeline_tag: ClassVar[str] = "token-classification"
    in_one_pass: ClassVar[bool] = True
    long_texts_are: ClassVar[str] = "read in windows"

    def __post_init__(self) -> None:
        if bool(self.types) == bool(self.labels):
            raise ValueError(
                f"`types`, one name or more, or `labels` must be given. "
                f"Received: types={self.types!r}, labels={self.labels!r}"
            )
        for name, value in (("types", self.types), ("labels", self.labels)):
            if isinstance(value, str) or len(set(value)) != len(value) or not all(value):
                raise ValueError(f"`{name}` must be a tuple of different names. Received: {name}={value!r}")
        schemes = SCHEMES if self.types else ("words", "io")
        if self.scheme is not None and self.scheme not in schemes:
            given = "types" if self.types else "labels"
            raise ValueError(
                f"`scheme` must be one of {', '.join(schemes)}, with `{given}`. Received: scheme={self.scheme!r}"
            )
        if isinstance(self.metrics, str) or not self.metrics or set(self.metrics) - set(TAG_METRICS):
            raise ValueError(
                f"`metrics` must be a tuple of {', '.join(TAG_METRICS)}. Received: metrics={self.metrics!r}"
            )
        if self.joiner not in JOINERS:
            raise ValueError(f"`joiner` must be one of ' ', '' and None. Received: joiner={self.joiner!r}")
        if self.sequence_length < 3:
            raise ValueError(f"`sequence_length` must be 3 or more. Received: sequence_length={self.sequence_length}")
        if self.stride is not None and not 0 <= self.stride < self.sequence_length - 2:
            raise ValueError(
                f"`stride` must be in [0, {self.sequence_length - 2}), what special tokens leave. "
                f"Received: stride={self.stride}"
            )

    @property
    def label_set(self) -> LabelSet:
        """What the model's labels say."""
        return of_types(self.types) if self.types else read_labels(self.labels, self.scheme)

    @property
    def tag_names(self) -> tuple[str, ...]:
        """The names of the model's classes."""
        return self.label_set.labels

    @property
    def text_columns(self) -> tuple[str, ...]:
        return ("text",)

    @property
    def greater_is_better(self) -> bool:
        return True

    @property
    def outputs_per_token(self) -> bool:
        return True

    def fitted(self, model: Any, where: str) -> Tagging:
        """With the model's own labels, where they are of the same types.

        Raises: UserError for a model that names something else.
        """
        names, own = tuple(getattr(model, "labels", ())), self.label_set
        if names == own.labels or names == tuple(f"LABEL_{i}" for i in range(len(own.labels))):
            return self
        found = read_labels(names, None if self.types else self.scheme)
        if set(found.types) != set(own.types) or found.is_entities != own.is_entities:
            came = f"one with the labels {', '.join(names)}"
            raise UserError(f"{where}: expected a tagger of {', '.join(own.types)}. Received: {came}")
        logger.warning("%s: the labels are read as %s", where, found.description)
        return replace(self, types=(), labels=names, scheme=None)

    def read(self, where: str, split: str, *, skip_bad_rows: bool = False) -> TaggedExamples:
        labels = self.label_set
        rows = TaggedRows(self.words, self.tags, labels, by_type=bool(self.types), scheme=self.scheme)
        table = self.source.open(
            self.place(where),
            split,
            rows.parsers,
            optional=() if split in ("train", "validation") else (self.tags,),
            skip_bad_rows=skip_bad_rows,
            adapt=rows,
        )
        sentences = table.columns[self.words]
        joined = join_words([found.words for found in sentences], self.joiner, origin=table.origin)
        return TaggedExamples(
            texts=[found.text or text for found, text in zip(sentences, joined.texts, strict=True)],
            words=[found.words for found in sentences],
            starts=[found.starts or starts for found, starts in zip(sentences, joined.starts, strict=True)],
            tags=table.columns.get(self.tags),
            label_set=labels,
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
        from bert_tf.kinds.tagging.features import word_features

        assert isinstance(examples, TaggedExamples)
        length = sequence_length or self.sequence_length
        return word_features(
            tokenizer,
            examples.texts,
            examples.starts,
            [[len(word) for word in some_words] for some_words in examples.words],
            examples.tags,
            labels=self.label_set,
            max_length=length,
            stride=self._stride(length),
            progress=progress,
        )

    @property
    def stored_features(self) -> type[Features]:
        from bert_tf.kinds.tagging.features import WordFeatures

        return WordFeatures

    def _stride(self, sequence_length: int) -> int:
        wanted = sequence_length // 4 if self.stride is None else self.stride
        return min(wanted, sequence_length - 3)

    def build_model(self, config: RunConfig) -> BertTagger:
        from bert_tf.models import BertTagger

        return self.from_backbone(BertTagger, config, num_classes=len(self.tag_names), labels=self.tag_names)

    def load_model(self, folder: str, *, ignore: Collection[str] = (), dtype: str = "float32") -> BertTagger:
        from bert_tf.models import BertTagger

        return BertTagger.from_pretrained(folder, dtype=dtype, new_weights="forbid", ignore=ignore)

    def per_example_loss(
        self,
        outputs: tf.Tensor,
        batch: Mapping[str, tf.Tensor],
        *,
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] | None = None,
    ) -> tf.Tensor:
        """The cross entropy of logits [R, T, C] and `token_labels` int32 [R, T], summed over an example."""
        from bert_tf.models.losses.classification import cross_entropy
        from bert_tf.models.losses.means import sums_of_examples

        losses, _ = cross_entropy(outputs, batch["token_labels"], label_smoothing=label_smoothing)
        return sums_of_examples(losses, batch.get("example_ids"), batch["example_weight"])

    def solved_head(
        self, model: BertTagger, features: Features, examples: Examples, config: RunConfig
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        from bert_tf.kinds.tagging.frozen_head import solved_tags

        return solved_tags(self, model, features, config)

    def measure(self, outputs: Sequence[np.ndarray], features: Features, examples: Examples) -> dict[str, float]:
        from bert_tf.kinds.tagging.features import WordFeatures

        assert isinstance(features, WordFeatures)
        assert isinstance(examples, TaggedExamples)
        found = np.full(sum(map(len, examples.words)), UNSEEN)
        found[features.words] = np.concatenate(outputs)[features.word_tokens].argmax(-1)
        ends = list(accumulate(len(some_words) for some_words in examples.words))
        return self._metrics(np.split(found, ends[:-1]), examples)

    def scores(self, pipeline: Any, examples: Examples) -> dict[str, float]:
        """As every kind's; by the labels that the pipeline's model has, which may be in another order or scheme."""
        return pipeline.kind.measure_answers(pipeline.rows(*examples.columns), examples, self.metrics)

    def measure_answers(
        self, answers: Sequence[Answer], examples: Examples, metrics: Sequence[str] = ()
    ) -> dict[str, float]:
        assert isinstance(examples, TaggedExamples)
        return self._metrics(answered_labels(self.tag_names, answers, examples), examples, metrics)

    def diagnose(self, answers: Sequence[Answer], examples: Examples) -> Diagnosis:
        from bert_tf.kinds.tagging.diagnosis import diagnose_tags

        assert isinstance(examples, TaggedExamples)
        predicted, right = plain_sides(self.label_set, answered_labels(self.tag_names, answers, examples), examples)
        return diagnose_tags(self.label_set, predicted, right, answers, examples)

    def _metrics(
        self, predictions: Sequence[np.ndarray], examples: TaggedExamples, metrics: Sequence[str] = ()
    ) -> dict[str, float]:
        return tag_scores(*plain_sides(self.label_set, predictions, examples), metrics or self.metrics)

    def answer_function(
        self, model: BertTagger, tokenizer: Tokenizer, *, sequence_length: int | None = None
    ) -> Callable[..., dict[str, tf.Tensor]]:
        """See `bert_tf.kinds.tagging.answers`."""
        from bert_tf.kinds.tagging.answers import tag_answers

        length = sequence_length or self.sequence_length
        return tag_answers(model, tokenizer, self.label_set, max_length=length, stride=self._stride(length))

    explains_parts: ClassVar[bool] = True

    def explained(  # pyright: ignore[reportIncompatibleVariableOverride]
        self, answer: Answer, model: Any, tokenizer: Tokenizer, texts: Sequence[str], sequence_length: int | None = None
    ) -> list[Explained]:
        """Each entity, or labelled word."""
        from bert_tf.kinds.tagging.explained import explained_entities

        length = sequence_length or self.sequence_length
        return explained_entities(
            answer, tokenizer, self.label_set, texts[0], max_length=length, stride=self._stride(length)
        )

    @property
    def serving(self) -> Serving:
        from bert_tf.kinds.tagging.serving import tagger

        return tagger(self.label_set, stride=self._stride(self.sequence_length), joiner=self.joiner)

    def to_json(self, text: str, pair: str | None, answer: Answer) -> dict[str, Any]:
        """`entities`, or `words` where each has a label. Positions are characters of `text`."""
        found = [
            {
                "text": bytes(named).decode("utf-8"),
                "label": bytes(label).decode("utf-8"),
                "score": float(score),
                "start": int(start),
                "end": int(end),
            }
            for named, label, score, start, end in zip(
                *(answer[name] for name in ("text", "label", "score", "start", "end")), strict=True
            )
        ]
        return {"text": text, "entities" if self.label_set.is_entities else "words": found}
