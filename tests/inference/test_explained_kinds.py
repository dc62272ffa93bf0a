"""Explanations of texts in windows, entities and answers, of members of the family too: their sums, and what of."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from bert_tf import BertClassifier, BertConfig, BertEmbedder, BertSpanQA, BertTagger, Pipeline
from bert_tf.data import InMemory
from bert_tf.errors import UserError
from bert_tf.inference.answering import answer_over
from bert_tf.inference.explaining import TOLERANCE
from bert_tf.kinds import Classification, MultiLabel, Regression, SpanQA, Tagging
from bert_tf.kinds.vectors.embedding import Embedding
from bert_tf.terminal.parts import Weighed, weighed
from bert_tf.text import BertTokenizer
from tests.conftest import VOCABULARY
from tests.models.members import SHAPES, tokenizer_of

SOURCE: dict[str, Any] = {"source": InMemory({})}
CLASSES = Classification(
    text=("one", "two"), label="x", classes=("no", "yes"), sequence_length=12, long_texts="windows", **SOURCE
)
LABELS = MultiLabel(text=("text",), classes=("a", "b", "c"), sequence_length=9, long_texts="windows", **SOURCE)
NUMBER = Regression(text=("text",), label="stars", sequence_length=9, long_texts="windows", **SOURCE)
ENTITIES = Tagging(types=("PER", "LOC"), sequence_length=12, **SOURCE)
WORDS_OF = Tagging(labels=("NOUN", "VERB"), metrics=("accuracy",), sequence_length=12, **SOURCE)
QUESTIONS = SpanQA(sequence_length=16, stride=3, question_tokens=4, **SOURCE)
MAYBE = SpanQA(sequence_length=16, stride=3, question_tokens=4, no_answer=True, no_answer_threshold=-1e6, **SOURCE)
LONG = "a good film, a bad film! is it good? what a film."


@pytest.fixture
def eagerly():
    """Functions without graphs, which take longer to make than a small model takes."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def pipeline_of(kind, *, seed=3, member=None):
    keras.utils.set_random_seed(seed)
    tokenizer = None if member is None else tokenizer_of(member)
    tokenizer = tokenizer or BertTokenizer(VOCABULARY, pair_separators=2 if member == "mpnet" else 1)
    config = BertConfig(
        **{"vocabulary_size": len(tokenizer.vocabulary), "hidden_dim": 8, "num_layers": 2 if member else 1,
           "num_heads": 2, "intermediate_dim": 16, "initializer_range": 0.5, **SHAPES.get(member or "", {})}
    )  # fmt: skip
    if isinstance(kind, Tagging):
        model = BertTagger(config, len(kind.tag_names), labels=kind.tag_names)
    elif isinstance(kind, SpanQA):
        model = BertSpanQA(config)
    else:
        model = BertClassifier(config, len(kind.output_names), problem=kind.problem)
    return Pipeline(model, tokenizer, kind)


def check(found):
    """The parts of an explanation add up to the difference of the outputs, and are not all nothing."""
    total = sum(word.attribution for word in found.words)
    assert abs(total - (found.value - found.baseline)) <= TOLERANCE
    assert abs(found.remainder - (found.value - found.baseline - total)) < 1e-9
    assert max(abs(word.attribution) for word in found.words) > TOLERANCE
    for word in found.words:
        assert found.texts[word.column][word.start : word.end] == word.text


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize(
    ("kind", "seed", "texts"),
    [
        (CLASSES, 3, ("good film", LONG)),
        pytest.param(CLASSES, 4, (LONG, "bad"), marks=pytest.mark.slow),
        pytest.param(CLASSES, 5, ("good", "bad"), marks=pytest.mark.slow),
        pytest.param(LABELS, 3, (LONG,), marks=pytest.mark.slow),
        pytest.param(NUMBER, 3, (LONG,), marks=pytest.mark.slow),
    ],
)
def test_of_a_text_in_windows_the_output_is_made_of_all_of_them(kind, seed, texts):
    pipeline = pipeline_of(kind, seed=seed)
    found = pipeline.explain(*texts)
    check(found)
    answer = pipeline(*texts)
    if "probabilities" in answer:
        value = answer["probabilities"][found.output]
        odds = np.log(value) - (np.log(1 - value) if kind is LABELS else 0.0)
        if kind is LABELS or answer.get("windows", 1) > 1:
            assert found.value == pytest.approx(odds, abs=1e-4)
        assert found.output == max(answer["probabilities"], key=answer["probabilities"].get)
    else:
        assert found.value == pytest.approx(answer["value"], abs=1e-5)
    for column, text in zip(kind.text_columns, texts, strict=True):  # each word once, in its order
        words = [word.text for word in found.words if word.column == column]
        assert "".join(words) == text.replace(" ", "")


def by_hand(pipeline, text, span, masked):
    """The sum of the logits of the labels of the words in a piece of a text that has room in one row."""
    inputs = pipeline.tokenizer([text], max_length=64, return_offsets=True)
    starts, ends = (inputs.pop(name).numpy()[0] for name in ("starts", "ends"))
    real = np.asarray(pipeline.model(inputs))[0]
    ids = inputs["token_ids"].numpy()
    if masked:
        ids[0, 1:-1] = pipeline.tokenizer.mask_id
    logits = np.asarray(pipeline.model({**inputs, "token_ids": tf.constant(ids)}))[0]
    before = {0, *(i + 1 for i, letter in enumerate(text) if letter == " ")}
    first = [i for i in range(1, len(starts) - 1) if starts[i] in before and span[0] <= starts[i] < span[1]]
    assert first
    assert ends[first].min() > 0
    return sum(logits[i, real[i].argmax()] for i in first)


