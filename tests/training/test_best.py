"""Which evaluation's weights are kept: among equal scores, and where a score is undefined."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.kinds import Classification
from bert_tf.metrics.undefined import Undefined
from bert_tf.training.checkpoints.state import State
from tests.training.conftest import EXACT, assert_same_weights
from tests.training.test_loop import run, saved

NAN = math.nan


@pytest.mark.parametrize(
    ("scores", "greater", "kept", "since"),
    [
        ([0.0, 0.0, 0.0], True, [True, True, True], [0, 1, 2]),  # entities that are not found yet
        ([0.0, 0.3, 0.3, 0.2, 0.3], True, [True, True, True, False, True], [0, 0, 1, 2, 3]),
        ([5.0, 4.0, 4.0, 6.0], False, [True, True, True, False], [0, 0, 1, 2]),
        ([NAN, NAN, 0.1, NAN, 0.2], True, [True, True, True, False, True], [0, 0, 0, 1, 0]),
        ([0.5, NAN, 0.5], True, [True, False, True], [0, 1, 2]),
        ([NAN, -0.9], True, [True, True], [0, 0]),
    ],
)
def test_which_weights_are_kept(scores, greater, kept, since):
    state, found, waited = State(), [], []
    for step, score in enumerate(scores, start=1):
        found.append(state.record(score, step, greater_is_better=greater))
        waited.append(int(state.evaluations_since_best.numpy()))
        assert int(state.evaluated_step.numpy()) == step
    assert (found, waited) == (kept, since)
    last = max(step for step, is_kept in enumerate(kept, start=1) if is_kept)
    assert int(state.best_step.numpy()) == last
    np.testing.assert_equal(float(state.best_score.numpy()), scores[last - 1])


@pytest.mark.parametrize(
    ("scores", "kept"),
    [
        pytest.param([0.0, 0.0, 0.0], 3, marks=pytest.mark.slow),
        pytest.param([Undefined("all are x"), 0.5, Undefined("all are y")], 2, marks=pytest.mark.slow),
    ],
)
def test_a_run_keeps_them(tiny: Path, tmp_path: Path, monkeypatch, capsys, scores, kept):
    given = iter(scores)
    monkeypatch.setattr(Classification, "measure", lambda *_: {"accuracy": next(given)})
    settings = {**EXACT, "training.evaluate_every_steps": 1, "training.max_steps": 3, "training.keep": "best"}
    settings["evaluation.train_examples"] = 0  # each score is of the validation set
    result = run(tiny, tmp_path / "run", settings)
    known = [None if math.isnan(score) else score for score in scores]
    assert (result["kept_step"], result["metrics"]) == (kept, {"accuracy": known[kept - 1]})

    def strict(name):
        raise AssertionError(f"{name} is not JSON")

    assert json.loads((tmp_path / "run" / "result.json").read_text(), parse_constant=strict) == result
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    parsed = [json.loads(line, parse_constant=strict) for line in lines]
    assert [event["accuracy"] for event in parsed if event["event"] == "evaluation"] == known
    said = capsys.readouterr().err
    assert said.count("accuracy undefined (all are ") == known.count(None)
    points = [
        tf.make_ndarray(value.tensor).item()
        for path in (tmp_path / "run" / "tensorboard" / "validation").glob("events.*")
        for event in tf.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value
        if value.tag == "quality/accuracy"
    ]
    assert points == [score for score in known if score is not None]
    if kept == 3:  # the weights are those of that step
        given = iter(scores)
        run(tiny, tmp_path / "last", {**settings, "training.keep": "last"})
        assert_same_weights(saved(tmp_path / "run"), saved(tmp_path / "last"))
