"""Workers that are about to do different things do not begin."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from bert_tf.config import Layer, resolve
from bert_tf.errors import UserError
from bert_tf.training.workers.agreement import (
    agree_on_examples,
    agree_on_settings,
    agree_on_weights,
    score_of_first,
)

SETTINGS = resolve([Layer(origin="test", values={"task": "sst2", "data": {"source": "a"}})]).model_dump(mode="json")
EXAMPLES = {"train": {"examples": 45, "digest": "0a" * 32}, "validation": {"examples": 17, "digest": "0b" * 32}}


class Weight:
    """As much of a variable as is asked for."""

    def __init__(self, *values: float) -> None:
        self.values = np.array(values, np.float32)

    def numpy(self) -> np.ndarray:
        return self.values


def changed(settings: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    found = copy.deepcopy(settings)
    *sections, name = key.split(".")
    place = found
    for section in sections:
        place = place[section]
    assert name in place
    place[name] = value
    return found


def errors(connected, *works) -> list[str | None]:
    """What each of two workers says, or None."""

    def tried(pair) -> str | None:
        peers, work = pair
        try:
            work(peers)
        except UserError as error:
            return str(error).removesuffix(". Start all of them with the same command, data and run folder")
        return None

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(tried, zip(connected(2), works, strict=True)))


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        (
            "training.learning_rate",
            0.25,
            "training.learning_rate: 5e-05 on worker 0 (host:0), 0.25 on worker 1 (host:1)",
        ),
        ("seed", 7, "seed: 1 on worker 0 (host:0), 7 on worker 1 (host:1)"),
        ("task", "/own/cola.py", "task: sst2 on worker 0 (host:0), cola on worker 1 (host:1)"),
        ("task", "/own/sst2.py", None),
        ("data.source", "/elsewhere/a", None),
        ("training.threads_per_operation", 3, None),
    ],
)
def test_settings(connected, key, value, said):
    found = errors(
        connected,
        lambda peers: agree_on_settings(peers, SETTINGS, ours="1"),
        lambda peers: agree_on_settings(peers, changed(SETTINGS, key, value), ours="1"),
    )
    assert found == [said and f"workers differ in {said}"] * 2


def test_versions(connected):
    found = errors(
        connected, *(lambda peers, ours=ours: agree_on_settings(peers, SETTINGS, ours=ours) for ours in "12")
    )
    said = "workers differ in the version of bert_tf: 1 on worker 0 (host:0), 2 on worker 1 (host:1)"
    assert found == [said, said]


@pytest.mark.parametrize(
    ("key", "value", "updates", "said"),
    [
        ("train.examples", 44, 9, "the split train: 45 examples (digest 0a0a0a0a) on worker 0 (host:0), 44 examples"),
        ("validation.digest", "0c" * 32, 9, "the split validation: 17 examples (digest 0b0b0b0b) on worker 0 (host:0), "
         "17 examples (digest 0c0c0c0c) on worker 1 (host:1)"),
        ("train.examples", 45, 8, "the number of updates: 9 on worker 0 (host:0), 8 on worker 1 (host:1)"),
        ("train.examples", 45, 9, None),
    ],
)  # fmt: skip
def test_examples_and_how_they_are_batched(connected, key, value, updates, said):
    found = errors(
        connected,
        lambda peers: agree_on_examples(peers, EXAMPLES, updates=9),
        lambda peers: agree_on_examples(peers, changed(EXAMPLES, key, value), updates=updates),
    )
    assert found[0] == found[1]
    assert (found[0] or "").startswith(f"workers differ in {said}") if said else found[0] is None


@pytest.mark.parametrize(
    ("updates", "weights", "said"),
    [
        (20, [Weight(1, 2), Weight(3)], "the updates taken already: 0 on worker 0 (host:0), 20 on worker 1 (host:1)"),
        (0, [Weight(1, 2), Weight(3.0001)], "the weights: digest "),
        (0, [Weight(1, 2), Weight(3)], None),
    ],
)
def test_what_the_run_has_done(connected, updates, weights, said):
    found = errors(
        connected,
        lambda peers: agree_on_weights(peers, 0, [Weight(1, 2), Weight(3)]),
        lambda peers: agree_on_weights(peers, updates, weights),
    )
    assert found[0] == found[1]
    assert (found[0] or "").startswith(f"workers differ in {said}") if said else found[0] is None


def test_all_decide_by_the_score_of_the_first(connected):
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(score_of_first, connected(2), (0.1 + 0.2, 0.3)))
    assert found == [0.1 + 0.2] * 2


def test_one_alone_agrees_with_itself():
    assert score_of_first(None, 0.5) == 0.5
    agree_on_settings(None, SETTINGS, ours="1")
    agree_on_examples(None, EXAMPLES, updates=1)
    agree_on_weights(None, 0, [])
