"""Answers from raw strings: the graph against loops, and against the training loop's evaluation."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bert_tf import load_task
from bert_tf.config import RunConfig, to_toml
from bert_tf.data import SpanAnswer
from bert_tf.inference.pipeline import Pipeline
from bert_tf.kinds import SpanExamples, SpanQA
from bert_tf.kinds.outputs import Outputs
from bert_tf.text import BertTokenizer
from tests.conftest import VOCABULARY, shared_data
from tests.kinds.span_qa.span_sets import CONTEXTS, QUESTIONS, TOKENIZER, examples, make, tiny_model


@pytest.fixture(name="model", scope="module")
def model_fixture():
    return tiny_model()


def rows_of(tensors, count) -> list[dict[str, Any]]:
    """As the pipeline gives them."""
    columns = {
        name: np.split(tensor.values.numpy(), tensor.row_splits[1:-1])
        if hasattr(tensor, "row_splits")
        else tensor.numpy()
        for name, tensor in tensors.items()
    }
    return [{name: column[i] for name, column in columns.items()} for i in range(count)]


def rows_from(function, questions=QUESTIONS, contexts=CONTEXTS) -> list[dict[str, Any]]:
    """What an answer function makes of questions and contexts."""
    return rows_of(function(tf.constant(questions, tf.string), tf.constant(contexts, tf.string)), len(questions))


@pytest.fixture(name="answer", scope="module")
def answer_fixture(model):
    return make().answer_function(model, TOKENIZER)


@pytest.fixture(name="answer_or_none", scope="module")
def answer_or_none_fixture(model):
    return make(no_answer=True).answer_function(model, TOKENIZER)


def test_answers_are_pieces_of_their_contexts(answer):
    for row, context in zip(rows_from(answer), CONTEXTS, strict=True):
        assert row["answer"].decode() == context[row["start"] : row["end"]]
        places = list(zip(row["n_best_start"], row["n_best_end"], strict=True))
        assert [context[start:end] for start, end in places] == [text.decode() for text in row["n_best_answer"]]
        assert len(set(places)) == len(places)
        assert bool(places) == bool(context.strip())
        assert list(row["n_best_logit"]) == sorted(row["n_best_logit"], reverse=True)
        assert sum(row["n_best_score"]) == pytest.approx(1.0 if places else 0.0, abs=1e-6)
        assert row["answer"] == [*row["n_best_answer"], b""][0]


def test_no_answer_is_one_of_the_answers(answer_or_none, model):
    rows = rows_from(answer_or_none)
    assert {row["no_answer_score"] > 0 for row in rows} == {False, True}
    for row, context in zip(rows, CONTEXTS, strict=True):
        assert row["answer"].decode() == context[row["start"] : row["end"]]
        if row["no_answer_score"] > 0:
            assert row["answer"] == b""
            assert row["score"] == pytest.approx(1.0 - sum(row["n_best_score"]), abs=1e-6)
        else:
            assert (row["answer"], row["score"]) == (row["n_best_answer"][0], row["n_best_score"][0])
    i = next(i for i, row in enumerate(rows) if row["no_answer_score"] < 0)
    threshold = float(rows[i]["no_answer_score"]) - 0.1
    strict = make(no_answer=True, no_answer_threshold=threshold).answer_function(model, TOKENIZER)
    assert rows_from(strict, QUESTIONS[i : i + 1], CONTEXTS[i : i + 1])[0]["answer"] == b""


def test_the_best_of_all_windows_by_hand(answer, model):
    """The tokenizer's own windows, the model on each alone, and a search by loops."""
    row = rows_from(answer)[1]
    inputs = TOKENIZER(
        QUESTIONS[1:2], CONTEXTS[1:2], max_length=12, truncation="only_second", stride=2, return_offsets=True
    )
    assert len(inputs["token_ids"]) >= 3
    found = {}
    for w in range(len(inputs["token_ids"])):
        one = {name: inputs[name][w : w + 1] for name in ("token_ids", "segment_ids", "padding_mask")}
        logits = model(one)[0].numpy()
        context = [
            t for t in range(12) if inputs["segment_ids"][w, t] and inputs["ends"][w, t] > inputs["starts"][w, t]
        ]
        for i in context:
            for j in context:
                if i <= j < i + 4:
                    place = (int(inputs["starts"][w, i]), int(inputs["ends"][w, j]))
                    found[place] = max(found.get(place, -99), float(logits[i, 0] + logits[j, 1]))
    best = sorted(found, key=lambda place: -found[place])[:5]
    assert list(zip(row["n_best_start"], row["n_best_end"], strict=True)) == best
    np.testing.assert_allclose(row["n_best_logit"], [found[place] for place in best], rtol=1e-4)
    e = np.exp([found[place] for place in best])
    np.testing.assert_allclose(row["n_best_score"], e / e.sum(), rtol=1e-4)


