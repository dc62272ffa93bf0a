"""Which readers a file is for: by the task, the tokenizer, the length and the labels."""

from __future__ import annotations

import dataclasses

import pytest

from bert_tf.data import InMemory
from bert_tf.exporting.tflite.readers import LITERT, readers_of, readers_of_text
from bert_tf.kinds import Classification, Embedding, MultiLabel, Regression, SpanQA, Tagging
from bert_tf.text import AddedToken, BertTokenizer
from tests.conftest import VOCABULARY

NOWHERE = InMemory({})
ONE = Classification(source=NOWHERE, text=("text",), label="label", classes=("no", "yes"), sequence_length=8)
SEVERAL = MultiLabel(source=NOWHERE, text=("a",), classes=("x", "y"), sequence_length=8)
QUESTIONS = SpanQA(source=NOWHERE)
MEDIAPIPE, TASK_LIBRARY = "MediaPipe Tasks TextClassifier", "Task Library BertNLClassifier"
ANSWERER = "Task Library BertQuestionAnswerer"


@pytest.fixture(scope="module")
def uncased() -> BertTokenizer:
    return BertTokenizer(VOCABULARY)


def asked(kind, tokenizer, *, length: int | None = 384, **arguments):
    outputs = kind.serving.contract
    texts = len(outputs.row or kind.text_columns)
    return readers_of(outputs, tokenizer, texts=texts, length=length, **arguments)


@pytest.mark.parametrize(
    ("kind", "opens"),
    [
        (ONE, [MEDIAPIPE, TASK_LIBRARY, LITERT]),
        (SEVERAL, [MEDIAPIPE, TASK_LIBRARY, LITERT]),
        (
            Embedding(source=NOWHERE, text=("a", "b"), score="s", sequence_length=8),
            ["MediaPipe Tasks TextEmbedder", "Task Library TextEmbedder", LITERT],
        ),
        (QUESTIONS, [ANSWERER, LITERT]),
        (Tagging(source=NOWHERE, types=("place",)), [LITERT]),
        (Regression(source=NOWHERE, text=("a",), label="s", sequence_length=8), [LITERT]),
    ],
)  # fmt: skip
def test_each_kind_has_its_readers(uncased, kind, opens):
    for length in (384, None) if kind is not QUESTIONS else (384,):
        found = asked(kind, uncased, length=length)
        assert list(found.opens) == opens
        assert found.bring_tokenizers == (len(opens) > 1)
        assert bool(found.cannot) == (len(opens) == 1), "what no reader opens has a reason"


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"lowercase": False}, "it lower-cases every text, and this vocabulary is cased"),
        ({"added_tokens": [AddedToken("goodfilm")]}, "it follows no such rules of a tokenizer: "),
        ({"max_word_characters": 7}, "it follows no such rules of a tokenizer: "),
        ({"split_cjk": False}, "it makes every Chinese character a word"),
        ({"unk_token": "good"}, "it knows special tokens by BERT's names alone, and [UNK] is good here"),
    ],
)
@pytest.mark.parametrize("kind", [ONE, QUESTIONS])
def test_a_tokenizer_that_is_not_theirs(settings, why, kind):
    tokenizer = BertTokenizer(VOCABULARY, **settings)
    found = asked(kind, tokenizer)
    assert list(found.opens) == [LITERT]
    assert not found.bring_tokenizers
    assert found.cannot
    assert all(reason.startswith(why) for reason in found.cannot.values())
    anyway = asked(kind, tokenizer, anyway=True)
    assert not anyway.cannot
    assert all(note.startswith(why) for name, note in anyway.opens.items() if name != LITERT)


def test_a_task_that_is_not_theirs(uncased):
    pair = dataclasses.replace(ONE, text=("a", "b"))
    assert asked(pair, uncased).cannot == dict.fromkeys(
        [MEDIAPIPE, TASK_LIBRARY], "it gives a model one text, and this task is about two"
    )
    unanswered = asked(dataclasses.replace(QUESTIONS, no_answer=True), uncased)
    assert "it never says that a question has no answer" in unanswered.cannot[ANSWERER]
    for length, named in ((128, "128"), (None, "any length")):
        for anyway in (False, True):  # it fails on such a file, so that no setting can want it
            found = asked(QUESTIONS, uncased, length=length, anyway=anyway)
            assert found.cannot == {ANSWERER: f"it answers only with files of the length 384, and this one has {named}"}


@pytest.mark.parametrize("odd", ["", "two\nlines", "two\rlines", " space"])
def test_labels_that_a_file_of_lines_cannot_hold(uncased, odd):
    found = asked(dataclasses.replace(ONE, classes=("a", odd)), uncased, anyway=True)
    assert list(found.opens) == [LITERT]
    assert "one label a line" in found.cannot[MEDIAPIPE]


def test_who_rejects_and_who_does_not(uncased):
    found = asked(ONE, uncased, reject_below=0.625)
    assert found.opens[MEDIAPIPE] == "gives no category below 0.625, the score below which a text is rejected"
    assert "does not reject" in found.opens[TASK_LIBRARY]


def test_text_in_is_for_litert_alone():
    assert list(readers_of_text(ONE.serving.contract).opens) == ["LiteRT with tensorflow_text's operators"]
    assert "no further windows" in str(readers_of_text(Tagging(source=NOWHERE, types=("x",)).serving.contract).opens)


@pytest.mark.parametrize("anyway", [False, True])
def test_a_file_that_takes_batches_is_for_litert_alone(uncased, anyway):
    found = asked(ONE, uncased, length=None, takes_batches=True, anyway=anyway)
    why = "it gives a row a call, and this file takes any number of rows"
    assert (found.opens, found.cannot) == ({LITERT: ""}, {MEDIAPIPE: why, TASK_LIBRARY: why})
    assert not found.bring_tokenizers
