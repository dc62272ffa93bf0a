from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.data import InMemory
from bert_tf.errors import UserError
from bert_tf.inference import task_file
from bert_tf.inference.answers import counts_of, dense, for_users, with_ragged
from bert_tf.kinds import Classification, ExtractiveSummarization, MultiLabel, Regression, SpanQA, Tagging, TextToText
from bert_tf.kinds.definitions import load_task
from bert_tf.lookup import names
from bert_tf.models import Generation

NOWHERE = InMemory({})
TAGGING = Tagging(source=NOWHERE, types=("place", "person"))


def entities() -> dict:
    return {
        "text": tf.ragged.constant([["Ann", "Paris"], []], tf.string),
        "label": tf.ragged.constant([["person", "place"], []], tf.string),
        "start": tf.ragged.constant([[0, 9], []], tf.int32),
        "end": tf.ragged.constant([[3, 14], []], tf.int32),
        "score": tf.ragged.constant([[0.5, 0.75], []], tf.float32),
        "piece_start": tf.ragged.constant([[0, 4, 9], [0]], tf.int32),
        "piece_tag": tf.ragged.constant([["B-person", "O", "B-place"], ["O"]], tf.string),
    }


def test_ragged_answers_become_dense_with_a_count():
    found = dense(TAGGING, entities())
    assert found["text"].numpy().tolist() == [[b"Ann", b"Paris"], [b"", b""]]
    assert found["end"].numpy().tolist() == [[3, 14], [0, 0]]
    assert found["count"].numpy().tolist() == [2, 0]
    assert found["piece_count"].numpy().tolist() == [3, 1]
    assert found["count"].dtype == tf.int32
    assert set(for_users(TAGGING, found)) == {"text", "label", "start", "end", "score", "count"}


def test_and_ragged_again():
    before = entities()
    after = with_ragged(dense(TAGGING, before), counts_of(TAGGING, before))
    assert list(after) == list(before)
    for name, value in before.items():
        assert after[name].to_list() == value.to_list()


def test_what_no_table_knows_has_a_count_of_its_own():
    kind = Regression(source=NOWHERE, text=("text",), label="score", sequence_length=8)
    found = dense(kind, {"peaks": tf.ragged.constant([[1.0], []]), "values": tf.constant([[1.0], [2.0]])})
    assert found["peaks_count"].numpy().tolist() == [1, 0]
    assert for_users(kind, found)["value"].numpy().tolist() == [1.0, 2.0]


def test_a_rejected_text_has_a_best_guess():
    kind = Classification(source=NOWHERE, text=("text",), label="x", classes=("a", "b"), sequence_length=8)
    answers = {
        "label": tf.constant(["", "b"]), "label_index": tf.constant([0, 1]), "logits": tf.zeros([2, 2]),
        "probabilities": tf.constant([[0.6, 0.4], [0.1, 0.9]]), "is_rejected": tf.constant([True, False]),
    }  # fmt: skip
    found = for_users(kind, answers)
    assert set(found) == {"label", "score", "probabilities", "is_rejected", "best_guess"}
    assert found["best_guess"].numpy().tolist() == [b"a", b"b"]
    np.testing.assert_allclose(found["score"], [0.6, 0.9])


def test_a_score_of_no_answer_only_where_there_may_be_none():
    answers = {"answer": tf.constant(["x"]), "no_answer_score": tf.constant([1.0]), "n_best_logit": tf.zeros([1, 2])}
    for no_answer, expected in ((False, {"answer"}), (True, {"answer", "no_answer_score"})):
        assert set(for_users(SpanQA(source=NOWHERE, no_answer=no_answer), answers)) == expected


def test_labels_without_what_scoring_needs():
    kind = MultiLabel(source=NOWHERE, text=("text",), classes=("a", "b"), sequence_length=8)
    holds = tf.constant([[True, False]])
    answers = {"labels": tf.ragged.constant([["a"]]), "holds": holds, "logits": holds, "probabilities": holds}
    assert set(for_users(kind, dense(kind, answers))) == {"labels", "label_count", "probabilities"}


# A task as JSON.


@pytest.mark.parametrize("name", names("tasks"))
def test_every_task_of_the_library_comes_back(name):
    task = load_task(name)
    again = task_file.from_json(task_file.to_json(task, task=name, sequence_length=task.sequence_length))
    assert type(again) is type(task)
    for field in dataclasses.fields(task):
        if field.name not in task_file.OF_TRAINING:
            assert getattr(again, field.name) == getattr(task, field.name), field.name


def test_a_run_may_be_shorter_than_its_task():
    kind = ExtractiveSummarization(source=NOWHERE, text="text", summary="summary")
    assert task_file.from_json(task_file.to_json(kind, task="x", sequence_length=33)).sequence_length == 33


def test_generation_is_kept():
    kind = TextToText(source=NOWHERE, metrics=("bleu",), sequence_length=20, text="a", target="b", target_length=8,
                      generation=Generation(beams=3, length_penalty=0.5))  # fmt: skip
    again = task_file.from_json(task_file.to_json(kind, task="x", sequence_length=20))
    assert isinstance(again, TextToText)
    assert again.generation == kind.generation


def test_a_kind_of_ones_own_is_looked_up_by_its_task():
    kind = task_file.from_json({"task": "sst2", "kind": "Unheard", "settings": {}})
    assert isinstance(kind, Classification)
    with pytest.raises(UserError, match="its task 'nothing' is not one of this library's"):
        task_file.from_json({"task": "nothing", "kind": "load_task", "settings": {}})


def test_a_task_that_cannot_be():
    with pytest.raises(
        UserError, match=r"expected a task of the kind Tagging\. Received: .*unexpected keyword argument 'unheard'"
    ):
        task_file.from_json({"task": "x", "kind": "Tagging", "settings": {"unheard": 1}})
