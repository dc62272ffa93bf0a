"""Questions and contexts for the tests of span answers, a task for them and a tiny model."""

from __future__ import annotations

import keras

from bert_tf.data import InMemory
from bert_tf.kinds import SpanExamples, SpanQA
from bert_tf.models import BertConfig, BertSpanQA
from bert_tf.text import BertTokenizer
from tests.conftest import VOCABULARY

QUESTIONS = ["good?", "ab", "", "abcdefghijklm", "good", "bad", "film"]
CONTEXTS = [
    "a Good film.",
    "zoë a b c d e f g h i j k l m n o p",
    "bad",
    "film film film film",
    "",
    " ",
    "bad\U0001d11e film",
]
TOKENIZER, SIZE = BertTokenizer(VOCABULARY), len(VOCABULARY)


def make(**changes) -> SpanQA:
    fields = {"source": InMemory({}), "sequence_length": 12, "stride": 2, "question_tokens": 4, "n_best": 5}
    return SpanQA(**{**fields, "answer_tokens": 4, **changes})


def tiny_model(vocabulary_size=SIZE, max_positions=64) -> BertSpanQA:
    keras.utils.set_random_seed(5)
    return BertSpanQA(
        BertConfig(
            vocabulary_size=vocabulary_size,
            hidden_dim=8,
            num_layers=1,
            num_heads=2,
            intermediate_dim=8,
            max_positions=max_positions,
            initializer_range=0.7,
        )
    )


def examples(answers) -> SpanExamples:
    return SpanExamples(texts=QUESTIONS[: len(answers)], pairs=CONTEXTS[: len(answers)], answers=answers)
