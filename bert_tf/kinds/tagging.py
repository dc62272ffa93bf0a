"""Tagging: which words of a text name something, and what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from bert_tf.config import SAMPLE, RunConfig
from bert_tf.data.tags import tag_indices, tags_of, words
from bert_tf.errors import UserError
from bert_tf.kinds.base import Answer, Kind
from bert_tf.kinds.examples import Examples
from bert_tf.metrics.entities import ENTITY_METRICS, entity_scores

if TYPE_CHECKING:
    import tensorflow as tf

    from bert_tf.data.features import Features
    from bert_tf.models import BertTagger
    from bert_tf.text import BertTokenizer


UNSEEN = -1


@dataclass(frozen=True, kw_only=True)
class TaggedExamples(Examples):
    """Sentences of words; their texts are the words joined by single spaces.

    Args:
        words: the words of each sentence.
        tags: indices of their tags, as many; None where the split has none.
    """

    words: Sequence[Sequence[str]]
    tags: Sequence[Sequence[int]] | None = None

    @property
    def is_labelled(self) -> bool:
        return self.tags is not None


@dataclass(frozen=True, kw_only=True)
class Tagging(Kind):
    """Entities of several `types`, by a tag in IOB2 for each word.

    A word's tag is that of its first piece; a word of which the tokenizer leaves no piece goes on with an entity around
    it, and is outside elsewhere. A sentence longer
    than `sequence_length` is cut into windows that overlap, and each word counts in the window where it is furthest
    from a cut. Metrics are those of `bert_tf.metrics.entities`.

    Args:
        types: what can be named, in the order of the model's tags: O, B-first, I-first, B-second, ...
        words: the column with the list of a sentence's words.
        tags: the column with the list of their tags, in IOB2.
        stride: pieces that two windows share; None: a quarter of the sequence length.
    Raises: ValueError for types, metrics, a length or a stride that cannot be.
    """

    types: tuple[str, ...]
    words: str = "words"
    tags: str = "tags"
    metrics: tuple[str, ...] = ENTITY_METRICS
    sequence_length: int = 128
    stride: int | None = None

    def __post_init__(self) -> None:
        if isinstance(self.types, str) or len(set(self.types)) != len(self.types) or not all(self.types):
            raise ValueError(f"`types` must be a tuple of different names. Received: types={self.types!r}")
        if not self.types:
            raise ValueError("`types` must be one name or more. Received: types=()")
        if isinstance(self.metrics, str) or not self.metrics or set(self.metrics) - set(ENTITY_METRICS):
            raise ValueError(
                f"`metrics` must be a tuple of {', '.join(ENTITY_METRICS)}. Received: metrics={self.metrics!r}"
            )
        if self.sequence_length < 3:
            raise ValueError(f"`sequence_length` must be 3 or more. Received: sequence_length={self.sequence_length}")
        if self.stride is not None and not 0 <= self.stride < self.sequence_length - 2:
            raise ValueError(
                f"`stride` must be in [0, {self.sequence_length - 2}), what special tokens leave. "
                f"Received: stride={self.stride}"
            )

    @property
    def tag_names(self) -> tuple[str, ...]:
        """The names of the model's classes."""
        return tags_of(self.types)

    @property
    def text_columns(self) -> tuple[str, ...]:
        return ("text",)

    @property
    def greater_is_better(self) -> bool:
        return True

    @property
    def outputs_per_token(self) -> bool:
        return True

    def read(self, where: str, split: str, *, skip_bad_rows: bool = False) -> TaggedExamples:
        table = self.source.open(
            self.place(where),
            split,
            {self.words: words, self.tags: tag_indices(self.types)},
            optional=() if split in ("train", "validation") else (self.tags,),
            skip_bad_rows=skip_bad_rows,
        )
        sentences, tags = table.columns[self.words], table.columns.get(self.tags)
        for row, (some_words, some_tags) in enumerate(zip(sentences, tags or (), strict=False)):
            if len(some_words) != len(some_tags):
                came = f"{len(some_words)} words, {len(some_tags)} tags"
                raise UserError(f"{table.place(row)}: expected as many tags as words. Received: {came}")
        return TaggedExamples(
            texts=[" ".join(some_words) for some_words in sentences],
            words=sentences,
            tags=tags,
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
        from bert_tf.kinds.word_features import word_features

        assert isinstance(examples, TaggedExamples)
        length = sequence_length or self.sequence_length
        return word_features(
            tokenizer,
            examples.texts,
            [[len(word) for word in some_words] for some_words in examples.words],
            examples.tags,
            max_length=length,
            stride=self._stride(length),
            progress=progress,
        )

    def _stride(self, sequence_length: int) -> int:
        wanted = sequence_length // 4 if self.stride is None else self.stride
        return min(wanted, sequence_length - 3)

    def build_model(self, config: RunConfig) -> BertTagger:
        from bert_tf.models import BertTagger

        return self.from_backbone(BertTagger, config, num_classes=len(self.tag_names), labels=self.tag_names)

    def load_model(self, folder: str) -> BertTagger:
        from bert_tf.models import BertTagger

        return BertTagger.from_pretrained(folder, dtype="float32", new_weights="forbid")

    def per_example_loss(
        self,
        outputs: tf.Tensor,
        batch: Mapping[str, tf.Tensor],
        *,
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] | None = None,
    ) -> tf.Tensor:
        """Cross entropy of logits [R, T, C] and `token_labels` int32 [R, T] (-100: none), summed over an example."""
        import tensorflow as tf

        labels = batch["token_labels"]
        targets = tf.one_hot(labels, len(self.tag_names))  # [R, T, C], zeros where there is no label
        smoothed = (1.0 - label_smoothing) * targets
        smoothed += label_smoothing / len(self.tag_names) * tf.cast(labels >= 0, tf.float32)[..., None]
        losses = -tf.reduce_sum(smoothed * tf.nn.log_softmax(tf.cast(outputs, tf.float32)), axis=-1)  # [R, T]
        if "example_ids" not in batch:
            return tf.reduce_sum(losses, axis=-1)  # [R]
        slots = batch["example_weight"].shape[1]
        slots = tf.shape(batch["example_weight"])[1] if slots is None else slots
        owners = tf.one_hot(batch["example_ids"] - 1, slots)  # [R, T, M]
        return tf.einsum("rt,rtm->rm", losses, owners)

    def measure(self, outputs: Sequence[np.ndarray], features: Features, examples: Examples) -> dict[str, float]:
        from bert_tf.kinds.word_features import WordFeatures

        assert isinstance(features, WordFeatures)
        assert isinstance(examples, TaggedExamples)
        found = np.full(sum(map(len, examples.words)), UNSEEN)
        found[features.words] = np.concatenate(outputs)[features.word_tokens].argmax(-1)
        ends = list(accumulate(len(some_words) for some_words in examples.words))
        return self._metrics(np.split(found, ends[:-1]), examples)

    def measure_answers(self, answers: Sequence[Answer], examples: Examples) -> dict[str, float]:
        from bert_tf.kinds.word_features import first_pieces, word_places

        assert isinstance(examples, TaggedExamples)
        numbers = {name.encode(): number for number, name in enumerate(self.tag_names)}
        found = []
        for answer, some_words in zip(answers, examples.words, strict=True):
            tags = np.full(len(some_words), UNSEEN)
            places, pieces = first_pieces(*word_places([len(word) for word in some_words]), answer["piece_start"])
            tags[places] = [numbers[bytes(answer["piece_tag"][piece])] for piece in pieces]
            found.append(tags)
        return self._metrics(found, examples)

    def _metrics(self, predictions: Sequence[np.ndarray], examples: TaggedExamples) -> dict[str, float]:
        assert examples.tags is not None
        names = self.tag_names
        predicted, right = (
            [[names[tag] for tag in tags] for tags in sentences]
            for sentences in (map(_bridged, predictions), examples.tags)
        )
        scores = entity_scores(predicted, right)
        return {name: scores[name] for name in self.metrics}

    def answer_function(
        self, model: BertTagger, tokenizer: BertTokenizer, *, sequence_length: int | None = None
    ) -> Callable[..., dict[str, tf.Tensor]]:
        """Returns: of each text's N entities `text` and `label` string, `start` and `end` int32, `score` float32
        [B, (N)]; and of its P pieces `piece_start` int32 and `piece_tag` string [B, (P)], for words that the caller
        knows: a word's tag is that of the first piece that starts in it. How entities are made of pieces:
        `bert_tf.kinds.entities`.
        """
        import tensorflow as tf

        from bert_tf.kinds.entities import entities, pieces_of, tokenize_windows
        from bert_tf.kinds.spans import in_parts
        from bert_tf.models.base import inputs_of
        from bert_tf.text.substrings import substrings

        length = sequence_length or self.sequence_length
        types, tags = tf.constant(self.types), tf.constant(self.tag_names)

        def tag(rows: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            logits = tf.cast(model(inputs_of(rows), training=False), tf.float32)  # [w, T, C]
            return {"tag": tf.nn.softmax(tf.boolean_mask(logits, rows["scored"]))}  # [p, C]

        def answer(texts: tf.Tensor) -> dict[str, tf.Tensor]:
            rows = tokenize_windows(tokenizer, texts, max_length=length, stride=self._stride(length))
            pieces = pieces_of(rows)
            probabilities = in_parts(tag, rows, {"tag": tf.TensorSpec([None, len(self.tag_names)], tf.float32)})["tag"]
            found = entities(texts, pieces, probabilities)

            def by_text(values: tf.Tensor, example: tf.Tensor) -> Any:
                return tf.RaggedTensor.from_value_rowids(values, example, tf.shape(texts)[0], validate=False)

            columns = {
                "text": substrings(texts, found["example"], found["start"], found["end"]),
                "label": tf.gather(types, found["type"]),
                **{name: found[name] for name in ("start", "end", "score")},
            }
            best = tf.gather(tags, tf.argmax(probabilities, axis=-1))  # [P]
            return {
                **{name: by_text(values, found["example"]) for name, values in columns.items()},
                "piece_start": by_text(pieces.starts, pieces.example),
                "piece_tag": by_text(best, pieces.example),
            }

        return tf.function(answer, input_signature=[tf.TensorSpec([None], tf.string, name="text")])

    def to_json(self, text: str, pair: str | None, answer: Answer) -> dict[str, Any]:
        """Positions are characters of `text`."""
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
        return {"text": text, "entities": found}


def _bridged(tags: np.ndarray) -> np.ndarray:
    """A sentence's tags, with one for the unseen: as the next word seen, where that goes on with the word before."""
    tags = tags.copy()
    for i in np.flatnonzero(tags == UNSEEN):
        later = tags[i:][tags[i:] != UNSEEN]
        goes_on = (
            i > 0 and len(later) and later[0] > 0 and later[0] % 2 == 0 and tags[i - 1] in (later[0] - 1, later[0])
        )
        tags[i] = later[0] if goes_on else 0
    return tags
