"""What the kinds share whose model gives a vector for each text."""

from __future__ import annotations

import abc
import dataclasses
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from bert_tf.config import Needs, RunConfig
from bert_tf.errors import UserError
from bert_tf.kinds.base import Answer
from bert_tf.kinds.building import words_of
from bert_tf.kinds.diagnosis import Diagnosis
from bert_tf.kinds.examples import Examples
from bert_tf.kinds.long_texts.spec import Windowed
from bert_tf.kinds.serving import Serving
from bert_tf.kinds.vectors.map import map_of

if TYPE_CHECKING:
    import tensorflow as tf

    from bert_tf.data.batching.features import Features
    from bert_tf.kinds.long_texts.windows import Windows
    from bert_tf.models import BertEmbedder
    from bert_tf.text import Tokenizer

LOSSES = ("cosine", "contrastive", "triplet")
TEXT_IDS = "text_ids"
LOG = logging.getLogger(__name__)
Groups = TypeVar("Groups", bound="TextGroups")


@dataclass(frozen=True, kw_only=True)
class TextGroups(Examples):
    """Examples of P texts each: `texts` holds every text once, and `len` counts the examples.

    Args:
        members: int32 [E, P], the texts of each example by their number in `texts`.
        needs_labels: whether an example without a label says nothing.

    >>> import numpy as np
    >>> pairs = TextGroups(texts=["a film", "a movie", "a dog"], members=np.array([[0, 1], [0, 2]]))
    >>> len(pairs), [pairs.texts[i] for i in pairs.members[1]]
    (2, ['a film', 'a dog'])
    """

    members: np.ndarray
    needs_labels: bool = False

    def __len__(self) -> int:
        return len(self.members)

    @property
    def is_labelled(self) -> bool:
        return self.labels is not None or not self.needs_labels

    def first(self: Groups, count: int) -> Groups:
        """The first groups, with the texts that they are of."""
        if len(self) <= count:
            return self
        members = self.members[:count]
        used, numbers = np.unique(members, return_inverse=True)
        labels = None if self.labels is None else self.labels[:count]
        texts = [self.texts[number] for number in used]
        members = numbers.reshape(members.shape).astype(np.int32)
        return dataclasses.replace(self, texts=texts, members=members, labels=labels)