@pytest.mark.usefixtures("eagerly")
def test_of_an_entity_it_is_the_logits_of_its_words():
    pipeline = pipeline_of(ENTITIES, seed=5)
    text = "good bad film xyz a film"
    one_row = Pipeline(pipeline.model, pipeline.tokenizer, ENTITIES, sequence_length=64)
    found, answer = one_row.explain(text), one_row(text)
    assert [(one.output, one.start, one.end) for one in found] == [
        (entity["label"], entity["start"], entity["end"]) for entity in answer["entities"]
    ]
    assert found
    for one in found:
        check(one)
        assert one.value == pytest.approx(by_hand(one_row, text, (one.start, one.end), False), abs=1e-5)
        assert one.baseline == pytest.approx(by_hand(one_row, text, (one.start, one.end), True), abs=1e-5)
        assert [word.text for word in one.words] == text.split()
    shown = found[0].as_json()
    assert shown["text"] == text[found[0].start : found[0].end]
    parts = weighed({"text": text, "explanations": [shown]})
    assert [(part.answer, part.focus) for part in parts if isinstance(part, Weighed)] == [
        (f"{shown['text']} [{found[0].output}]", (found[0].start, found[0].end))
    ]


@pytest.mark.slow
@pytest.mark.parametrize("kind", [ENTITIES, WORDS_OF], ids=["entities", "words"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_entities_of_a_text_in_windows(kind, seed):
    pipeline = pipeline_of(kind, seed=seed)
    found = pipeline.explain([LONG, "film", ""])
    answers = pipeline([LONG, "film", ""])
    for explanations, answer in zip(found, answers, strict=True):
        parts = answer["entities" if kind is ENTITIES else "words"]
        assert len(explanations) == len(parts)
        for one, part in zip(explanations, parts, strict=True):
            check(one)
            assert (one.output, one.start, one.end) == (part["label"], part["start"], part["end"])
            assert any(word.start >= one.start and word.end <= one.end for word in one.words)


@pytest.mark.usefixtures("eagerly")
def test_of_an_answer_it_is_the_logits_of_its_ends():
    pipeline = pipeline_of(QUESTIONS)
    question, context = "is it good?", "a film. " * 3 + LONG
    found = pipeline.explain(question, context)
    check(found)
    row = pipeline.rows([question], [context])[0]
    assert found.output == pipeline(question, context)["answer"] != ""
    assert found.value == pytest.approx(float(row["n_best_logit"][0]), abs=1e-5)
    words = [word.text for word in found.words if word.column == "question"]
    assert words == ["is", "it"]  # four tokens of it are read
    shown = weighed({**pipeline(question, context), "explanation": found.as_json()})
    assert [part.text for part in shown if isinstance(part, Weighed)] == [question, context]


@pytest.mark.usefixtures("eagerly")
@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_answer_and_several_texts(seed):
    pipeline = pipeline_of(MAYBE, seed=seed)
    found = pipeline.explain("is it good?", LONG)
    check(found)
    assert found.output == "(no answer)"
    row = pipeline.rows(["is it good?"], [LONG])[0]
    assert found.value == pytest.approx(float(row["no_answer_score"] + row["n_best_logit"][0]), abs=1e-4)

    pipeline = pipeline_of(QUESTIONS, seed=seed)
    answer = answer_over(pipeline, "is it bad?", {"a": LONG, "b": "xyz, a good film"}, explain=True)
    assert answer["explanation"]["output"] == answer["answer"]
    columns = {word["column"] for word in answer["explanation"]["words"]}
    assert columns == {"question", "context"}


@pytest.mark.usefixtures("eagerly")
@pytest.mark.slow
@pytest.mark.parametrize("member", ["roberta", "mpnet", "modernbert", "albert", "xlm-roberta", "deberta-v2"])
@pytest.mark.parametrize("kind", [CLASSES, WORDS_OF, QUESTIONS], ids=["classes", "words", "answers"])
def test_members_of_the_family(member, kind):
    pipeline = pipeline_of(kind, member=member)
    pipeline = Pipeline(pipeline.model, pipeline.tokenizer, kind, sequence_length=32)
    texts = ("good", "bad film good film")[-len(kind.text_columns) :]
    found = pipeline.explain(*texts)
    found = found if kind is WORDS_OF else [found]
    assert len(found) == (4 if kind is WORDS_OF else 1)
    for one in found:
        check(one)
        assert [word.text for word in one.words] == [word for text in texts for word in text.split()]


def test_what_cannot_be_explained_is_refused():
    kind = Embedding(text=("one", "two"), loss="contrastive", metrics=("mrr",), sequence_length=16, **SOURCE)
    shape: dict[str, Any] = {"vocabulary_size": len(VOCABULARY), "hidden_dim": 8, "num_heads": 2, "intermediate_dim": 8}
    model = BertEmbedder(BertConfig(num_layers=1, **shape))
    with pytest.raises(UserError, match=r"entities or answers within a text\. Received: Embedding"):
        Pipeline(model, BertTokenizer(VOCABULARY), kind).explain("good")
