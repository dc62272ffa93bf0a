"""Kinds of task: what a task file in `tasks/` is an object of."""

from bert_tf.kinds.base import Answer, Kind
from bert_tf.kinds.classification import Classification
from bert_tf.kinds.embedding import Embedding
from bert_tf.kinds.examples import Examples
from bert_tf.kinds.extractive import ExtractiveSummarization, SummaryExamples
from bert_tf.kinds.multi_label import MultiLabel
from bert_tf.kinds.pretraining import Pretraining
from bert_tf.kinds.pretraining_data import Corpus
from bert_tf.kinds.regression import Regression
from bert_tf.kinds.retrieval import Retrieval
from bert_tf.kinds.sentence_vectors import TextGroups
from bert_tf.kinds.span_examples import SpanExamples
from bert_tf.kinds.span_qa import SpanQA
from bert_tf.kinds.tagging import TaggedExamples, Tagging
from bert_tf.kinds.text_to_text import TextPairs, TextToText

__all__ = [
    "Answer",
    "Classification",
    "Corpus",
    "Embedding",
    "Examples",
    "ExtractiveSummarization",
    "Kind",
    "MultiLabel",
    "Pretraining",
    "Regression",
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
