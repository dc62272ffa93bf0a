"""A classifier's head, solved for on vectors of a backbone that stays as it is.

The vectors are the backbone's first tokens, which `bert_tf.models.mean_block` has made the mean over tokens. The head
is that of `BertForSequenceClassification`, a dense layer with an activation and another without, so that what is solved
for is saved, served and read by Transformers as any classifier: the first layer standardises each of the vector's
numbers, well within the nearly straight part of its activation, and the second is a logistic regression (or ridge
regression) on the output of the first. So nothing is approximated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bert_tf.errors import UserError
from bert_tf.kinds.solved import linear

if TYPE_CHECKING:
    from bert_tf.config import RunConfig
    from bert_tf.data.batching.features import Features
    from bert_tf.kinds.examples import Examples
    from bert_tf.models.backbones.config import BertConfig

USUAL = 0.03  # where there are too few examples to choose
FOLDS = 5
FEW = 2000  # examples; of more, a fifth is held out once, as folds would take minutes
SCALE = 0.1  # the standard deviation of what enters a tanh
STRAIGHT = {"relu": 0.0, "gelu": 5.0}  # from where on an activation gives what it takes
SAME = 1e-3


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


def why_no_head(config: BertConfig) -> str | None:
    """What a head that is solved for needs and a backbone of this shape lacks; None: it can have one."""
    member = config.member.name
    if config.norm_first or config.norm_kind != "layer_norm":
        return f"blocks that end with a norm, which those of a {member} do not"
    if config.bottleneck_dim:
        return f"one more block that hands vectors on as they are, which a {member} brings to another width"
    if config.layer_groups:
        return f"one more block with weights of its own, for which a {member}, whose layers share theirs, has no place"
    return None


def can_solve(config: RunConfig) -> bool:
    """Whether a run's backbone can have such a head, is trained, and has no head of its own. Loads no TensorFlow."""
    from bert_tf import weights
    from bert_tf.models.backbones.config import BertConfig
    from bert_tf.models.backbones.sizes import is_size

    if is_size(config.backbone):
        return False
    found = weights.load(config.backbone, ignore=config.model.ignore)
    try:
        shape = BertConfig.from_dict(found.config)
    except ValueError:  # what is wrong with it is said where the model is built
        return False
    return not any(path.startswith("classifier/") for path in found.arrays) and why_no_head(shape) is None


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
    fit = linear.Fit(problem, outputs, class_weights)
    layer = linear.solve(fit, x, labels, _held_out(labels, problem, seed), usual=USUAL)
    weights, offsets = layer.weights, layer.offsets  # [D, C], [C]
    if activation == "tanh":
        weights = weights / SCALE
    else:
        offsets = offsets - lift * weights.sum(axis=0)
    return FrozenHead(
        pooler_kernel=kernel,
        pooler_bias=bias,
        kernel=weights.astype(np.float32),
        bias=offsets.astype(np.float32),
        strength=layer.strength,
        held_out=layer.held_out,
    )


def solved(
    kind: Any, model: Any, features: Features, examples: Examples, config: RunConfig
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """What `Kind.solved_head` gives for a `Pooled` kind.

    Raises: UserError for label smoothing where nothing is trained, as the solvers do not have it.
    """
    from bert_tf.kinds.outputs import Outputs
    from bert_tf.models.pretrained.paths import weights_by_path

    if config.training.label_smoothing and config.training.mode == "frozen":
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
