"""Extractive summarisation: the sentences of a text that say what it says."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bert_tf.config import SAMPLE, Needs, RunConfig
from bert_tf.data.rows.summaries import document, references
from bert_tf.kinds.base import Answer
from bert_tf.kinds.diagnosis import Diagnosis, diagnose_texts
from bert_tf.kinds.examples import Examples
from bert_tf.kinds.languages import check_language
from bert_tf.kinds.long_texts.notes import CUT_TOKENS, TEXT_TOKENS
from bert_tf.kinds.measured import Measured
from bert_tf.kinds.serving import Serving
from bert_tf.metrics.languages import UNSPACED, language_code
from bert_tf.metrics.rouge import NAMES, check_reference, rouge

if TYPE_CHECKING:
    import tensorflow as tf

    from bert_tf.data.batching.features import Features
    from bert_tf.kinds.extractive.features import SentenceFeatures
    from bert_tf.models import BertExtractiveSummarizer
    from bert_tf.text import Tokenizer


@dataclass(frozen=True, kw_only=True)
class SummaryExamples(Examples):
    """Texts and what sums them up.

    Args:
        references: one right summary or more for each text; None where the split has none.

    >>> SummaryExamples(texts=["It rained. We left."], references=[["We left."]]).is_labelled
    True
    """

    references: Sequence[Sequence[str]] | None = None

    @property
    def is_labelled(self) -> bool:
        return self.references is not None


@dataclass(frozen=True, kw_only=True)
class ExtractiveSummarization(Measured):
    """The best `num_sentences` sentences of a text, in its order, by a score for each.

    A text is split into sentences in the graph (`bert_tf.text.sentences`); a list of sentences is a text with a line
    for each. What does not fit in `sequence_length` tokens is not read, sentence by sentence from the end. The model
    learns to tell the sentences that an oracle takes (`bert_tf.metrics.oracle`) from the others, by binary
    cross-entropy. Metrics are ROUGE in points, each of the reference that it is best for. Both count the words of
    `language`: see `bert_tf.metrics.rouge.rouge_tokenizer`.

    Args:
        text: the column of the text, or of the list of its sentences.
        summary: the column of the summary, or of the list of right ones.
        num_sentences: most sentences of a summary.
        block_trigrams: leave out sentences that have three words in a row in common with a better one.
        language: of the texts, a code of ISO 639-1.
    Raises: ValueError for a number, a language, metrics or a length that cannot be.
    Reference: Liu, 2019, https://arxiv.org/abs/1903.10318

    >>> from bert_tf.data import InMemory
    >>> source = InMemory({"train": [{"text": "It rained. We left.", "summary": "We left."}]})
    >>> kind = ExtractiveSummarization(source=source, text="text", summary="summary", num_sentences=1)
    >>> [list(texts) for texts in kind.read("own", "train").references]
    [['We left.']]
    """

    text: str
    summary: str
    num_sentences: int = 3
    block_trigrams: bool = True
    language: str = "en"
    metrics: tuple[str, ...] = ("rouge1", "rouge2", "rougeL")
    sequence_length: int = 512

    pipeline_tag: ClassVar[str] = "summarization"
    needs: ClassVar[Needs | None] = Needs(learning_rate=1e-4, layer_decay=1.0)

    def __post_init__(self) -> None:
        language_code(self.language)
        if isinstance(self.num_sentences, bool) or not isinstance(self.num_sentences, int) or self.num_sentences < 1:
            raise ValueError(f"`num_sentences` must be 1 or more. Received: num_sentences={self.num_sentences!r}")
        if isinstance(self.metrics, str) or not self.metrics or set(self.metrics) - set(NAMES):
            raise ValueError(f"`metrics` must be a tuple of {', '.join(NAMES)}. Received: metrics={self.metrics!r}")
        if self.sequence_length < 3:
            raise ValueError(f"`sequence_length` must be 3 or more. Received: sequence_length={self.sequence_length}")

    @property
    def separator(self) -> str:
        """What stands between the sentences of a summary, as the language writes them."""
        return "" if language_code(self.language) in UNSPACED else " "

    @property
    def text_columns(self) -> tuple[str, ...]:
        return (self.text,)

    @property
    def greater_is_better(self) -> bool:
        return True

    @property
    def outputs_per_token(self) -> bool:
        return True

    def input_text(self, cell: Any, column: str = "") -> str:
        return cell if cell == "" else document(cell)

    def read(self, where: str, split: str, *, skip_bad_rows: bool = False) -> SummaryExamples:
        def summaries(cell: Any) -> tuple[str, ...]:
            return tuple(check_reference(text, self.language) for text in references(cell))

        table = self.source.open(
            self.place(where),
            split,
            {self.text: document, self.summary: summaries},
            optional=() if split in ("train", "validation") else (self.summary,),
            skip_bad_rows=skip_bad_rows,
        )
        latin_only = language_code(self.language) == "en"
        check_language(table.columns[self.text], self.language, table.origin, latin_only=latin_only)
        return SummaryExamples(
            texts=table.columns[self.text],
            references=table.columns.get(self.summary),
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
    ) -> SentenceFeatures:
        from bert_tf.kinds.extractive.features import sentence_features

        assert isinstance(examples, SummaryExamples)
        return sentence_features(
            tokenizer,
            examples.texts,
            examples.references,
            max_length=sequence_length or self.sequence_length,
            limit=self.num_sentences,
            language=self.language,
            progress=progress,
        )

    says_cut: ClassVar[bool] = True

    @property
    def stored_features(self) -> type[SentenceFeatures]:
        from bert_tf.kinds.extractive.features import SentenceFeatures

        return SentenceFeatures

    def build_model(self, config: RunConfig) -> BertExtractiveSummarizer:
        from bert_tf.models import BertExtractiveSummarizer

        return self.from_backbone(BertExtractiveSummarizer, config)

    def load_model(
        self, folder: str, *, ignore: Collection[str] = (), dtype: str = "float32"
    ) -> BertExtractiveSummarizer:
        from bert_tf.models import BertExtractiveSummarizer

        return BertExtractiveSummarizer.from_pretrained(folder, dtype=dtype, new_weights="forbid", ignore=ignore)

    def per_example_loss(
        self,
        outputs: tf.Tensor,
        batch: Mapping[str, tf.Tensor],
        *,
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] | None = None,
    ) -> tf.Tensor:
        """The binary cross entropy of logits and `sentence_labels` int32, both [R, T], summed over a text."""
        from bert_tf.models.losses.classification import binary_cross_entropy
        from bert_tf.models.losses.means import sums_of_examples

        losses, _ = binary_cross_entropy(outputs, batch["sentence_labels"], label_smoothing=label_smoothing)
        return sums_of_examples(losses, batch.get("example_ids"), batch["example_weight"])

    def measure(self, outputs: Sequence[np.ndarray], features: Features, examples: Examples) -> dict[str, float]:
        from bert_tf.kinds.extractive.features import SentenceFeatures, summaries

        assert isinstance(features, SentenceFeatures)
        choice = {"limit": self.num_sentences, "block_trigrams": self.block_trigrams}
        found = summaries(outputs, features, examples.texts, separator=self.separator, **choice)
        return self._metrics(found, examples)

    def measure_answers(self, answers: Sequence[Answer], examples: Examples) -> dict[str, float]:
        return self._metrics([bytes(answer["summary"]).decode("utf-8") for answer in answers], examples)

    def diagnose(self, answers: Sequence[Answer], examples: Examples) -> Diagnosis:
        assert isinstance(examples, SummaryExamples)
        assert examples.references is not None
        texts = [bytes(answer["summary"]).decode("utf-8") for answer in answers]
        return diagnose_texts(self.text_columns, examples, texts, examples.references, metrics=self._metrics)

    def baselines(self, examples: Examples) -> dict[str, dict[str, float]]:
        """The first `num_sentences` sentences, and the best that sentences can do: the oracle's."""
        import tensorflow as tf

        from bert_tf.metrics.oracle import Oracle
        from bert_tf.text.sentences import split_sentences

        assert isinstance(examples, SummaryExamples)
        found = split_sentences(tf.constant(examples.texts, tf.string))
        words, splits = [sentence.decode("utf-8") for sentence in found.texts.numpy()], found.row_splits.numpy()
        sentences = [words[start:end] for start, end in pairwise(splits)]
        pairs = zip(sentences, examples.references or (), strict=True)
        oracle = Oracle(self.num_sentences, self.language)
        best = [[some[k] for k in oracle(some, right)] for some, right in pairs]
        rules = {f"lead_{self.num_sentences}": [some[: self.num_sentences] for some in sentences], "oracle": best}
        join = self.separator.join
        return {name: self._metrics([join(some) for some in found], examples) for name, found in rules.items()}

    def _metrics(self, texts: Sequence[str], examples: Examples) -> dict[str, float]:
        assert isinstance(examples, SummaryExamples)
        assert examples.references is not None
        return rouge(texts, examples.references, self.metrics, best=True, language=self.language)

    def answer_function(
        self, model: BertExtractiveSummarizer, tokenizer: Tokenizer, *, sequence_length: int | None = None
    ) -> Callable[..., dict[str, tf.Tensor]]:
        """Returns: `summary` string [B]; of each text's K chosen sentences, in their order, `start` and `end` int32 and
        `score` float32 [B, (K)], their probability to belong; `unread` int32 [B], how many sentences had no room; and
        the `LENGTHS` of `bert_tf.kinds.long_texts.notes`.
        """
        import tensorflow as tf

        from bert_tf.kinds.extractive.selection import select
        from bert_tf.text.sentences import sentence_rows

        length = sequence_length or self.sequence_length

        def answer(texts: tf.Tensor) -> dict[str, tf.Tensor]:
            rows = sentence_rows(tokenizer, texts, max_length=length)
            inputs = {
                "token_ids": rows.token_ids.to_tensor(tokenizer.pad_id),
                "segment_ids": rows.segment_ids.to_tensor(),
                "padding_mask": tf.ones_like(rows.token_ids).to_tensor(),
            }
            logits = tf.cast(model(inputs, training=False), tf.float32)  # [B, T]
            found = rows.sentences
            size = tf.size(texts)
            owner = tf.repeat(tf.range(size), found.row_splits[1:] - found.row_splits[:-1])  # [S]
            scores = tf.gather_nd(logits, tf.stack([owner, rows.firsts], axis=1))
            choice = {"limit": self.num_sentences, "block_trigrams": self.block_trigrams}
            chosen = select(found.texts, scores, found.row_splits, **choice) & (found.ends > found.starts)
            owner = tf.boolean_mask(owner, chosen)

            def by_text(values: tf.Tensor) -> Any:
                own = tf.boolean_mask(values, chosen)
                return tf.RaggedTensor.from_value_rowids(own, owner, size, validate=False)

            return {
                "summary": tf.strings.reduce_join(by_text(found.texts), axis=1, separator=self.separator),
                "start": by_text(found.starts),
                "end": by_text(found.ends),
                "score": by_text(tf.sigmoid(scores)),
                TEXT_TOKENS: rows.tokens,
                CUT_TOKENS: rows.tokens - tf.cast(rows.token_ids.row_lengths(), tf.int32),
                "unread": tf.maximum(rows.counts - (found.row_splits[1:] - found.row_splits[:-1]), 0),
            }

        return tf.function(answer, input_signature=[tf.TensorSpec([None], tf.string, name=self.text)], autograph=False)

    @property
    def serving(self) -> Serving:
        from bert_tf.kinds.extractive.serving import extractive

        return extractive()

    def to_json(self, text: str, pair: str | None, answer: Answer) -> dict[str, Any]:
        """Positions are characters of `text`; `unread_sentences` are those at its end that had no room."""
        places = zip(*(answer[name] for name in ("start", "end", "score")), strict=True)
        return {
            "text": text,
            "summary": bytes(answer["summary"]).decode("utf-8"),
            "sentences": [
                {"text": text[start:end], "score": float(score), "start": int(start), "end": int(end)}
                for start, end, score in places
            ],
            "unread_sentences": int(answer["unread"]),
        }