def test_answers_do_not_hang_on_the_batch(answer_or_none):
    for i, row in enumerate(rows_from(answer_or_none)):
        alone = rows_from(answer_or_none, QUESTIONS[i : i + 1], CONTEXTS[i : i + 1])[0]
        assert (row["start"], row["end"], row["answer"]) == (alone["start"], alone["end"], alone["answer"])
        np.testing.assert_allclose(row["n_best_logit"], alone["n_best_logit"], atol=1e-5)
    assert rows_from(answer_or_none, [], []) == []


def test_bytes_that_are_no_utf8_count_as_one_character_each(answer):
    row = rows_from(answer, [b"good"], [b"\xff\xfe good film"])[0]
    text = "\ufffd\ufffd good film"
    assert [t.decode() for t in row["n_best_answer"]] == [
        text[a:b] for a, b in zip(row["n_best_start"], row["n_best_end"], strict=True)
    ]


@pytest.mark.parametrize("no_answer", [False, True])
def test_raw_text_gives_the_metrics_of_the_training_loop(model, answer, answer_or_none, no_answer):
    answers = [(SpanAnswer("Good", 2), SpanAnswer("film", 7)), (SpanAnswer("h i", 18),), (SpanAnswer("bad", 0),), ()]
    given = examples(answers if no_answer else [*answers[:3], (SpanAnswer("film film", 0),)])
    names = ("f1", "exact_match", "has_answer_f1", "no_answer_f1", "best_f1", "best_f1_threshold")
    kind = make(no_answer=no_answer, metrics=names if no_answer else names[:2])
    features = kind.features(TOKENIZER, given)
    inside = kind.measure(Outputs(model, features, batch_examples=3, per_token=True)(), features, given)
    raw = kind.measure_answers(rows_from(answer_or_none if no_answer else answer, given.texts, given.pairs), given)
    assert raw == pytest.approx(inside, abs=1e-4)
    assert set(inside) == set(kind.metrics)
    assert 0 < inside["f1"] < 1


def test_json_of_an_answer(answer_or_none):
    kind, row = make(no_answer=True), rows_from(answer_or_none)[0]
    got = kind.to_json(QUESTIONS[0], CONTEXTS[0], row)
    assert list(got) == ["question", "context", "answer", "start", "end", "score", "no_answer_score", "n_best"]
    assert json.loads(json.dumps(got)) == got
    assert [list(part) for part in got["n_best"]] == [["answer", "start", "end", "score"]] * 5
    plain = make().to_json(QUESTIONS[0], CONTEXTS[0], row)
    assert "no_answer_score" not in plain


def test_a_run_answers_through_the_pipeline(tmp_path):
    tiny_model(max_positions=512).save_pretrained(tmp_path / "model", BertTokenizer(VOCABULARY))
    (tmp_path / "config.toml").write_text(to_toml(RunConfig.model_validate({"task": "squad"})), encoding="utf-8")
    pipeline = Pipeline(tmp_path, batch_examples=3)
    answers = pipeline(QUESTIONS, CONTEXTS)
    assert [answer["context"] for answer in answers] == CONTEXTS
    for answer in answers:
        assert answer["answer"] == answer["context"][answer["start"] : answer["end"]]
    assert pipeline("good?", "a Good film.")["n_best"][0]["answer"] in "a Good film."


def test_raw_text_gives_the_same_metrics_on_the_real_set():
    kind = load_task("squad")
    whole = kind.read(str(shared_data("squad/dev-v1.1.json")), "validation")
    assert isinstance(whole, SpanExamples)
    assert isinstance(kind, SpanQA)
    assert whole.answers is not None
    assert whole.pairs is not None
    chosen = slice(0, 60)
    given = SpanExamples(texts=whole.texts[chosen], pairs=whole.pairs[chosen], answers=whole.answers[chosen])
    tokenizer = BertTokenizer.from_pretrained("minilm")
    model = tiny_model(tokenizer.vocabulary_size, max_positions=128)
    features = kind.features(tokenizer, given, sequence_length=128)
    assert len(features) > 60
    inside = kind.measure(Outputs(model, features, batch_examples=16, per_token=True)(), features, given)
    function = kind.answer_function(model, tokenizer, sequence_length=128)
    assert kind.measure_answers(rows_from(function, given.texts, given.pairs), given) == pytest.approx(inside, abs=1e-6)
    assert inside["f1"] > 0
