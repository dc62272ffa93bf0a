"""A linear layer solved for by scikit-learn, and how strongly it is held back, by what is held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

STRENGTHS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
ABSENT = 20.0
MOST_STEPS = 1000


@dataclass(frozen=True)
class Fit:
    """What is fitted to vectors x [E, D].

    Args:
        problem: "single_label", "multi_label" or "regression", as of a `BertClassifier`.
        outputs: number C of classes, labels or numbers.
        class_weights: weight of each class or, of "multi_label", of each label where it holds.

    >>> x = np.array([[-1.0], [1.0]])
    >>> weights, offsets = Fit("single_label", 2, None).solved(x, np.array([0, 1]), 1.0)
    >>> (x @ weights + offsets).argmax(axis=1).tolist()
    [0, 1]
    """

    problem: str
    outputs: int
    class_weights: Sequence[float] | None

    def solved(self, x: np.ndarray, labels: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
        """Weights [D, C] and offsets [C] of the outputs."""
        if self.problem == "regression":
            from sklearn.linear_model import Ridge

            ridge = Ridge(alpha=1.0 / strength).fit(x, labels)
            return ridge.coef_.reshape(self.outputs, -1).T, np.reshape(ridge.intercept_, self.outputs)
        if self.problem == "multi_label":
            weights = self.class_weights or [1.0] * self.outputs
            parts = [self._of_two(x, labels[:, i], strength, {0: 1.0, 1: weight}) for i, weight in enumerate(weights)]
            return np.stack([part[0] for part in parts], axis=1), np.array([part[1] for part in parts])
        return self._of_classes(x, labels, strength)

    def loss(self, weights: np.ndarray, offsets: np.ndarray, x: np.ndarray, labels: np.ndarray) -> float:
        """The mean over examples of what the model is trained on: cross-entropy, or squared error."""
        logits = x @ weights + offsets  # [E, C]
        if self.problem == "regression":
            return float(np.square(logits - labels).mean())
        if self.problem == "multi_label":
            return float(np.mean(np.logaddexp(0.0, logits) - labels * logits))
        from scipy.special import log_softmax

        return -float(log_softmax(logits, axis=1)[np.arange(len(labels)), labels].mean())

    def _of_classes(self, x: np.ndarray, labels: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
        present = np.unique(labels)
        weights = np.zeros((x.shape[1], self.outputs))
        offsets = np.full(self.outputs, -ABSENT)  # a class of no example is never answered
        if len(present) == 2:
            weight = None if self.class_weights is None else {k: self.class_weights[c] for k, c in enumerate(present)}
            column, offset = self._of_two(x, (labels == present[1]).astype(int), strength, weight)
            weights[:, present] = np.stack([-column / 2, column / 2], axis=1)
            offsets[present] = -offset / 2, offset / 2
        elif len(present) == 1:
            offsets[present] = 0.0
        else:
            from sklearn.linear_model import LogisticRegression

            weight = None if self.class_weights is None else {c: self.class_weights[c] for c in present}
            model = LogisticRegression(C=strength, max_iter=MOST_STEPS, class_weight=weight).fit(x, labels)
            weights[:, present], offsets[present] = model.coef_.T, model.intercept_
        return weights, offsets

    def _of_two(
        self, x: np.ndarray, holds: np.ndarray, strength: float, weight: Mapping[int, float] | None
    ) -> tuple[np.ndarray, float]:
        """Weights [D] and the offset of whether something holds, 0 or 1 [E]."""
        from sklearn.linear_model import LogisticRegression

        if holds.min() == holds.max():
            return np.zeros(x.shape[1]), ABSENT if holds.min() else -ABSENT
        model = LogisticRegression(C=strength, max_iter=MOST_STEPS, class_weight=weight).fit(x, holds)
        return model.coef_[0], float(model.intercept_[0])


@dataclass(frozen=True)
class Solved:
    """Weights [D, C] and offsets [C], the strength that they were solved with, and its loss on what was held out; None
    where nothing was."""

    weights: np.ndarray
    offsets: np.ndarray
    strength: float
    held_out: float | None


def solve(fit: Fit, x: np.ndarray, labels: np.ndarray, parts: Sequence[np.ndarray], *, usual: float) -> Solved:
    """The layer with the strength that has the least loss on examples held out.

    Args:
        x, labels: of all examples.
        parts: masks [E], True at what is held out.
        usual: the strength where there are none.
    """
    # Matrices are small: several threads wait for each other, on a busy machine for fifty times as long as they work.
    with threadpool_limits(limits=1, user_api="blas"):
        strength, held_out = _chosen(fit, x, labels, parts) if parts else (usual, None)
        return Solved(*fit.solved(x, labels, strength), strength, held_out)


def _chosen(fit: Fit, x: np.ndarray, labels: np.ndarray, parts: Sequence[np.ndarray]) -> tuple[float, float]:
    """The strength, and its loss on what is held out."""
    losses = {
        strength: float(np.mean([
            fit.loss(*fit.solved(x[~out], labels[~out], strength), x[out], labels[out]) for out in parts
        ]))
        for strength in STRENGTHS
    }  # fmt: skip
    best = min(losses, key=losses.__getitem__)
    return best, losses[best]
