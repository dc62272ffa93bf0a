"""Tagging with other labels than IOB2 of its types, and of text in scripts without spaces."""

from __future__ import annotations

from typing import Any, cast

import keras
import numpy as np
import pytest
import tensorflow as tf

import bert_tf
from bert_tf.errors import UserError
from bert_tf.inference.engine.rows import rows_of as _rows
from bert_tf.models import BertTagger
from bert_tf.text import BertTokenizer
from tests.conftest import VOCABULARY
from tests.kinds.tagging.test_tagging import SMALL, TOKENIZER, answers_of, make, sentences, tagger

CHINESE = BertTokenizer([*VOCABULARY, *"在北京用年住了，", "20", "##0", "##3"])


def by_character(*sentences: str) -> list[dict[str, Any]]:
    """Rows of a character each; a, b in brackets are entities: "在[北京]"."""
    rows = []
    for sentence in sentences:
        words, tags, tag = [], [], "O"
        for character in sentence:
            if character in "[]":
                tag = "B-place" if character == "[" else "O"
                continue
            words.append(character)
            tags.append(tag)
            tag = "I-place" if tag == "B-place" else tag
        rows.append({"words": words, "tags": tags})
    return rows


def test_a_character_a_row_scores_alike_from_raw_text_and_in_training():
    rows = by_character("在[北京]用[ibm]", "[2003]年", "住了，[abc]在2003")
    kind = make(rows)
    examples = kind.read("own", "train")
    assert examples.texts == ["在北京用ibm", "2003年", "住了，abc在2003"]
    features = kind.features(CHINESE, examples)
    keras.utils.set_random_seed(2)
    model = BertTagger(SMALL.replace(vocabulary_size=CHINESE.vocabulary_size), 5)
    scores = kind.scorer(model, CHINESE, features, examples, batch_examples=2)()
    function = kind.answer_function(model, CHINESE)
    answers = list(_rows(function(tf.constant(list(examples.texts)))))
    assert kind.measure_answers(answers, examples) == scores


def test_what_is_learned_of_characters_is_what_answers_say():
    """A model that says of every piece what it has learned finds every entity, numbers and Latin words among them."""
    rows = by_character("在[北京]用[ibm]", "[2003]年", "住了，[abc]在2003")
    kind = make(rows, metrics=("f1", "accuracy"))
    examples = kind.read("own", "train")
    features = kind.features(CHINESE, examples)
    labels = features.token_fields["token_labels"]
    perfect = np.eye(5, dtype=np.float32)[np.maximum(labels, 0)]
    assert kind.measure(np.split(perfect, features.splits[1:-1]), features, examples) == {"f1": 1.0, "accuracy": 1.0}

    class Model:
        """Looks its labels up by the row's tokens."""

        def __call__(self, inputs, training=None):
            ids = inputs["token_ids"].numpy()
            out = np.zeros((*ids.shape, 5), np.float32)
            for i, row in enumerate(ids):
                for e in range(len(features)):
                    part = slice(features.splits[e], features.splits[e + 1])
                    if np.array_equal(row[row > 0], features.token_ids[part]):
                        out[i, : part.stop - part.start] = 9 * perfect[part]
            return out

    tf.config.run_functions_eagerly(True)
    try:
        answers = list(_rows(kind.answer_function(cast(Any, Model()), CHINESE)(tf.constant(list(examples.texts)))))
    finally:
        tf.config.run_functions_eagerly(False)
    said = [kind.to_json(text, None, answer) for text, answer in zip(examples.texts, answers, strict=True)]
    found = [[entity["text"] for entity in one["entities"]] for one in said]
    assert found == [["北京", "ibm"], ["2003"], ["abc"]]
    assert kind.measure_answers(answers, examples) == {"f1": 1.0, "accuracy": 1.0}


def test_parts_of_speech_are_trained_and_answered_word_by_word():
    rows = [{"words": ["good", "film", "."], "tags": ["ADJ", "NOUN", "PUNCT"]}]
    kind = make(rows, types=(), labels=("NOUN", "ADJ", "PUNCT"), metrics=("accuracy", "f1"))
    examples = kind.read("own", "train")
    features = kind.features(TOKENIZER, examples)
    assert kind.main_metric == "accuracy"
    model = tagger(3)
    scores = kind.scorer(model, TOKENIZER, features, examples, batch_examples=2)()
    answers = answers_of(kind, model, list(examples.texts))
    assert kind.measure_answers(answers, examples) == scores
    said = kind.to_json("good film.", None, answers_of(kind, model, ["good film."])[0])
    assert [word["text"] for word in said["words"]] == ["good", "film", "."]
    assert {word["label"] for word in said["words"]} <= {"NOUN", "ADJ", "PUNCT"}


def test_a_model_with_its_labels_in_another_order_or_scheme_scores_as_it_should():
    examples, kind, model = sentences(20, 14), make(stride=5), tagger()
    pipeline = bert_tf.Pipeline.of(kind, model, TOKENIZER)
    order = [3, 0, 4, 1, 2]
    other = BertTagger(model.backbone, 5, labels=tuple(kind.tag_names[i] for i in order))
    for mine, theirs in zip(other.classifier.weights, model.classifier.weights, strict=True):
        mine.assign(np.asarray(theirs)[..., order])
    fitted = kind.fitted(other, "folder")
    assert fitted.tag_names == other.labels
    moved = bert_tf.Pipeline.of(fitted, other, TOKENIZER)
    scores = kind.scores(pipeline, examples)
    assert 0 < scores["f1"] < 1
    assert kind.scores(moved, examples) == pytest.approx(scores)
    with pytest.raises(UserError, match=r"expected a tagger of person, place\. Received: one with the labels O, B-x"):
        kind.fitted(BertTagger(SMALL, 5, labels=("O", "B-x", "I-x", "B-y", "I-y")), "folder")
    assert kind.fitted(BertTagger(SMALL, 5), "folder") is kind  # LABEL_0 and so on say nothing
