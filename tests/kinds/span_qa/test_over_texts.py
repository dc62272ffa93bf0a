"""The best answer over several texts, from the answers to each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import softmax

from bert_tf.kinds.span_qa.over_texts import as_json, over_texts
from bert_tf.sentinels import NEVER


def row(*spans: tuple[str, int, float], silence: float = NEVER) -> dict[str, Any]:
    """What the graph gives for a text: its spans with their logits, the best first, and the logit of "no answer"."""
    best = spans[0][2] if spans else NEVER
    return {
        "n_best_answer": np.array([span[0].encode() for span in spans], object),
        "n_best_start": np.array([span[1] for span in spans], np.int32),
        "n_best_end": np.array([span[1] + len(span[0]) for span in spans], np.int32),
        "n_best_logit": np.array([span[2] for span in spans], np.float32),
        "no_answer_score": np.float32(silence - best),
    }


TWO = [row(("a", 0, 1.0), ("ab", 0, -1.0), silence=0.5), row(("c", 7, 2.0), ("cd", 7, 1.5), silence=3.0)]


def test_spans_of_all_texts_are_ranked_by_their_logits():
    where, found = over_texts(TWO, ["x", "y"], n_best=3, threshold=None)
    assert where == 1
    assert [(one["answer"], one["file"]) for one in found["n_best"]] == [("c", "y"), ("cd", "y"), ("a", "x")]
    np.testing.assert_allclose([one["score"] for one in found["n_best"]], softmax([2.0, 1.5, 1.0]), atol=1e-6)
    assert {name: found[name] for name in ("answer", "start", "end", "file")} == {
        "answer": "c", "start": 7, "end": 8, "file": "y",
    }  # fmt: skip
    assert "no_answer_score" not in found


@pytest.mark.parametrize(("threshold", "answer"), [(0.0, "c"), (-1.4, "c"), (-1.6, "")])
def test_no_answer_is_what_the_surest_text_says(threshold, answer):
    # "No answer" has 0.5, the lowest of the texts, and the best span 2: a difference of -1.5.
    where, found = over_texts(TWO, ["x", "y"], n_best=20, threshold=threshold)
    shares = softmax([0.5, 2.0, 1.5, 1.0, -1.0])
    assert found["answer"] == answer
    assert found["no_answer_score"] == pytest.approx(-1.5)
    assert found["score"] == pytest.approx(shares[1 if answer else 0], abs=1e-6)
    assert (where, found["file"]) == ((1, "y") if answer else (None, None))
    np.testing.assert_allclose([one["score"] for one in found["n_best"]], shares[1:], atol=1e-6)


def test_texts_without_a_span_have_no_say():
    where, found = over_texts([row(), TWO[0]], ["empty", "x"], n_best=2, threshold=0.0)
    assert (where, found["answer"], found["no_answer_score"]) == (1, "a", pytest.approx(-0.5))
    where, found = over_texts([row(), row()], ["x", "y"], n_best=2, threshold=None)
    assert (where, found["answer"], found["n_best"]) == (None, "", [])


def test_the_text_of_the_answer_stands_under_the_tasks_names():
    settings: dict[str, Any] = {"columns": ("q", "c"), "n_best": 1, "threshold": None}
    found = as_json("what", {"x": "a b", "y": "were a cd?"}, TWO, **settings)
    assert list(found)[:2] == ["q", "c"]
    assert found["c"][found["start"] : found["end"]] == "c"
    assert as_json("what", {"x": ""}, [row()], **settings)["c"] == ""
