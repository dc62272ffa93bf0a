from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from bert_tf.data import InMemory
from bert_tf.data.tagged.label_sets import of_types
from bert_tf.errors import UserError
from bert_tf.exporting import probe, report
from bert_tf.exporting.agreement import agreement
from bert_tf.kinds import Classification, Embedding, Examples, Tagging
from bert_tf.kinds.tagging.spec import TaggedExamples
from bert_tf.kinds.vectors.retrieval import Judged
from bert_tf.kinds.vectors.spec import TextGroups
from bert_tf.text import BertTokenizer
from tests.conftest import VOCABULARY

KIND = Classification(source=InMemory({}), text=("text",), label="label", classes=("no", "yes"), sequence_length=8)
EXAMPLES = Examples(texts=["a", "b", "c"], labels=np.array([0, 1, 1]))


def rows(*probabilities: float) -> list[dict[str, Any]]:
    return [{"probabilities": np.array([1 - p, p], np.float32), "label_index": int(p > 0.5)} for p in probabilities]


def test_labels_that_differ_and_how_far_scores_are():
    found = agreement(KIND, EXAMPLES, rows(0.1, 0.9, 0.6), rows(0.2, 0.9, 0.4))
    assert found["examples"] == 3
    assert found["same_answers"] == pytest.approx(2 / 3)
    assert found["largest_difference"] == pytest.approx(0.1, abs=1e-6)  # where the label differs no score is compared
    assert found["mean_difference"] == pytest.approx(0.05, abs=1e-6)


def test_places_must_be_equal():
    kind = Tagging(source=InMemory({}), types=("person",))

    def entity(start: int, score: float) -> dict[str, Any]:
        columns = {"text": [b"Ann"], "label": [b"person"], "start": [start], "end": [3], "score": [score]}
        return {name: np.array(value) for name, value in columns.items()}

    texts = Examples(texts=["Ann", "Ann"])
    found = agreement(kind, texts, [entity(0, 0.5), entity(0, 0.5)], [entity(0, 0.25), entity(1, 0.5)])
    assert (found["same_answers"], found["largest_difference"]) == (0.5, 0.25)


def test_vectors_have_a_cosine():
    kind = Embedding(source=InMemory({}), text=("a", "b"), score="s", sequence_length=8)
    ours = [{"vector": np.array([1.0, 0.0])}, {"vector": np.array([1.0, 0.0])}]
    theirs = [{"vector": np.array([2.0, 0.0])}, {"vector": np.array([1.0, 1.0])}]
    found = agreement(kind, Examples(texts=["a", "b"]), ours, theirs)
    assert found["least_cosine"] == pytest.approx(2**-0.5)
    assert found["mean_cosine"] == pytest.approx((1 + 2**-0.5) / 2)


def test_as_many_answers_as_texts():
    with pytest.raises(ValueError, match=r"`theirs` must be 3 answers, one a text\. Received: 2"):
        agreement(KIND, EXAMPLES, rows(0.1, 0.9, 0.6), rows(0.1, 0.9))


# The first examples of a split.


def test_the_first_examples_of_columns():
    some = dataclasses.replace(EXAMPLES, pairs=["x", "y", "z"], bad_rows=7).first(2)
    assert (some.texts, some.pairs, some.labels.tolist(), some.bad_rows) == (["a", "b"], ["x", "y"], [0, 1], 7)  # pyright: ignore[reportOptionalMemberAccess]
    assert EXAMPLES.first(3) is EXAMPLES
    labels = of_types(("place",))
    tagged = TaggedExamples(
        texts=["a b", "c"], words=[["a", "b"], ["c"]], starts=[[0, 2], [0]], tags=[[0, 1], [2]], label_set=labels
    )
    some = TaggedExamples(texts=["a b"], words=[["a", "b"]], starts=[[0, 2]], tags=[[0, 1]], label_set=labels)
    assert tagged.first(1) == some


def test_the_first_groups_with_the_texts_that_they_are_of():
    members = np.array([[3, 1], [0, 1], [2, 0]], np.int32)
    groups = TextGroups(texts=["a", "b", "c", "d"], members=members, labels=np.array([0.5, 1.0, 0.0]))
    some = groups.first(2)
    assert isinstance(some, TextGroups)
    assert [[some.texts[i] for i in row] for row in some.members] == [["d", "b"], ["a", "b"]]
    assert (len(some), len(some.texts), some.members.dtype) == (2, 3, np.int32)


def test_a_ranking_is_over_all():
    judged = Judged(texts=["a", "b"], members=np.array([[1, 0]] * 5), documents=1, judgements=[{0: 1.0}])
    assert judged.first(2) is judged


# Texts to be timed.


def test_texts_have_the_tokens_that_are_asked_for():
    tokenizer = BertTokenizer(VOCABULARY)
    texts = probe.texts_of_length(tokenizer, 3, 14)
    assert tokenizer.tokenize(texts).row_lengths().numpy().tolist() == [14, 14, 14]
    assert len(set(texts)) == 3


# The report.


def model(name: str, drop: float) -> dict[str, Any]:
    return {"name": name, "metrics": {"accuracy": 0.9 - drop / 100}, "drop_points": drop}


def described(*models: dict[str, Any]) -> dict[str, Any]:
    run = {"metrics": {"accuracy": 0.9}}
    return {"tolerance_points": 0.5, "metric": "accuracy", "examples": 10, "run": run, "models": list(models)}


def test_a_model_that_loses_too_much_is_named():
    report.check_report(described(model("float32", 0.5), model("better", -3.0)))
    with pytest.raises(UserError, match=r"refused, nothing is written: .* 0\.9000 on 10 .* int8 0\.8940, 0\.60 points"):
        report.check_report(described(model("float32", 0.0), model("int8", 0.6)))
    with pytest.raises(UserError, match="nan points"):
        report.check_report(described(model("broken", float("nan"))))


def test_calls_are_timed_in_turns(monkeypatch):
    monkeypatch.setattr(report, "CALLS", (3, 5))
    monkeypatch.setattr(report, "SECONDS", 0.0)
    order: list[str] = []
    times = report._timed([lambda: order.append("a"), None, lambda: order.append("b")])
    assert [len(mine) for mine in times] == [3, 0, 3]
    assert order == ["a", "b"] * 4
