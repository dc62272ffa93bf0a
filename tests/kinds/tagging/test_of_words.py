"""Taggers asked for lists of words."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from seqeval.metrics.sequence_labeling import get_entities

from bert_tf.data import InMemory
from bert_tf.inference.pipeline import Pipeline
from bert_tf.kinds import Classification, Tagging
from bert_tf.kinds.tagging.of_words import of_words
from bert_tf.models import BertConfig, BertTagger
from bert_tf.text import BertTokenizer
from tests.conftest import VOCABULARY

LABELS = ("O", "B-person", "I-person", "B-place", "I-place")
SENTENCES = [
    ["good", "film", "U.S.", "\u200b", "bad"],
    ["a", "b.", "c", "good", "bad", "film"],
    ["x"],
    [],
    ["bad", "film", "xyz", "?!", "good", "it's", "film", "e", "f"],
]


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    keras.utils.set_random_seed(5)
    tokenizer = BertTokenizer([*VOCABULARY, "-", '"'])
    config = BertConfig(
        vocabulary_size=tokenizer.vocabulary_size, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8,
        max_positions=32, initializer_range=0.9,
    )  # fmt: skip
    kind = Tagging(source=InMemory({}), labels=LABELS, sequence_length=16)
    return Pipeline(BertTagger(config, len(LABELS), labels=LABELS), tokenizer, kind)


def test_each_word_has_a_label_and_entities_are_of_words(pipeline):
    answers = pipeline(SENTENCES, is_split_into_words=True)
    assert [answer["words"] for answer in answers] == SENTENCES
    found = 0
    for answer in answers:
        assert len(answer["labels"]) == len(answer["words"])
        entities = [(one["label"], one["start_word"], one["end_word"] - 1) for one in answer["entities"]]
        assert entities == get_entities(answer["labels"]), answer["labels"]
        for one in answer["entities"]:
            words = answer["words"][one["start_word"] : one["end_word"]]
            assert answer["text"][one["start"] : one["end"]] == one["text"] == " ".join(words)
        found += len(entities)
    assert found > 4, "there must be something to compare"
    assert pipeline(SENTENCES[1], is_split_into_words=True) == answers[1]


def test_the_labels_are_those_that_are_scored(pipeline):
    """What `measure_answers` counts: all words right where the truth is what was answered."""
    sentences = [words for words in SENTENCES if words]
    answers = pipeline(sentences, is_split_into_words=True)
    rows = [{"words": words, "tags": a["labels"]} for words, a in zip(sentences, answers, strict=True)]
    kind = Tagging(source=InMemory({"test": rows}), labels=LABELS, metrics=("accuracy", "f1"), sequence_length=16)
    examples = kind.read("own", "test")
    scores = kind.measure_answers(pipeline.rows(*examples.columns), examples)
    assert scores == {"accuracy": 1.0, "f1": 1.0}


def test_entities_have_the_scores_of_the_same_text(pipeline):
    (answer,) = pipeline([SENTENCES[1]], is_split_into_words=True)
    whole = pipeline(answer["text"])
    places = {(one["start"], one["end"], one["label"]): one["score"] for one in whole["entities"]}
    same = [one for one in answer["entities"] if (one["start"], one["end"], one["label"]) in places]
    assert same
    for one in same:
        assert one["score"] == pytest.approx(places[one["start"], one["end"], one["label"]], abs=1e-6)


def test_words_without_entities_have_their_labels():
    kind = Tagging(source=InMemory({}), labels=("NOUN", "VERB-FIN"), sequence_length=16)
    split = of_words([["Ann", "left"]], kind.label_set, None)
    row = {"piece_start": np.array([0, 4]), "piece_tag": np.array([b"NOUN", b"VERB-FIN"], object)}
    assert split.as_json(0, row) == {"text": "Ann left", "words": ["Ann", "left"], "labels": ["NOUN", "VERB-FIN"]}


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("a text", "`texts` must be lists of words, or one list. Received: 'a text'"),
        ([["a", ""]], r"`texts\[0\]\[1\]` must be a word. Received: ''"),
        ([["a"], ["b", None]], r"`texts\[1\]\[1\]` must be a word. Received: None"),
    ],
)
def test_what_are_no_words(pipeline, texts, message):
    with pytest.raises(ValueError, match=message):
        pipeline(texts, is_split_into_words=True)


def test_other_tasks_have_no_words():
    kind = Classification(source=InMemory({}), text=("a",), label="b", classes=("x", "y"), sequence_length=8)
    pipeline = Pipeline(object(), BertTokenizer(VOCABULARY), kind)
    with pytest.raises(ValueError, match=r"is for taggers, without `pairs`\. Received: Classification"):
        pipeline([["a"]], is_split_into_words=True)
