"""Kinds of task: what a task file in `tasks/` is an object of."""

from bert_tf.kinds.base import Answer, Kind
from bert_tf.kinds.classification.multi_label import MultiLabel
from bert_tf.kinds.classification.regression import Regression
from bert_tf.kinds.classification.single_label import Classification
from bert_tf.kinds.examples import Examples
from bert_tf.kinds.extractive.spec import ExtractiveSummarization, SummaryExamples
from bert_tf.kinds.measured import Measured
from bert_tf.kinds.multiple_choice.examples import ChoiceExamples
from bert_tf.kinds.multiple_choice.spec import MultipleChoice
from bert_tf.kinds.pretraining.data import Corpus
from bert_tf.kinds.pretraining.replaced_tokens import ReplacedTokens
from bert_tf.kinds.pretraining.spec import Pretraining
from bert_tf.kinds.span_qa.examples import SpanExamples
from bert_tf.kinds.span_qa.spec import SpanQA
from bert_tf.kinds.tagging.spec import TaggedExamples, Tagging
from bert_tf.kinds.text_to_text.spec import TextPairs, TextToText
from bert_tf.kinds.vectors.embedding import Embedding
from bert_tf.kinds.vectors.retrieval import Retrieval
from bert_tf.kinds.vectors.spec import TextGroups

__all__ = [
    "Answer",
    "ChoiceExamples",
    "Classification",
    "Corpus",
    "Embedding",
    "Examples",
    "ExtractiveSummarization",
    "Kind",
    "Measured",
    "MultiLabel",
    "MultipleChoice",
    "Pretraining",
    "Regression",
    "ReplacedTokens",
    "Retrieval",
    "SpanExamples",
    "SpanQA",
    "SummaryExamples",
    "TaggedExamples",
    "Tagging",
    "TextGroups",
    "TextPairs",
    "TextToText",
]
