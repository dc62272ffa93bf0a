"""Text to text: summaries, translations, whatever is written token by token."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bert_tf.config import SAMPLE, Needs, RunConfig
from bert_tf.data.batching.features import Features, encode
from bert_tf.errors import UserError
from bert_tf.kinds.base import Answer
from bert_tf.kinds.diagnosis import Diagnosis, Lengths, diagnose_texts, lengths_of
from bert_tf.kinds.examples import Examples
from bert_tf.kinds.long_texts.notes import answer_lengths
from bert_tf.kinds.measured import Measured
from bert_tf.kinds.serving import Serving
from bert_tf.kinds.text_to_text.examples import SPECIAL, TextPairs, read_pairs, source_length
from bert_tf.kinds.text_to_text.precision import dtype_to_write_in
from bert_tf.metrics.bleu import LESS_IS_BETTER, translation_metric
from bert_tf.metrics.bleu import NAMES as TRANSLATION
from bert_tf.metrics.languages import language_code
from bert_tf.metrics.rouge import NAMES as ROUGE
from bert_tf.models import Generation

if TYPE_CHECKING:
    import tensorflow as tf

    from bert_tf.models import BertSeq2Seq
    from bert_tf.text import Tokenizer

METRICS = (*ROUGE, *TRANSLATION)
NOT_MEASURED = {
    "meteor": "it needs WordNet, which is fetched at run time; chrf is near to it",
    "bertscore": "it needs another trained model; chrf is a metric without one",
}


@dataclass(frozen=True, kw_only=True)
class TextToText(Measured):
    """A text that is written for a text.

    Args:
        text: the column of the text that is read.
        target: the column of the text that is to be written.
        references: columns that hold a right answer each, in splits that have several, instead of `target`; some may be
            empty, but not all.
        language: of the target, a code of ISO 639-1, by which metrics tell words: see `bert_tf.metrics.rouge` and
            `bert_tf.metrics.bleu`.
        target_length: most tokens of what is written, its end included; the rest of `sequence_length` is for the text
            that is read, which is cut to fit.
        generation: how the commands write; its `max_length` is `target_length`.
        seed: of sampling; the same text at the same place of a batch draws the same.
        evaluation_examples: how many examples are written in an evaluation while training; greedily, since it is often.
        rewrites: (pattern, text to put there) pairs of regular expressions (RE2), applied one after the other to what
            is written: the tokenizer forgets where there were no spaces.
        simple_answers: by name, what makes an answer of a text without a model; evaluate prints their metrics too.
    Raises: ValueError for metrics, a language or lengths that cannot be.

    >>> from bert_tf.data import InMemory
    >>> source = InMemory({"train": [{"de": "Ein Hund.", "en": "A dog."}]})
    >>> kind = TextToText(source=source, text="de", target="en", metrics=("chrf",), sequence_length=32, target_length=8)
    >>> kind.read("own", "train").references
    [('A dog.',)]
    """

    text: str
    target: str
    target_length: int
    references: tuple[str, ...] = ()
    language: str = "en"
    generation: Generation = field(default_factory=Generation)
    seed: int = 0
    evaluation_examples: int = 200
    rewrites: tuple[tuple[str, str], ...] = ()
    simple_answers: Mapping[str, Callable[[str], str]] = field(default_factory=dict)

    most_diagnosed: ClassVar[int | None] = 200  # to write is slow
    needs: ClassVar[Needs | None] = Needs(updates=600, growth=30, layer_decay=1.0, evaluations=4, evaluation_cost=30)
    says_cut: ClassVar[bool] = True

    def __post_init__(self) -> None:
        language_code(self.language)
        if isinstance(self.metrics, str) or not self.metrics or not set(self.metrics) <= set(METRICS):
            reasons = [f" There is no {name}: {why}." for name, why in NOT_MEASURED.items() if name in self.metrics]
            raise ValueError(
                f"`metrics` must be a tuple of {', '.join(METRICS)}. Received: metrics={self.metrics!r}"
                f"{'.' if reasons else ''}{''.join(reasons)}"
            )
        if self.target_length < 2 or self.sequence_length < self.target_length + SPECIAL:
            raise ValueError(
                f"`target_length` must be at least 2, and {SPECIAL} less than `sequence_length` at most. "
                f"Received: target_length={self.target_length}, sequence_length={self.sequence_length}"
            )
        if self.evaluation_examples < 1:
            raise ValueError(f"`evaluation_examples` must be 1 or more. Received: {self.evaluation_examples}")

    @property
    def text_columns(self) -> tuple[str, ...]:
        return (self.text,)

    @property
    def greater_is_better(self) -> bool:
        return self.main_metric not in LESS_IS_BETTER

    @property
    def trims_vocabulary(self) -> bool:
        return False  # what never occurs must be learnt to be unlikely, and be so in the saved model

    def read(self, where: str, split: str, *, skip_bad_rows: bool = False) -> TextPairs:
        for name in set(self.metrics) & set(TRANSLATION):
            try:
                translation_metric(name, self.language)  # what it needs shows before any work
            except ValueError as error:
                raise UserError(str(error)) from None
        return read_pairs(
            self.source,
            self.place(where),
            split,
            text=self.text,
            targets=(self.target, *self.references),
            language=self.language,
            counts_words=self.counts_words,
            skip_bad_rows=skip_bad_rows,
            is_sample=where == SAMPLE,
        )

    @property
    def counts_words(self) -> bool:
        """Whether a metric is of words, so that a right answer without one cannot be scored."""
        return bool(set(self.metrics) & set(ROUGE))

    def features(
        self,
        tokenizer: Tokenizer,
        examples: Examples,
        *,
        sequence_length: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Features:
        """With the token field `target_ids`: what each token is to predict."""
        from bert_tf.kinds.text_to_text.features import say_cut, with_targets

        assert isinstance(examples, TextPairs)
        length = self._source_length(sequence_length)
        source = encode(tokenizer, examples.texts, max_length=length, progress=progress)
        say_cut(source, length, "texts to read", "the rest of them is not read")
        if examples.references is None:
            return source
        first = [texts[0] for texts in examples.references]
        # [CLS] is left out again: the source's [SEP] stands in for it.
        target = encode(tokenizer, first, max_length=self.target_length + 1)
        ends = "training learns them up to there, as if they ended: a greater `target_length` takes more of them"
        say_cut(target, self.target_length + 1, "targets", ends)
        return with_targets(source, target)

    @property
    def stored_features(self) -> type[Features]:
        return Features

    def _source_length(self, sequence_length: int | None) -> int:
        return source_length(sequence_length or self.sequence_length, self.target_length)

    def build_model(self, config: RunConfig) -> BertSeq2Seq:
        from bert_tf.models import BertSeq2Seq
        from bert_tf.models.pretrained import config_of

        found = config_of(config.backbone, ignore=config.model.ignore)
        if found.trigram:
            raise UserError(
                f"'backbone' must not look at the token after each, which a {found.member.name} does: it would see "
                f"what it is to write. Received: {config.backbone}"
            )
        return self.from_backbone(BertSeq2Seq, config)

    def load_model(self, folder: str, *, ignore: Collection[str] = (), dtype: str = "float32") -> BertSeq2Seq:
        from bert_tf.models import BertSeq2Seq

        dtype = dtype_to_write_in(dtype)
        return BertSeq2Seq.from_pretrained(folder, dtype=dtype, new_weights="forbid", ignore=ignore)

    def per_example_loss(
        self,
        outputs: tf.Tensor,
        batch: Mapping[str, tf.Tensor],
        *,
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] | None = None,
    ) -> tf.Tensor:
        """The sum of cross entropies over an example's target, from `BertSeq2Seq`'s losses [R, T, 2]."""
        from bert_tf.models.losses.means import sums_of_examples
        from bert_tf.models.losses.tokens import token_cross_entropy

        found = {"of_target": outputs[..., 0], "of_all": outputs[..., 1]}
        losses, _ = token_cross_entropy(batch["target_ids"], **found, label_smoothing=label_smoothing)  # [R, T]
        return sums_of_examples(losses, batch.get("example_ids"), batch["example_weight"])

    def scorer(
        self, model: Any, tokenizer: Tokenizer, features: Features, examples: Examples, *, batch_examples: int
    ) -> Callable[[], dict[str, float]]:
        from bert_tf.kinds.text_to_text.features import sources

        assert isinstance(examples, TextPairs)
        assert examples.references is not None
        count = min(self.evaluation_examples, len(examples))
        some = dataclasses.replace(examples, texts=examples.texts[:count], references=examples.references[:count])
        write = self.writer(model, tokenizer, Generation(max_length=self.target_length))
        order, batches = sources(features, count, batch_examples, pad_id=tokenizer.pad_id)

        def score() -> dict[str, float]:
            found: list[np.ndarray] = [np.empty(0)] * count
            written = [text for batch in batches for text in write(batch)["generated"].numpy()]
            for i, text in zip(order, written, strict=True):
                found[i] = np.asarray(text)
            return self.measure(found, features, some)

        return score

    def writer(
        self, model: Any, tokenizer: Tokenizer, generation: Generation
    ) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
        """token_ids and padding_mask int32 [B, S] -> generated string [B], score float32 [B]; one graph for all."""
        import tensorflow as tf

        from bert_tf.models.generation.texts import never_written

        never = never_written(tokenizer)

        def write(inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            found = model.generate(inputs, generation, end_id=tokenizer.sep_id, never=never, seed=(self.seed, 0))
            texts = tokenizer.detokenize(found["token_ids"])
            for pattern, replacement in self.rewrites:
                texts = tf.strings.regex_replace(texts, pattern, replacement)
            return {"generated": texts, "score": found["score"]}

        spec = tf.TensorSpec([None, None], tf.int32)
        return tf.function(write, input_signature=[{"token_ids": spec, "padding_mask": spec}], autograph=False)

    def measure(self, outputs: Sequence[np.ndarray], features: Features, examples: Examples) -> dict[str, float]:
        """From the texts that were written, as bytes."""
        return self._metrics([bytes(output.item()).decode() for output in outputs], examples)

    def measure_answers(self, answers: Sequence[Answer], examples: Examples) -> dict[str, float]:
        return self._metrics([answer["generated"].decode() for answer in answers], examples)

    def lengths(self, tokenizer: Tokenizer, examples: Examples, *, sequence_length: int) -> Lengths:
        return lengths_of(tokenizer, examples.columns, self._source_length(sequence_length))

    def diagnose(self, answers: Sequence[Answer], examples: TextPairs) -> Diagnosis:
        texts = [answer["generated"].decode() for answer in answers]
        return diagnose_texts(self.text_columns, examples, texts, examples.references or (), metrics=self._metrics)

    def baselines(self, examples: Examples) -> dict[str, dict[str, float]]:
        return {
            name: self._metrics([answer(text) for text in examples.texts], examples)
            for name, answer in self.simple_answers.items()
        }

    def _metrics(self, texts: Sequence[str], examples: Examples) -> dict[str, float]:
        """In points, 0 to 100, in the order of `metrics`."""
        from bert_tf.metrics import bleu
        from bert_tf.metrics.rouge import rouge

        assert isinstance(examples, TextPairs)
        assert examples.references is not None
        names = [name for name in self.metrics if name in ROUGE]
        try:
            found = rouge(texts, examples.references, names, language=self.language) if names else {}
            for name in set(self.metrics) & set(TRANSLATION):
                found[name] = getattr(bleu, name)(texts, examples.references, language=self.language)
        except ValueError as error:  # of targets that can be learnt but not scored
            raise UserError(str(error)) from None
        return {name: found[name] for name in self.metrics}

    @property
    def _generation(self) -> Generation:
        """How answers are written."""
        return self.generation.replace(max_length=self.target_length)

    def answer_function(
        self, model: BertSeq2Seq, tokenizer: Tokenizer, *, sequence_length: int | None = None
    ) -> Callable[..., dict[str, tf.Tensor]]:
        """Returns: `generated` string [B] and `score` float32 [B], see `Generation`."""
        import tensorflow as tf

        length, write = self._source_length(sequence_length), self.writer(model, tokenizer, self._generation)

        def answer(texts: tf.Tensor) -> dict[str, tf.Tensor]:
            inputs = tokenizer(texts, max_length=length, padding="longest", return_cut=True)
            lengths = answer_lengths(inputs, inputs["cut"])
            return write({name: inputs[name] for name in ("token_ids", "padding_mask")}) | lengths

        return tf.function(answer, input_signature=[tf.TensorSpec([None], tf.string, name=self.text)], autograph=False)

    @property
    def serving(self) -> Serving:
        from bert_tf.kinds.text_to_text.serving import text_to_text

        return text_to_text(
            lambda model, tokenizer: self.writer(model, tokenizer, self._generation), target_length=self.target_length
        )

    def to_json(self, text: str, pair: str | None, answer: Answer) -> dict[str, Any]:
        return {"text": text, "generated": answer["generated"].decode(), "score": float(answer["score"])}
