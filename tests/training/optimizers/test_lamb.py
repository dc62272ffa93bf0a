"""LAMB against the paper's algorithm in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.training.optimizers.lamb import Lamb
from bert_tf.training.optimizers.schedule import Schedule

SHAPES = {"block_0/x/kernel": (3, 4), "block_0/x/bias": (4,), "norm/gamma": (4,), "zero/kernel": (2, 2)}
SETTINGS: dict[str, Any] = {"weight_decay": 0.1, "beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-6}


def reference(weights, gradients, *, rate, steps):
    """You et al., 2020, algorithm 2, with the exclusions of the authors' code."""
    moments = {path: (np.zeros_like(w), np.zeros_like(w)) for path, w in weights.items()}
    weights = dict(weights)
    for t in range(1, steps + 1):
        for path, w in weights.items():
            g = gradients[t - 1][path]
            m = 0.9 * moments[path][0] + 0.1 * g
            v = 0.99 * moments[path][1] + 0.01 * g**2
            moments[path] = m, v
            r = (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.99**t)) + 1e-6)
            ratio = 1.0
            if path.endswith("kernel"):
                r = r + 0.1 * w
                norms = np.linalg.norm(w), np.linalg.norm(r)
                ratio = norms[0] / norms[1] if min(norms) > 0 else 1.0
            weights[path] = w - rate * ratio * r
    return weights


def made(*, seed: int = 0, **settings):
    rng = np.random.default_rng(seed)
    start = {path: rng.normal(size=shape) * 0.3 for path, shape in SHAPES.items()}
    start["zero/kernel"][:] = 0.0
    variables = {path: tf.Variable(value.astype(np.float32)) for path, value in start.items()}
    return start, variables, Lamb(variables, Schedule(peak=0.05, total_steps=9, shape="constant"), **settings)


def test_updates_are_the_papers():
    start, variables, optimizer = made(**SETTINGS)
    rng = np.random.default_rng(1)
    gradients = [{path: rng.normal(size=shape) for path, shape in SHAPES.items()} for _ in range(6)]
    for step in gradients:
        optimizer.apply(
            [tf.constant(step[path], tf.float32) for path in SHAPES], scale=tf.constant(1.0), finite=tf.constant(True)
        )
    wanted = reference(start, gradients, rate=0.05, steps=6)
    for path, variable in variables.items():
        np.testing.assert_allclose(variable, wanted[path], rtol=2e-5, atol=1e-6, err_msg=path)
    assert int(optimizer.step) == 6


def test_the_length_of_a_step_follows_the_weight_and_not_the_gradient():
    lengths = []
    for size in (1.0, 1e4):
        start, variables, optimizer = made(**{**SETTINGS, "weight_decay": 0.0})
        gradient = [tf.fill(shape, size) for shape in SHAPES.values()]
        optimizer.apply(gradient, scale=tf.constant(1.0), finite=tf.constant(True))
        path = "block_0/x/kernel"
        lengths.append(np.linalg.norm(variables[path] - start[path]) / np.linalg.norm(start[path]))
    assert lengths == pytest.approx([0.05, 0.05], rel=1e-4)


def test_an_update_that_is_not_finite_changes_nothing():
    start, variables, optimizer = made(**SETTINGS)
    gradient = [tf.fill(shape, np.inf) for shape in SHAPES.values()]
    optimizer.apply(gradient, scale=tf.constant(0.5), finite=tf.constant(False))
    assert int(optimizer.step) == 0
    for path, variable in variables.items():
        np.testing.assert_array_equal(variable, start[path].astype(np.float32))
    for moment in (*optimizer.first, *optimizer.second):
        assert not np.any(moment)