@dataclass(frozen=True, kw_only=True)
class SentenceVectors(Windowed):
    """A `BertEmbedder`'s vectors; what they are trained and measured with is the subclass's.

    Args:
        loss: "cosine", "contrastive" or "triplet", see `bert_tf.models.losses.vectors`. The negatives of "contrastive"
            are those of the same micro-batch, on all replicas, so there the batch matters beyond its mean.
        scale: of "contrastive": what cosines are multiplied with.
        margin: of "triplet".
        pooling: a way, or several, as BertEmbedder has them; None: as the backbone's files say, or mean.
        normalize: whether vectors have the length 1; None: as the backbone's files say, or yes.
        prompt: what is put before every text, in training too; None: nothing in training, and otherwise what the
            model's files say.
        word_vectors: whether an answer also holds each token, its place in the text and its vector.
    Raises: ValueError for a loss, number or length that cannot be.
    """

    loss: str
    scale: float = 20.0
    margin: float = 0.5
    pooling: str | tuple[str, ...] | None = None
    normalize: bool | None = None
    prompt: str | None = None
    word_vectors: bool = False

    pipeline_tag: ClassVar[str] = "sentence-similarity"
    in_one_pass: ClassVar[bool] = True
    needs: ClassVar[Needs | None] = Needs(updates=100, growth=4, passes=1, learning_rate=5e-5, batch_examples=(32, 64))
    answer_settings: ClassVar[tuple[str, ...]] = ("word_vectors", *Windowed.answer_settings)

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise ValueError(f"`loss` must be one of {', '.join(LOSSES)}. Received: loss={self.loss!r}")
        for name, value in (("scale", self.scale), ("margin", self.margin)):
            if not value > 0:
                raise ValueError(f"`{name}` must be above 0. Received: {name}={value}")
        if self.sequence_length < 3:
            raise ValueError(f"`sequence_length` must be 3 or more. Received: sequence_length={self.sequence_length}")
        super().__post_init__()

    @property
    def text_columns(self) -> tuple[str, ...]:
        return ("text",)

    @property
    def greater_is_better(self) -> bool:
        return True

    def features(
        self,
        tokenizer: Tokenizer,
        examples: TextGroups,
        *,
        sequence_length: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Features:
        """Of windows, a text's first is trained on, as another need not say what it is alike to; all are scored."""
        prompted = [f"{self.prompt}{text}" for text in examples.texts] if self.prompt else examples.texts
        members = np.asarray(examples.members, np.int32)
        texts = self.encoded(tokenizer, prompted, sequence_length, progress)
        return dataclasses.replace(
            texts,
            members=getattr(texts, "first_windows", np.arange(len(texts), dtype=np.int32))[members],
            labels=examples.labels,
            weights=self.weights(examples),
            example_fields={TEXT_IDS: members},
            fills={TEXT_IDS: -1},
        )

    def weights(self, examples: TextGroups) -> np.ndarray | None:
        """float32 [E], how much each example counts in the loss; None: all the same."""
        return None

    def build_tokenizer(self, backbone: str, vocabulary: str | None = None, **reading: Any) -> Tokenizer:
        """As every kind's; where a folder of sentence-transformers lower-cases texts, the tokenizer does so, unless
        `lowercase` says otherwise."""
        from bert_tf.weights.places import folder_of, inner_folder, resolve
        from bert_tf.weights.sentence_transformers import lowercases

        tokenizer = super().build_tokenizer(backbone, vocabulary, **reading)
        if tokenizer.lowercase or reading.get("lowercase") is not None:
            return tokenizer
        words = words_of(backbone, vocabulary)
        folder = folder_of(resolve(words))
        if not lowercases(folder, inner_folder(folder)):
            return tokenizer
        # Lower-cased alone: accents stay, unless the tokenizer is to take them off.
        settings: dict[str, Any] = {"lowercase": True, "strip_accents": tokenizer.strip_accents or False}
        return type(tokenizer).from_pretrained(words, **(reading | settings))

    def build_model(self, config: RunConfig) -> BertEmbedder:
        from bert_tf.models import BertEmbedder

        max_length = config.data.sequence_length or self.sequence_length
        model = self.from_backbone(BertEmbedder, config, max_length=max_length, **self._settings)
        if self.prompt is None and model.prompt:
            LOG.warning(
                "%s puts %r before each text by default; this training does not: the task's `prompt` would",
                config.backbone,
                model.prompt,
            )
            model.prompt = ""
        return model

    def load_model(self, folder: str, *, ignore: Collection[str] = (), dtype: str = "float32") -> BertEmbedder:
        from bert_tf.models import BertEmbedder

        return BertEmbedder.from_pretrained(folder, dtype=dtype, ignore=ignore, **self._settings)

    @property
    def compared_fields(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        return (TEXT_IDS,) if self.loss == "contrastive" else ()

    @property
    def _settings(self) -> dict[str, Any]:
        settings = {"pooling": self.pooling, "normalize": self.normalize, "prompt": self.prompt}
        return {name: value for name, value in settings.items() if value is not None}

    def per_example_loss(
        self,
        outputs: tf.Tensor,
        batch: Mapping[str, tf.Tensor],
        *,
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] | None = None,
    ) -> tf.Tensor:
        """Of vectors [R, M * P, D], or [R, P, D] where rows are not packed.

        Raises: UserError for label smoothing where there is nothing to choose among.
        """
        from bert_tf.models.losses.vectors import vector_losses

        if label_smoothing and self.loss != "contrastive":
            raise UserError(
                f"'training.label_smoothing' is for the contrastive loss. Received: {label_smoothing}, for {self.loss}"
            )
        options = {"scale": self.scale, "margin": self.margin, "label_smoothing": label_smoothing}
        return vector_losses(outputs, batch[TEXT_IDS], loss=self.loss, scores=batch.get("labels"), **options)[0]

    def scorer(
        self, model: Any, tokenizer: Tokenizer, features: Features, examples: TextGroups, *, batch_examples: int
    ) -> Callable[[], dict[str, float]]:
        """As every kind's; each text goes through the model once, however many examples it is in."""
        from bert_tf.kinds.outputs import Outputs

        outputs = Outputs(model, features.single_texts, batch_examples=batch_examples)
        return lambda: self.measure(self.of_examples(model, outputs(), features), features, examples)

    def measure(self, outputs: Sequence[np.ndarray], features: Features, examples: TextGroups) -> dict[str, float]:
        """The metrics, from the vectors of the texts."""
        return self.measure_vectors(np.stack(outputs), examples)

    def measure_answers(self, answers: Sequence[Answer], examples: TextGroups) -> dict[str, float]:
        return self.measure_vectors(np.stack([answer["vector"] for answer in answers]), examples)

    def projected(
        self, pipeline: Any, examples: TextGroups, answers: Sequence[Answer], diagnosis: Diagnosis
    ) -> tuple[np.ndarray, Mapping[str, Sequence[str]]]:
        return map_of(examples.texts, examples.members, [answer["vector"] for answer in answers])

    @abc.abstractmethod
    def measure_vectors(self, vectors: np.ndarray, examples: TextGroups) -> dict[str, float]:
        """The metrics, from float32 [N, D], a vector for each of `examples.texts`."""

    def answer_function(
        self, model: BertEmbedder, tokenizer: Tokenizer, *, sequence_length: int | None = None
    ) -> Callable[..., dict[str, tf.Tensor]]:
        """Returns: `vector` float32 [B, D], and the `LENGTHS` of `bert_tf.kinds.long_texts.notes`. With `word_vectors`
        also, ragged [B, (T)] without special tokens: `token` string, `start` and `end` int32, and `token_vector`
        float32 [B, (T), D].
        """
        import tensorflow as tf

        from bert_tf.kinds.vectors.answers import answers_of_rows, answers_of_windows

        words = self.word_vectors
        if self.reads_windows:
            reading = self.reading(sequence_length)
            answer = answers_of_windows(model, tokenizer, self.merge, reading=reading, words=words)
        else:
            max_length = sequence_length or self.sequence_length
            answer = answers_of_rows(model, tokenizer, max_length=max_length, words=words)
        return tf.function(answer, input_signature=[tf.TensorSpec([None], tf.string, name="text")], autograph=False)

    def merge(self, outputs: Any, windows: Windows, model: Any) -> Any:
        """The mean of the windows' vectors, as long as these are on average: 1 where they are of the length 1."""
        from bert_tf.kinds.vectors.answers import mean_vectors

        return mean_vectors(outputs, windows)

    @property
    def serving(self) -> Serving:
        from bert_tf.kinds.vectors.serving import vectors

        return self.served(vectors(prompt=self.prompt))

    def to_json(self, text: str, pair: str | None, answer: Answer) -> dict[str, Any]:
        found: dict[str, Any] = {"text": text, "vector": [float(value) for value in answer["vector"]]}
        if "token" in answer:
            columns = (answer[name] for name in ("token", "start", "end", "token_vector"))
            found["tokens"] = [
                {"token": token.decode(), "start": int(start), "end": int(end), "vector": [float(v) for v in vector]}
                for token, start, end, vector in zip(*columns, strict=True)
            ]
        return found


def numbered(columns: Sequence[Sequence[str]]) -> tuple[list[str], np.ndarray]:
    """P columns of E texts -> the different texts, in the order they come in, and their numbers int32 [E, P]."""
    numbers: dict[str, int] = {}
    members = [[numbers.setdefault(text, len(numbers)) for text in row] for row in zip(*columns, strict=True)]
    return list(numbers), np.array(members, np.int32).reshape(-1, len(columns))


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """[N, D] scaled to the length 1; 0 stays 0."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
