"""A classifier's head, solved for on vectors of a backbone that stays as it is.

The vectors are the backbone's first tokens, which `bert_tf.models.mean_block` has made the mean over tokens. The head
is that of `BertForSequenceClassification`, a dense layer with an activation and another without, so that what is solved
for is saved, served and read by Transformers as any classifier: the first layer standardises each of the vector's
numbers, well within the nearly straight part of its activation, and the second is a logistic regression (or ridge
regression) on the output of the first. So nothing is approximated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bert_tf.errors import UserError

if TYPE_CHECKING:
    from bert_tf.config import RunConfig
    from bert_tf.data.batching.features import Features
    from bert_tf.kinds.examples import Examples

STRENGTHS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
USUAL = 0.03  # where there are too few examples to choose
FOLDS = 5
FEW = 2000  # examples; of more, a fifth is held out once, as folds would take minutes
SCALE = 0.1  # the standard deviation of what enters a tanh
STRAIGHT = {"relu": 0.0, "gelu": 5.0}  # from where on an activation gives what it takes
ABSENT = 20.0
SAME = 1e-3
MOST_STEPS = 1000


@dataclass(frozen=True, kw_only=True)
class FrozenHead:
    """Both layers. The first has a diagonal kernel.

    Args:
        pooler_kernel, pooler_bias: of the layer with the activation, float32 [D, D] and [D].
        kernel, bias: of the layer to the outputs, float32 [D, C] and [C].
        strength: C of scikit-learn, the inverse of the penalty's weight, that was chosen.
        held_out: the mean score of the choice on examples that were held out; None: there were too few.
    """

    pooler_kernel: np.ndarray
    pooler_bias: np.ndarray
    kernel: np.ndarray
    bias: np.ndarray
    strength: float
    held_out: float | None


def solve(
    vectors: np.ndarray,
    labels: np.ndarray,
    *,
    problem: str,
    outputs: int,
    activation: str,
    class_weights: Sequence[float] | None = None,
    seed: int = 1,
) -> FrozenHead:
    """The head that fits.

    Args:
        vectors: float32 [E, D].
        labels: int [E] for "single_label", 0 or 1 [E, C] for "multi_label", float [E, C] for "regression".
        problem: of these.
        outputs: number C of classes, labels or numbers.
        activation: of the first layer, "tanh", "relu" or "gelu".
        class_weights: weight of each class or, of "multi_label", of each label where it holds.
        seed: of the examples that are held out.
    """
    center, deviation = vectors.mean(axis=0), vectors.std(axis=0)
    varies = deviation > SAME * deviation.max()  # some backbones have numbers that hardly do: a norm's factor of 0
    standard = np.where(varies, 1.0 / np.where(varies, deviation, 1.0), 0.0)
    lowest = ((vectors.min(axis=0) - center) * standard).min()
    scale, lift = (SCALE, 0.0) if activation == "tanh" else (1.0, float(np.ceil(STRAIGHT[activation] - 2.0 * lowest)))
    kernel = np.diag(scale * standard).astype(np.float32)
    bias = (lift - scale * center * standard).astype(np.float32)
    x = vectors @ kernel + bias
    x = np.tanh(x) / SCALE if activation == "tanh" else np.maximum(x, 0.0) - lift
    fit = Fit(problem, outputs, class_weights)
    strength, held_out = _chosen(fit, x, labels, seed=seed)
    weights, offsets = fit.solved(x, labels, strength)  # [D, C], [C]
    if activation == "tanh":
        weights = weights / SCALE
    else:
        offsets = offsets - lift * weights.sum(axis=0)
    return FrozenHead(
        pooler_kernel=kernel,
        pooler_bias=bias,
        kernel=weights.astype(np.float32),
        bias=offsets.astype(np.float32),
        strength=strength,
        held_out=held_out,
    )


def solved(
    kind: Any, model: Any, features: Features, examples: Examples, config: RunConfig
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """What `Kind.solved_head` gives for a `Pooled` kind.

    Raises: UserError for label smoothing, which the solvers do not have.
    """
    from bert_tf.kinds.outputs import Outputs
    from bert_tf.models.pretrained.paths import weights_by_path

    if config.training.label_smoothing:
        raise UserError(
            f"'training.label_smoothing' is for fine-tuning. Received: {config.training.label_smoothing} with "
            "training.mode=frozen"
        )
    vectors = Outputs(
        lambda inputs, training: model.backbone(inputs, training=training)["sequence_output"][:, 0],
        features,
        batch_examples=config.evaluation.batch_examples,
    )()
    assert features.labels is not None  # of each window, where long texts are read so
    pooler = model.backbone.pooler if model.pooler is None else model.pooler
    head = solve(
        np.stack(vectors),
        features.labels,
        problem=kind.problem,
        outputs=len(kind.output_names),
        activation=pooler.activation,
        class_weights=kind.class_weights(config.training.class_weights, examples),
        seed=config.seed,
    )
    (first,) = (path.removesuffix("kernel") for path in weights_by_path(model) if path.endswith("pooler/dense/kernel"))
    weights = {
        f"{first}kernel": head.pooler_kernel,
        f"{first}bias": head.pooler_bias,
        "classifier/kernel": head.kernel,
        "classifier/bias": head.bias,
    }
    return weights, {"strength": head.strength, "held_out_loss": head.held_out}


@dataclass(frozen=True)
class Fit:
    """What is fitted to x [E, D]: see `solve`."""

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


def _chosen(fit: Fit, x: np.ndarray, labels: np.ndarray, *, seed: int) -> tuple[float, float | None]:
    """The strength with the least loss on examples held out, and that loss."""
    parts = _held_out(labels, fit.problem, seed)
    if not parts:
        return USUAL, None
    losses = {
        strength: float(np.mean([
            fit.loss(*fit.solved(x[~out], labels[~out], strength), x[out], labels[out]) for out in parts
        ]))
        for strength in STRENGTHS
    }  # fmt: skip
    best = min(losses, key=losses.__getitem__)
    return best, losses[best]


def _held_out(labels: np.ndarray, problem: str, seed: int) -> list[np.ndarray]:
    """Masks [E], True at what is held out: folds, or one fifth of many examples; none where each class is too rare."""
    size = len(labels)
    order = np.random.Philox(np.random.SeedSequence([seed, size])).random_raw(size).argsort(kind="stable")
    if problem == "single_label":  # as many of each class in each fold as can be
        order = order[np.argsort(labels[order], kind="stable")]
        if size < 2 * len(np.unique(labels)):
            return []
    if size < FOLDS:
        return []
    fold = np.empty(size, np.int64)
    fold[order] = np.arange(size) % FOLDS
    return [fold == k for k in range(FOLDS if size < FEW else 1)]
