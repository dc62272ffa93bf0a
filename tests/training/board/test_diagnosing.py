"""How many validation examples are looked at when training is over, and what is said of the rest."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bert_tf.config import RunConfig
from bert_tf.kinds import Examples
from bert_tf.kinds.diagnosis import Answered, Diagnosis
from bert_tf.kinds.vectors.spec import TextGroups
from bert_tf.training.board.diagnosing import Found, diagnose


def look(examples: Examples, asked: int, *, most: int | None = None) -> tuple[Found | None, list[str]]:
    """What is found, and what is said, where each text is answered with itself."""
    said: list[str] = []

    def of_answers(answers: list[Any], some: Examples) -> Diagnosis:
        texts = some.columns[0]
        assert list(answers) == list(texts)
        return Diagnosis(rows=[Answered(number=0, inputs={}, expected=text, answered=text) for text in texts])

    kind: Any = SimpleNamespace(diagnose=of_answers, most_diagnosed=most)
    pipeline = SimpleNamespace(rows=lambda texts: list(texts))
    config = RunConfig.model_validate({"task": "x", "evaluation": {"diagnosed_examples": asked}})
    return diagnose(kind, lambda: pipeline, examples, config, tell=said.append), said


TEXTS = [str(i) for i in range(100)]


@pytest.mark.parametrize(("asked", "most", "count"), [(2000, None, 100), (100, None, 100), (30, None, 30), (50, 5, 5)])
def test_they_are_from_all_over(asked, most, count):
    found, said = look(Examples(texts=TEXTS), asked, most=most)
    assert found is not None
    rows = [row.answered for row in found.diagnosis.rows]
    assert (len(rows), rows[0], rows[-1]) == (count, "0", "99")
    expected = [f"looking at {count} of the 100 validation examples (evaluation.diagnosed_examples)"]
    assert said == (expected if count < 100 else [])


def test_none_are_asked_for():
    assert look(Examples(texts=TEXTS), 0) == (None, [])


def test_too_many_texts_that_belong_together():
    """As where documents are to be found for few queries."""
    groups = TextGroups(texts=TEXTS, members=np.array([[0, 1], [2, 3]], np.int32))
    assert look(groups, 20)[0] is not None
    found, said = look(groups, 19)
    assert found is None
    assert said == [
        "the validation set has 100 texts that belong together, so no answers are looked at: "
        "evaluation.diagnosed_examples says from how many on"
    ]
