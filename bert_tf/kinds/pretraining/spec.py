"""Pre-training: hidden tokens to be guessed and, with them, how two segments belong together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bert_tf.config import RunConfig
from bert_tf.errors import UserError
from bert_tf.guard import read_object
from bert_tf.kinds.base import Answer, ToWatch, Watched
from bert_tf.kinds.diagnosis import Answered, Diagnosis, share
from bert_tf.kinds.examples import Examples
from bert_tf.kinds.pretraining.data import Corpus, OnCorpus
from bert_tf.kinds.serving import Serving
from bert_tf.models.heads import MODELS
from bert_tf.weights.hugging_face.config import architectures
from bert_tf.weights.members import end_of

if TYPE_CHECKING:
    import tensorflow as tf

    from bert_tf.data.corpora.examples import PretrainingStream
    from bert_tf.models import BertMaskedLM
    from bert_tf.text import Tokenizer

METRICS = ("masked_lm_loss",)


@dataclass(frozen=True, kw_only=True)
class Pretraining(OnCorpus):
    """BERT's own training, from raw text: masked language modelling, and a second objective on pairs of segments.

    The sum of both losses, each a mean, is what is trained, as in the paper. Examples and masks are drawn again each
    epoch, by the run's seed. Held-out text is cut and masked alike in all runs.

    Args:
        top_k: how many guesses are answered for each [MASK].
    Reference: Devlin et al., 2019, section 3.1, https://arxiv.org/abs/1810.04805

    >>> from bert_tf.data import TextCorpus
    >>> kind = Pretraining(source=TextCorpus(), sequence_length=64)
    >>> kind.metrics, kind.top_k
    (..., 5)
    """

    metrics: tuple[str, ...] = METRICS
    top_k: int = 5

    objective: ClassVar[str] = "masked_tokens"
    """The setting `pretraining.objective` that this class is for; each of the others has a subclass."""
    pipeline_tag: ClassVar[str] = "fill-mask"
    answer_settings: ClassVar[tuple[str, ...]] = ("top_k",)

    def __post_init__(self) -> None:
        usual = next(field.default for field in fields(self) if field.name == "metrics")
        if self.metrics != usual:
            raise ValueError(f"`metrics` must be {usual}. Received: metrics={self.metrics!r}")
        if self.top_k < 1:
            raise ValueError(f"`top_k` must be at least 1. Received: top_k={self.top_k}")

    def meant_by(self, config: RunConfig) -> Pretraining:
        asked = config.pretraining.objective
        if self.objective == asked:
            return self
        other = next(cls for cls in (Pretraining, *Pretraining.__subclasses__()) if cls.objective == asked)
        own = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "metrics"}
        own["defaults"] = {
            **self.defaults, "pretraining": {**self.defaults.get("pretraining", {}), "objective": asked}
        }  # fmt: skip
        return other(**own)

    @property
    def greater_is_better(self) -> bool:
        return False

    @property
    def answer_metric(self) -> tuple[str, bool]:
        return "hidden_word_accuracy", True

    @property
    def trims_vocabulary(self) -> bool:
        return False

    @property
    def loss_parts(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        return ("masked_lm_loss", *self._pair_parts)

    @property
    def _pair_parts(self) -> tuple[str, ...]:
        return () if self.options.pair == "none" else (f"{self.options.pair}_loss",)

    @property
    def text_columns(self) -> tuple[str, ...]:
        return ("text",)

    def build_model(self, config: RunConfig) -> BertMaskedLM:
        from bert_tf.models import BertMaskedLM, BertPretrainer

        return self.from_backbone(BertMaskedLM if config.pretraining.pair == "none" else BertPretrainer, config)

    def load_model(self, folder: str, *, ignore: Collection[str] = (), dtype: str = "float32") -> BertMaskedLM:
        from bert_tf.models import BertMaskedLM, BertPretrainer

        is_both = MODELS["BertPretrainer"].end in map(end_of, architectures(read_object(Path(folder) / "config.json")))
        return (BertPretrainer if is_both else BertMaskedLM).from_pretrained(
            folder, dtype=dtype, new_weights="forbid", ignore=ignore
        )

    def per_example_loss(
        self,
        outputs: Mapping[str, tf.Tensor],
        batch: Mapping[str, tf.Tensor],
        *,
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] | None = None,
    ) -> tf.Tensor:
        """float32 [R, M, 1 or 2]: the sum of an example's cross entropies over its targets, and that of its pair, with
        the weight that makes both means.
        """
        from keras import ops

        from bert_tf.models.losses.means import sums_of_examples
        from bert_tf.models.losses.tokens import pretraining_losses

        no_smoothing(label_smoothing)
        pair_labels = batch["labels"] if self._pair_parts else None
        (tokens, _), *pairs = pretraining_losses(outputs, batch["target_ids"], pair_labels)
        places = batch["example_ids"], batch["example_weight"], batch["masked_positions"]
        parts = [sums_of_examples(tokens, *places)]
        return ops.stack([*parts, *(losses * batch["pair_weight"] for losses, _ in pairs)], axis=-1)

    def scorer_of_splits(self, watched: ToWatch) -> Callable[[], dict[str, float]]:
        """Each objective's loss and accuracy on held-out text, the perplexity, and what simple guesses are worth."""
        from bert_tf.kinds.pretraining.scoring import Scorer

        return Scorer(
            watched.model,
            watched.features["validation"],
            pair="" if self.options.pair == "none" else self.options.pair,
            **self.scored_with(watched),
        )

    def scored_with(self, watched: ToWatch) -> dict[str, Any]:
        """What every scorer of pre-training is told."""
        return {
            "batch_examples": watched.batch_examples,
            "examples": self.options.validation_examples,
            "baselines": self._counts(watched.tokenizer, watched.features["train"]),
        }

    def watcher(
        self, watched: ToWatch, *, train_batch_examples: int, loss: Callable[[Any, Mapping[str, Any]], Any]
    ) -> Callable[[], Watched]:
        """As every kind's; the loss is the sum of those of the objectives, which the scores have."""
        score = self.scorer_of_splits(watched)

        def watch() -> Watched:
            scores = score()
            return Watched(scores=scores, loss=sum(scores[part] for part in self.loss_parts))

        return watch

    def _counts(self, tokenizer: Tokenizer, train: PretrainingStream) -> Any:
        from bert_tf.data.corpora.baselines import TokenCounts

        return TokenCounts.of(*train.portions.text(), tokenizer.vocabulary_size)

    @property
    def is_scored_by_answers(self) -> bool:
        return False  # but by losses over the corpus

    def scores_and_report(self, pipeline: Any, examples: Examples) -> tuple[dict[str, float], dict[str, Any]]:
        assert isinstance(examples, Corpus)
        where = self.training_data or examples.where
        of_run = replace(self, training_data=None)
        train = of_run.read(where, "train", skip_bad_rows=examples.skip_bad_rows)
        features = {
            "train": of_run.features(pipeline.tokenizer, train),
            "validation": self.features(pipeline.tokenizer, examples),
        }
        parts = {"model": pipeline.model, "tokenizer": pipeline.tokenizer, "batch_examples": pipeline.batch_examples}
        return self.scorer_of_splits(ToWatch(**parts, features=features, examples={}))(), {}

    def measure_answers(self, answers: Sequence[Answer], examples: Examples) -> dict[str, float]:
        """The share of the corpus's sentences in which the best guess is the word that was hidden."""
        assert isinstance(examples, Corpus)
        right = [row.is_right is True for row in self.diagnose(answers, examples).rows]
        return {"hidden_word_accuracy": float(np.mean(right)) if right else 0.0}

    def lengths(self, tokenizer: Tokenizer, examples: Examples, *, sequence_length: int) -> None:
        """Nothing: running text is cut into examples of any length."""

    def diagnose(self, answers: Sequence[Answer], examples: Examples) -> Diagnosis:
        """The hidden words of the corpus's sentences, and the best guesses."""
        assert isinstance(examples, Corpus)
        rows = []
        for i, (text, word, answer) in enumerate(zip(examples.texts, examples.words, answers, strict=True)):
            is_there = len(answer["tokens"]) > 0
            guess = answer["tokens"][0][0].decode("utf-8") if is_there else ""
            rows.append(
                Answered(
                    number=i,
                    inputs={"text": text},
                    expected=word,
                    answered=guess,
                    is_right=guess.casefold() == word.casefold(),
                    confidence=float(answer["scores"][0][0]) if is_there and "scores" in answer else None,
                )
            )
        right = sum(row.is_right is True for row in rows)
        summary = f"The hidden word was the best guess in {share(right, len(rows))} sentences." if rows else ""
        return Diagnosis(rows=rows, summary=summary)

    def answer_function(
        self, model: Any, tokenizer: Tokenizer, *, sequence_length: int | None = None
    ) -> Callable[..., dict[str, tf.Tensor]]:
        """Guesses for every [MASK] of a text: see `fill_mask`."""
        from bert_tf.kinds.pretraining.fill_mask import fill_mask

        return fill_mask(model, tokenizer, max_length=sequence_length or self.sequence_length, top_k=self.top_k)

    @property
    def serving(self) -> Serving:
        from bert_tf.kinds.pretraining.serving import masked_lm

        return masked_lm()

    def to_json(self, text: str, pair: str | None, answer: Answer) -> dict[str, Any]:
        from bert_tf.kinds.pretraining.fill_mask import masks_as_json

        return masks_as_json(text, answer)


def no_smoothing(label_smoothing: float) -> None:
    """Raises: UserError where labels are to be smoothed, which pre-training has no rule for."""
    if label_smoothing:
        raise UserError(f"'training.label_smoothing' must be 0 for pre-training. Received: {label_smoothing}")
