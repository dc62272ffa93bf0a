"""Questions about a text, answered by a piece of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bert_tf.config import SAMPLE, Needs, RunConfig
from bert_tf.errors import UserError
from bert_tf.kinds.base import Answer
from bert_tf.kinds.diagnosis import Diagnosis
from bert_tf.kinds.examples import Examples
from bert_tf.kinds.long_texts.notes import said
from bert_tf.kinds.measured import Measured
from bert_tf.kinds.serving import Serving
from bert_tf.kinds.span_qa.examples import SpanExamples, read_spans
from bert_tf.metrics.languages import language_code
from bert_tf.metrics.span_answers import SQUAD_METRICS, squad_scores
from bert_tf.metrics.undefined import Undefined

if TYPE_CHECKING:
    import tensorflow as tf

    from bert_tf.data.batching.features import Features
    from bert_tf.kinds.explained import Explained
    from bert_tf.kinds.span_qa.features import SpanFeatures
    from bert_tf.models import BertSpanQA
    from bert_tf.text import Tokenizer

MAIN_METRICS = ("f1", "exact_match", "best_f1", "best_exact_match")
SHORTEST = 5  # [CLS] question [SEP] context [SEP], a token each


@dataclass(frozen=True, kw_only=True)
class SpanQA(Measured):
    """The span of a context that answers a question, or none.

    Args:
        question, context, answers: the columns.
        answer_start: that of the character at which a question's only answer begins, where `answers` does not say it.
        stride: tokens that neighbouring windows of a long context share.
        question_tokens: tokens of a question that are kept, at most.
        answer_tokens: tokens of an answer, at most.
        n_best: answers that predict gives, at most.
        no_answer: whether a question may have no answer in its context (SQuAD v2.0).
        no_answer_threshold: how much better "no answer" must score than the best answer to win, in logits.
        language: of the answers, a code of ISO 639-1, by which metrics tell words: see `bert_tf.metrics.answer_rules`.
    Raises: ValueError for numbers, a language or metrics that cannot be.

    >>> from bert_tf.data import InMemory
    >>> answers = {"text": ["Rome"], "answer_start": [13]}
    >>> row = {"question": "Where?", "context": "She lives in Rome.", "answers": answers}
    >>> kind = SpanQA(source=InMemory({"train": [row]}))
    >>> kind.read("own", "train").answers
    [(SpanAnswer(text='Rome', start=13),)]
    """

    question: str = "question"
    context: str = "context"
    answers: str = "answers"
    answer_start: str = "answer_start"
    metrics: tuple[str, ...] = ("f1", "exact_match")
    sequence_length: int = 384
    stride: int = 128
    question_tokens: int = 64
    answer_tokens: int = 30
    n_best: int = 20
    no_answer: bool = False
    no_answer_threshold: float = 0.0
    language: str = "en"

    pipeline_tag: ClassVar[str] = "question-answering"
    in_one_pass: ClassVar[bool] = True
    needs: ClassVar[Needs | None] = Needs(updates=300, learning_rate=1e-4, layer_decay=1.0)
    long_texts_are: ClassVar[str] = "read in windows"

    def __post_init__(self) -> None:
        language_code(self.language)
        known = SQUAD_METRICS if self.no_answer else SQUAD_METRICS[:2]
        unknown = [name for name in self.metrics if name not in known]
        if isinstance(self.metrics, str) or unknown or not self.metrics or self.metrics[0] not in MAIN_METRICS:
            raise ValueError(
                f"`metrics` must be a tuple of {', '.join(known)}; the first is one of {', '.join(MAIN_METRICS)}. "
                f"Received: metrics={self.metrics!r}, no_answer={self.no_answer}"
            )
        least = {"sequence_length": SHORTEST, "stride": 0, "question_tokens": 1, "answer_tokens": 1, "n_best": 1}
        for name, low in least.items():
            if getattr(self, name) < low:
                raise ValueError(f"`{name}` must be {low} or more. Received: {name}={getattr(self, name)}")

    @property
    def greater_is_better(self) -> bool:
        return True

    @property
    def text_columns(self) -> tuple[str, ...]:
        return self.question, self.context

    def read(self, where: str, split: str, *, skip_bad_rows: bool = False) -> SpanExamples:
        return read_spans(
            self.source,
            self.place(where),
            split,
            question=self.question,
            context=self.context,
            answers=self.answers,
            answer_start=self.answer_start,
            no_answer=self.no_answer,
            language=self.language,
            skip_bad_rows=skip_bad_rows,
            is_sample=where == SAMPLE,
        )

    def features(
        self,
        tokenizer: Tokenizer,
        examples: Examples,
        *,
        sequence_length: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> SpanFeatures:
        from bert_tf.kinds.span_qa.features import span_features

        assert isinstance(examples, SpanExamples)
        return span_features(self._windows(tokenizer, sequence_length), examples, progress=progress)

    @property
    def stored_features(self) -> type[SpanFeatures]:
        from bert_tf.kinds.span_qa.features import SpanFeatures

        return SpanFeatures

    def _windows(self, tokenizer: Tokenizer, sequence_length: int | None) -> Callable[..., dict[str, tf.Tensor]]:
        """Questions and contexts, string [B], to the rows of `question_windows`."""
        from bert_tf.kinds.spans import question_windows

        max_length = sequence_length or self.sequence_length
        if max_length < SHORTEST:
            raise UserError(f"'data.sequence_length' must be {SHORTEST} or more for this task. Received: {max_length}")
        return lambda questions, contexts: question_windows(
            tokenizer,
            questions,
            contexts,
            max_length=max_length,
            stride=self.stride,
            question_tokens=self.question_tokens,
        )

    def cut_warning(self, splits: Mapping[str, Any], *, sequence_length: int | None, positions: int) -> str | None:
        """Contexts are read whole: questions may be cut."""
        cuts = {split: part.cut for split, part in splits.items()}
        return said(cuts, self.question_tokens, "The task's `question_tokens` says how much of a question is read")

    def build_model(self, config: RunConfig) -> BertSpanQA:
        from bert_tf.models import BertSpanQA

        return self.from_backbone(BertSpanQA, config)

    def load_model(self, folder: str, *, ignore: Collection[str] = (), dtype: str = "float32") -> BertSpanQA:
        from bert_tf.models import BertSpanQA

        return BertSpanQA.from_pretrained(folder, dtype=dtype, new_weights="forbid", ignore=ignore)

    def per_example_loss(
        self,
        outputs: tf.Tensor,
        batch: Mapping[str, tf.Tensor],
        *,
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] | None = None,
    ) -> tf.Tensor:
        """The mean cross entropy of start and end over the window's own tokens; [CLS] where it has no answer."""
        from keras import ops

        from bert_tf.models.losses.spans import own_tokens, span_cross_entropy

        positions = ops.stack([batch["first_token"], batch["last_token"]], axis=-1)  # [R, (M), 2]
        return span_cross_entropy(outputs, positions, own_tokens(batch, positions), label_smoothing=label_smoothing)[0]

    @property
    def outputs_per_token(self) -> bool:
        return True

    def measure(self, outputs: Sequence[np.ndarray], features: Features, examples: Examples) -> dict[str, float]:
        from bert_tf.kinds.span_qa.features import SpanFeatures, best_spans

        assert isinstance(features, SpanFeatures)
        best = best_spans(outputs, features, len(examples), answer_tokens=self.answer_tokens)
        return self._metrics(best["start"], best["end"], best["no_answer"] - best["score"], examples)

    def measure_answers(self, answers: Sequence[Answer], examples: Examples) -> dict[str, float]:
        spans = [(*answer["n_best_start"][:1], *answer["n_best_end"][:1]) or (0, 0) for answer in answers]
        starts, ends = zip(*spans, strict=True)
        return self._metrics(starts, ends, [answer["no_answer_score"] for answer in answers], examples)

    def diagnose(self, answers: Sequence[Answer], examples: Examples) -> Diagnosis:
        from bert_tf.kinds.span_qa.diagnosis import diagnose_spans

        assert isinstance(examples, SpanExamples)
        return diagnose_spans(self.text_columns, answers, examples, no_answer=self.no_answer, language=self.language)

    def _metrics(
        self, starts: Iterable[int], ends: Iterable[int], differences: Any, examples: Examples
    ) -> dict[str, float]:
        assert isinstance(examples, SpanExamples)
        assert examples.answers is not None
        assert examples.pairs is not None
        places = zip(examples.pairs, starts, ends, strict=True)
        scores = squad_scores(
            [context[start:end] for context, start, end in places],
            [[answer.text for answer in answers] for answers in examples.answers],
            no_answer=self.no_answer,
            differences=differences if self.no_answer else None,
            threshold=self.no_answer_threshold,
            language=self.language,
        )
        absent = Undefined("the split has no such question")  # with an answer, or without one
        return {name: scores.get(name, absent) for name in self.metrics}

    def answer_function(
        self, model: BertSpanQA, tokenizer: Tokenizer, *, sequence_length: int | None = None
    ) -> Callable[..., dict[str, tf.Tensor]]:
        """Any number of windows a question, the best spans over all of them.

        Returns: `answer` string [B], empty where there is none; `start` and `end` int32 [B], its place in the context
            in characters, 0 and 0 where there is none; `score` float32 [B], its share of the softmax over the n best
            (and "no answer", where the task has that); `no_answer_score` float32 [B], by how much "no answer" scored
            better than the best span (about 1e9 where there is no span); `n_best_answer`, `n_best_start`,
            `n_best_end`, `n_best_score` and `n_best_logit` (start's plus end's), ragged [B, (N)], the best first.
        """
        import tensorflow as tf

        from bert_tf.kinds.span_qa.answers import make_answer

        answer = make_answer(
            model,
            self._windows(tokenizer, sequence_length),
            answer_tokens=self.answer_tokens,
            n_best=self.n_best,
            threshold=self.no_answer_threshold if self.no_answer else None,
        )
        signature = [tf.TensorSpec([None], tf.string, name=column) for column in self.text_columns]
        return tf.function(answer, input_signature=signature, autograph=False)

    def explained(  # pyright: ignore[reportIncompatibleVariableOverride]
        self, answer: Answer, model: Any, tokenizer: Tokenizer, texts: Sequence[str], sequence_length: int | None = None
    ) -> list[Explained]:
        """The answer, or that there is none."""
        from bert_tf.kinds.span_qa.explained import explained_span

        windows = self._windows(tokenizer, sequence_length)
        return [explained_span(answer, model, tokenizer, windows, *texts, answer_tokens=self.answer_tokens)]

    @property
    def serving(self) -> Serving:
        from bert_tf.kinds.span_qa.serving import span_qa

        return span_qa(
            columns=(self.question, self.context),
            no_answer=self.no_answer,
            threshold=self.no_answer_threshold,
            n_best=self.n_best,
            question_tokens=self.question_tokens,
            answer_tokens=self.answer_tokens,
            stride=min(self.stride, self.sequence_length - 3),
        )

    def to_json(self, text: str, pair: str | None, answer: Answer) -> dict[str, Any]:
        names = ("answer", "start", "end", "score")
        columns = [[_plain(value) for value in answer[f"n_best_{name}"]] for name in names]
        return {
            self.question: text,
            self.context: pair,
            **{name: _plain(answer[name]) for name in names},
            **({"no_answer_score": float(answer["no_answer_score"])} if self.no_answer else {}),
            "n_best": [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)],
        }


def _plain(value: Any) -> Any:
    return value.decode("utf-8") if isinstance(value, bytes) else value.item()
