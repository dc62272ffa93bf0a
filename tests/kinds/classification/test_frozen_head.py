"""Heads that are solved for: against scikit-learn's own pipeline, and as the model will compute them."""

from __future__ import annotations

import numpy as np
import pytest

from bert_tf.kinds.classification.frozen_head import USUAL, FrozenHead, solve
from bert_tf.kinds.solved.linear import STRENGTHS
from tests.rest_slow import rest_slow

RNG = np.random.default_rng(3)
X = (RNG.normal(size=(240, 12)) * RNG.uniform(0.1, 3.0, size=12) + RNG.normal(size=12)).astype(np.float32)
DIRECTIONS = RNG.normal(size=(12, 3))
TRUTH = (X - X.mean(axis=0)) / X.std(axis=0) @ DIRECTIONS  # [E, 3]
ACTIVATIONS = {"tanh": np.tanh, "relu": lambda x: np.maximum(x, 0.0)}


def logits(head: FrozenHead, x: np.ndarray, activation: str) -> np.ndarray:
    """As a classifier computes them, in float32."""
    x = ACTIVATIONS[activation](x @ head.pooler_kernel + head.pooler_bias)
    return x @ head.kernel + head.bias


def test_relu_gives_exactly_what_scikit_learn_gives_of_standardised_vectors():
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    labels = TRUTH.argmax(axis=1)
    head = solve(X, labels, problem="single_label", outputs=3, activation="relu")
    assert head.strength in STRENGTHS
    standard = StandardScaler().fit(X)
    model = LogisticRegression(C=head.strength, max_iter=1000, tol=1e-6).fit(standard.transform(X), labels)
    theirs = model.decision_function(standard.transform(X))
    ours = logits(head, X, "relu")
    centered = [z - z.mean(axis=1, keepdims=True) for z in (ours, theirs)]
    np.testing.assert_allclose(*centered, atol=0.02 * np.abs(theirs).max())


@pytest.mark.parametrize("activation", rest_slow(["tanh", "relu"], "tanh"))
def test_classes_labels_and_numbers_are_learnt(activation: str):
    classes, labels = TRUTH.argmax(axis=1), (TRUTH > 0).astype(np.int32)
    head = solve(X, classes, problem="single_label", outputs=3, activation=activation)
    assert (logits(head, X, activation).argmax(axis=1) == classes).mean() > 0.95
    head = solve(X, labels, problem="multi_label", outputs=3, activation=activation)
    assert ((logits(head, X, activation) > 0) == labels).mean() > 0.95
    head = solve(X, TRUTH, problem="regression", outputs=3, activation=activation)
    assert np.abs(logits(head, X, activation) - TRUTH).mean() < 0.05 * np.abs(TRUTH).mean()
    assert head.held_out is not None


def test_two_classes_have_opposite_outputs():
    labels = (TRUTH[:, 0] > 0).astype(np.int32)
    head = solve(X, labels, problem="single_label", outputs=2, activation="tanh")
    np.testing.assert_allclose(head.kernel[:, 0], -head.kernel[:, 1])
    assert (logits(head, X, "tanh").argmax(axis=1) == labels).mean() > 0.95


def test_a_class_without_an_example_is_never_answered_and_one_class_alone_always():
    labels = np.where(TRUTH[:, 0] > 0, 3, 1)
    head = solve(X, labels, problem="single_label", outputs=5, activation="tanh")
    assert set(logits(head, X, "tanh").argmax(axis=1)) == {1, 3}
    head = solve(X[:9], np.full(9, 2), problem="single_label", outputs=5, activation="tanh")
    assert set(logits(head, X, "tanh").argmax(axis=1)) == {2}


def test_a_number_that_does_not_vary_has_no_weight():
    x = np.concatenate([X, np.full((len(X), 1), 7.0, np.float32)], axis=1)
    head = solve(x, TRUTH.argmax(axis=1), problem="single_label", outputs=3, activation="tanh")
    assert not head.pooler_kernel[-1].any()
    assert np.abs(head.pooler_kernel).max() < 10


def test_one_example_a_class_leaves_nothing_to_hold_out():
    head = solve(X[:3], np.arange(3), problem="single_label", outputs=3, activation="tanh")
    assert (head.strength, head.held_out) == (USUAL, None)


def test_weights_of_classes_move_the_border():
    labels = (TRUTH[:, 0] + RNG.normal(size=len(X)) * 3 > 0).astype(np.int32)
    shares = [
        logits(
            solve(X, labels, problem="single_label", outputs=2, activation="tanh", class_weights=weights), X, "tanh"
        ).argmax(axis=1).mean()
        for weights in (None, (1.0, 9.0))
    ]  # fmt: skip
    assert shares[1] > shares[0] + 0.1


def test_the_same_seed_holds_out_the_same():
    labels = TRUTH.argmax(axis=1)
    heads = [solve(X, labels, problem="single_label", outputs=3, activation="tanh", seed=5) for _ in range(2)]
    np.testing.assert_array_equal(heads[0].kernel, heads[1].kernel)
