"""What a run began with: its examples by number and digest, so that others are refused when it resumes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from bert_tf.data import Features
from bert_tf.errors import UserError
from bert_tf.training.optimizers.schedule import Schedule
from bert_tf.training.reports.history import History, check_same_examples, described

FEATURES = Features(
    token_ids=np.array([2, 5, 3, 2, 6, 7, 3], np.int32),
    segment_ids=np.zeros(7, np.int8),
    splits=np.array([0, 3, 7]),
    labels=np.array([0, 1], np.int32),
    token_fields={"tags": np.arange(7)},
)
BEGAN = History(
    examples={"train": described(FEATURES)}, planned_steps=9, schedules=((0, Schedule(peak=0.1, total_steps=9)),)
)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labels": np.array([1, 0], np.int32)}, "2 examples there, 2 here, with other labels"),  # all of them swapped
        ({"token_fields": {"tags": np.arange(7)[::-1]}}, "2 here, with other labels"),
        ({"weights": np.ones(2, np.float32)}, "2 here, with other labels"),
        ({"token_ids": np.array([2, 5, 3, 2, 6, 6, 3], np.int32)}, "2 examples there, 2 here, others"),
        ({"splits": np.array([0, 4, 7])}, "2 examples there, 2 here, others"),
        ({"splits": np.array([0, 3, 5, 7]), "labels": np.zeros(3, np.int32)}, "2 examples there, 3 here. Give"),
    ],
)
def test_other_examples_are_refused_and_how_they_differ_is_said(change, said):
    check_same_examples(BEGAN, {"train": described(dataclasses.replace(FEATURES))}, "data")
    changed = {"train": described(dataclasses.replace(FEATURES, **change))}
    with pytest.raises(UserError, match=f"^data: the split train is not what this run began with: .*{said}"):
        check_same_examples(BEGAN, changed, "data")
    with pytest.raises(UserError, match=r"the split validation .* 0 examples there"):
        check_same_examples(BEGAN, {"validation": described(FEATURES)}, "data")


def test_what_an_earlier_version_noted_is_compared_too():
    old = {"train": {name: BEGAN.examples["train"][name] for name in ("examples", "digest")}}
    began = dataclasses.replace(BEGAN, examples=old)
    check_same_examples(began, {"train": described(FEATURES)}, "data")
    with pytest.raises(UserError, match="2 here, others"):
        check_same_examples(began, {"train": described(dataclasses.replace(FEATURES, labels=None))}, "data")


def test_it_is_read_back_and_damage_is_one_line(tmp_path: Path):
    assert History.read(tmp_path) is None
    BEGAN.write(tmp_path)
    assert History.read(tmp_path) == BEGAN == History.from_json(json.loads(json.dumps(BEGAN.as_json())))
    for text in ("", "{", "[]", "null", '{"examples": {}}', '{"schedules": [[0, {"peak": 1}]]}', "\0"):
        (tmp_path / "began.json").write_text(text)
        with pytest.raises(
            UserError, match=r"began.json: expected what the run began with, as it was written\. Received"
        ):
            History.read(tmp_path)
