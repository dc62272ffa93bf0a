"""ELECTRA's pre-training: a small generator guesses hidden tokens, and the model tells which tokens are guesses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bert_tf.config import RunConfig
from bert_tf.errors import UserError
from bert_tf.kinds.base import Answer, ToWatch, Watched
from bert_tf.kinds.diagnosis import Answered, Diagnosis, share
from bert_tf.kinds.examples import Examples
from bert_tf.kinds.pretraining.data import MASK, Corpus
from bert_tf.kinds.pretraining.spec import Pretraining, no_smoothing
from bert_tf.kinds.serving import Serving

if TYPE_CHECKING:
    import tensorflow as tf

    from bert_tf.models import BertDiscriminator, BertReplacedTokens
    from bert_tf.text import Tokenizer

METRICS = ("pretraining_loss",)
WEIGHTED = "weighted_replaced_token_loss"


@dataclass(frozen=True, kw_only=True)
class ReplacedCorpus(Corpus):
    """As `Corpus`; in every second of its `texts` another word stands than was there.

    Args:
        words: what stood there.
        places: start and end of what stands there now, in characters.
        is_replaced: whether that is another word.
    """

    places: Sequence[tuple[int, int]] = ()
    is_replaced: Sequence[bool] = ()


@dataclass(frozen=True, kw_only=True)
class ReplacedTokens(Pretraining):
    """Pre-training of an ELECTRA, from raw text: `Pretraining` with the setting `pretraining.objective` =
    "replaced_tokens" becomes one.

    The sum of the generator's mean loss and `pretraining.replaced_weight` times the discriminator's is what is trained.
    Of the tokens to be guessed 85 % are hidden from the generator and the others stay, as published. What is drawn in
    their place depends on the run's seed, the epoch and the token's place alone, as the masks do. A run's model/ is the
    discriminator, with the generator in model/generator/.

    An answer says of each token of a text how likely it was replaced.

    Reference: Clark et al., 2020, https://arxiv.org/abs/2003.10555

    >>> from bert_tf.config import RunConfig
    >>> from bert_tf.data import TextCorpus
    >>> run = RunConfig.model_validate({"task": "pretrain", "pretraining": {"objective": "replaced_tokens"}})
    >>> kind = Pretraining(source=TextCorpus(), sequence_length=64).meant_by(run)
    >>> type(kind).__name__, kind.main_metric
    ('ReplacedTokens', 'pretraining_loss')
    """

    metrics: tuple[str, ...] = METRICS
    defaults: Mapping[str, Any] = field(default_factory=lambda: {"pretraining": {"objective": "replaced_tokens"}})

    objective: ClassVar[str] = "replaced_tokens"
    mask_shares: ClassVar[tuple[float, float]] = (0.85, 0.15)
    draws: ClassVar[bool] = True
    pipeline_tag: ClassVar[str] = ""
    answer_settings: ClassVar[tuple[str, ...]] = ()

    def configured(self, config: RunConfig, *, new_data: bool = False) -> ReplacedTokens:
        if config.pretraining.pair != "none":
            raise UserError(
                "'pretraining.pair' must be 'none' with 'pretraining.objective' = \"replaced_tokens\". Received: "
                f"{config.pretraining.pair!r}"
            )
        made = super().configured(config, new_data=new_data)
        assert isinstance(made, ReplacedTokens)
        return made

    @property
    def answer_metric(self) -> tuple[str, bool]:
        return "replaced_word_accuracy", True

    @property
    def loss_parts(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        return ("masked_lm_loss", WEIGHTED)

    def read(self, where: str, split: str, *, skip_bad_rows: bool = False) -> Corpus:
        return with_words_replaced(super().read(where, split, skip_bad_rows=skip_bad_rows))

    def build_model(self, config: RunConfig) -> BertReplacedTokens:  # pyright: ignore[reportIncompatibleMethodOverride]
        from bert_tf.models import BertReplacedTokens
        from bert_tf.models.backbones.sizes import SIZES, is_size

        options = config.pretraining
        own: dict[str, Any] = {
            name: getattr(options, name) for name in ("generator_width", "generator_layers", "replaced_weight")
        }
        if is_size(config.backbone) and SIZES[config.backbone].model_type == "bert":
            own["model_type"] = "electra"  # the same encoder
        try:
            return self.from_backbone(BertReplacedTokens, config, **own)
        except ValueError as error:
            raise UserError(
                f"--backbone={config.backbone} with pretraining.objective=replaced_tokens: {error}"
            ) from None

    def load_model(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, folder: str, *, ignore: Collection[str] = (), dtype: str = "float32"
    ) -> BertDiscriminator:
        from bert_tf.models import BertDiscriminator, BertReplacedTokens
        from bert_tf.models.pretraining.replaced_tokens import GENERATOR

        has_both = (Path(folder) / GENERATOR / "config.json").is_file()
        return (BertReplacedTokens if has_both else BertDiscriminator).from_pretrained(
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
        """float32 [R, M, 2]: the sum of an example's cross entropies over its targets, and that over all its tokens
        with the weight that makes both means, times `pretraining.replaced_weight`.
        """
        from keras import ops

        from bert_tf.models.losses.means import sums_of_examples
        from bert_tf.models.losses.tokens import replaced_pretraining_losses

        no_smoothing(label_smoothing)
        (tokens, _), (told, _) = replaced_pretraining_losses(outputs, batch)
        places = batch["example_ids"], batch["example_weight"]
        told = sums_of_examples(told, *places) * batch["token_weight"] * self.options.replaced_weight
        return ops.stack([sums_of_examples(tokens, *places, batch["masked_positions"]), told], axis=-1)

    def scorer_of_splits(self, watched: ToWatch) -> Callable[[], dict[str, float]]:
        """The loss, and how good generator and discriminator are on held-out text. See `ReplacedScorer`."""
        from bert_tf.kinds.pretraining.scoring import ReplacedScorer

        if not hasattr(watched.model, "generator"):
            raise UserError(
                "expected a folder with a generator in its generator/, whose guesses are told. Received: none"
            )
        return ReplacedScorer(
            watched.model,
            watched.features["validation"],
            weight=self.options.replaced_weight,
            **self.scored_with(watched),
        )

    def watcher(
        self, watched: ToWatch, *, train_batch_examples: int, loss: Callable[[Any, Mapping[str, Any]], Any]
    ) -> Callable[[], Watched]:
        """As every kind's; the loss is among the scores."""
        score = self.scorer_of_splits(watched)

        def watch() -> Watched:
            scores = score()
            return Watched(scores=scores, loss=scores[METRICS[0]])

        return watch

    def measure_answers(self, answers: Sequence[Answer], examples: Examples) -> dict[str, float]:
        """The share of the corpus's sentences of which it is told rightly whether a word in them was replaced."""
        right = [row.is_right is True for row in self.diagnose(answers, examples).rows]
        return {"replaced_word_accuracy": float(np.mean(right)) if right else 0.0}

    def diagnose(self, answers: Sequence[Answer], examples: Examples) -> Diagnosis:
        """Of a word in each of the corpus's sentences, whether it was replaced, and what is said of it."""
        assert isinstance(examples, ReplacedCorpus)
        rows = []
        for i, (text, (start, end), expected, answer) in enumerate(
            zip(examples.texts, examples.places, examples.is_replaced, answers, strict=True)
        ):
            of_word = (answer["starts"] < end) & (answer["ends"] > start)
            score = float(answer["scores"][of_word].max(initial=0.0))
            names = ("original", "replaced")
            rows.append(
                Answered(
                    number=i,
                    inputs={"text": text},
                    expected=f"{text[start:end]}: {names[expected]}",
                    answered=f"{text[start:end]}: {names[score > 0.5]}",
                    is_right=(score > 0.5) == expected,
                    confidence=max(score, 1.0 - score),
                )
            )
        right = sum(row.is_right is True for row in rows)
        summary = f"Whether a word was replaced is told rightly in {share(right, len(rows))} sentences." if rows else ""
        return Diagnosis(rows=rows, summary=summary)

    def answer_function(
        self, model: Any, tokenizer: Tokenizer, *, sequence_length: int | None = None
    ) -> Callable[..., dict[str, tf.Tensor]]:
        """How likely each token was replaced: see `told_tokens`."""
        from bert_tf.kinds.pretraining.told_tokens import told_tokens

        return told_tokens(model, tokenizer, max_length=sequence_length or self.sequence_length)

    @property
    def serving(self) -> Serving:
        from bert_tf.kinds.pretraining.serving import discriminator

        return discriminator()

    def to_json(self, text: str, pair: str | None, answer: Answer) -> dict[str, Any]:
        """`text`, and `pieces`: of each token its `text`, `start` and `end` in characters, and `score`, how likely it
        is another than stood there.
        """
        parts = zip(*(answer[name] for name in ("starts", "ends", "scores")), strict=True)
        found = [{"text": text[i:j], "start": int(i), "end": int(j), "score": float(score)} for i, j, score in parts]
        return {"text": text, "pieces": found}


def with_words_replaced(corpus: Corpus) -> ReplacedCorpus:
    """A corpus whose sentences have their word back, every second one that of another sentence.

    >>> corpus = Corpus(where="a.txt", split="train", texts=["A [MASK].", "The [MASK]!"], words=["cat", "sun"])
    >>> found = with_words_replaced(corpus)
    >>> found.texts, found.places, found.is_replaced
    (['A cat.', 'The cat!'], [(2, 5), (4, 7)], [False, True])
    """
    texts, places, replaced = [], [], []
    away = (1 + len(corpus.words) // 2) % max(1, len(corpus.words)) or 1  # never a sentence's own word
    for i, (text, word) in enumerate(zip(corpus.texts, corpus.words, strict=True)):
        start = text.index(MASK)
        put = corpus.words[(i + away) % len(corpus.words)] if i % 2 else word
        texts.append(text[:start] + put + text[start + len(MASK) :])
        places.append((start, start + len(put)))
        replaced.append(put != word)
    own = {name: getattr(corpus, name) for name in corpus.__dataclass_fields__}
    return ReplacedCorpus(**{**own, "texts": texts, "places": places, "is_replaced": replaced})
