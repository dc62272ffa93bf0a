"""BERT with a class, several labels, or a number for each text."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from bert_tf.layers.dense import dense
from bert_tf.layers.dropout import check_positive, check_rate, dropout, site_seed
from bert_tf.layers.functions.gelu import gelu
from bert_tf.layers.functions.masks import take_positions
from bert_tf.models.backbones.bert import BertBackbone
from bert_tf.models.backbones.config import BertConfig
from bert_tf.models.fitting.compiled import Accuracy
from bert_tf.models.losses.classification import cross_entropy, multi_label_cross_entropy, squared_error
from bert_tf.models.losses.means import weighted_mean
from bert_tf.models.on_backbone import OnBackbone, names_of_classes

LOSSES = {"single_label": cross_entropy, "multi_label": multi_label_cross_entropy, "regression": squared_error}
PROBLEMS = tuple(LOSSES)
SCORES = {
    "linear": lambda x: x, "softmax": ops.softmax, "sigmoid": ops.sigmoid, "tanh": ops.tanh, "relu": ops.relu,
    "gelu": gelu, "silu": ops.silu,
}  # fmt: skip

KERNEL, BIAS = "classifier/kernel", "classifier/bias"


@keras.saving.register_keras_serializable(package="bert_tf")
class BertClassifier(OnBackbone):
    """A backbone, dropout, and a dense layer over the pooled output.

    Args:
        backbone: a `BertBackbone`, or a `BertConfig` to make one of.
        num_classes: number C of classes, labels or values.
        dropout: share of the pooled output dropped in training, in [0, 1); None: the backbone's hidden dropout.
        labels: C names; None: "LABEL_0", "LABEL_1", ...
        problem: "single_label", "multi_label" or "regression"; None: "regression" if C is 1, else "single_label".
        reject_below: probability, in [0, 1), below which no single label is answered; 0: one always is. The logits stay
            the same.
        output_activation: what the call applies to the logits, one of "linear", "softmax", "sigmoid", as a classifier
            of KerasHub may have it. Tasks work with logits, and load models with "linear".
        score_activation: what `scores` applies to logits, for a model that scores pairs of texts: one of
            "linear", "softmax", "sigmoid", "tanh", "relu", "gelu", "silu"; None: nothing.
        name: the model's name.
        dtype: a dtype policy for a backbone made here and for this model; None: the backbone's.
    Call arguments: those of `BertBackbone`.
    Returns: logits, float32 [B, C], or [B, M, C] of packed rows.
    Raises: ValueError for a bad argument.
    Reference: Devlin et al., 2019, section 4.1, https://arxiv.org/abs/1810.04805

    >>> import numpy as np
    >>> config = BertConfig(vocabulary_size=9, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8)
    >>> model = BertClassifier(config, 3, labels=("bad", "fair", "good"))
    >>> outputs = model.compute({"token_ids": np.array([[2, 5, 6, 3], [2, 7, 8, 3]])}, labels=[0, 2])
    >>> outputs["logits"].shape, bool(outputs["loss"] > 0)
    (TensorShape([2, 3]), True)
    """

    own_arguments = (
        "num_classes", "dropout", "labels", "problem", "reject_below", "output_activation", "score_activation",
    )  # fmt: skip

    only_pooled = True  # the last block works on first tokens alone
    center = deviation = None  # see `answer_in`

    def __init__(
        self,
        backbone: BertBackbone | BertConfig,
        num_classes: int,
        *,
        dropout: float | None = None,
        labels: tuple[str, ...] | None = None,
        problem: str | None = None,
        reject_below: float = 0.0,
        output_activation: str = "linear",
        score_activation: str | None = None,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
    ):
        self.take(backbone, dtype=dtype, pools=True)
        self.num_classes = check_positive("num_classes", num_classes)
        problem = problem or ("regression" if num_classes == 1 else "single_label")
        if problem not in PROBLEMS:
            raise ValueError(f"`problem` must be one of {', '.join(PROBLEMS)}. Received: problem={problem!r}")
        self.problem = problem
        self.labels = names_of_classes(num_classes, labels)
        self.reject_below = check_rate("reject_below", reject_below)
        for argument, value, choices in (
            ("output_activation", output_activation, ("linear", "softmax", "sigmoid")),
            ("score_activation", score_activation or "linear", tuple(SCORES)),
        ):
            if value not in choices:
                raise ValueError(f"`{argument}` must be one of {', '.join(choices)}. Received: {argument}={value!r}")
        self.output_activation, self.score_activation = output_activation, score_activation
        self.dropout = check_rate("dropout", self.config.hidden_dropout if dropout is None else dropout)

        # layers
        self.seed_generator = keras.random.SeedGenerator() if self.dropout else None
        self.classifier = dense(num_classes, self.config.initializer_range, name="classifier", dtype="float32")
        self.classifier.build((None, self.config.hidden_dim))
        super().__init__(name=name, dtype=dtype, trainable=trainable)

    @property
    def saved_settings(self) -> dict[str, Any]:
        usual = {"reject_below": 0.0, "output_activation": "linear", "score_activation": None}
        return {name: getattr(self, name) for name, value in usual.items() if getattr(self, name) != value}

    def call(self, inputs, training=None, seed=None):
        return SCORES[self.output_activation](self.logits(inputs, training=training, seed=seed))

    def logits(self, inputs, training=None, seed=None, embedded=None):
        """What the head's dense layer gives, float32 [B, C] or [B, M, C]. Args: as in the call, and the backbone's
        `embedded`."""
        if training and seed is None and self.seed_generator is not None:
            seed = self.seed_generator.next()
        options = {} if embedded is None else {"embedded": embedded}
        x = self.pooled_of(inputs, training=training, seed=seed, **options)  # [B, (M), D]
        x = ops.cast(x, "float32")
        if training:
            x = dropout(x, self.dropout, site_seed(seed, self.backbone.num_seeds))
        x = self.classifier(x)  # [B, (M), C]
        return x if self.deviation is None else self.center + self.deviation * x

    def answer_in(self, center: Any, deviation: Any) -> None:
        """Has the model give `center + deviation * x` for what the head's dense layer gives, x.

        So the layer learns numbers of any size as it learns those around 0. What is saved has both within the layer's
        weights, and is a model like any other.

        Args:
            center, deviation: float32 [C].
        """
        self.center, self.deviation = np.asarray(center, np.float32), np.asarray(deviation, np.float32)

    def as_saved(self, arrays):
        if self.deviation is None:
            return arrays
        kernel, bias = arrays[KERNEL] * self.deviation, self.center + self.deviation * arrays[BIAS]
        return {**arrays, KERNEL: kernel, BIAS: bias}

    def as_trained(self, arrays):
        if self.deviation is None:
            return arrays
        kernel, bias = arrays[KERNEL] / self.deviation, (arrays[BIAS] - self.center) / self.deviation
        return {**arrays, KERNEL: kernel, BIAS: bias}

    def scores(self, logits):
        """What an answer that is a number, or several, is: `score_activation` of logits [..., C]."""
        return SCORES[self.score_activation or "linear"](logits)

    def compute(self, inputs, labels=None, example_weight=None, training=None, seed=None) -> dict[str, Any]:
        """Logits, and the mean loss where labels are given.

        Args:
            inputs: as in the call.
            labels: "single_label": int [B], in [0, C), or -100 to leave an example out; "multi_label": 0 or 1 [B, C];
                "regression": float [B, C], or [B] where C is 1. Packed rows have [B, M] for [B].
            example_weight: float [B], or [B, M]; None: 1 for every example, 0 for the empty slots of packed rows.
            training: whether dropout is active.
            seed: as in the call.
        Returns: dict of "logits" float32 [B, C] or [B, M, C] and, with labels, "loss", a float32 scalar: the weighted
            mean over examples of cross-entropy, binary cross-entropy with logits (mean over labels) or squared error
            (mean over values), as Hugging Face's BertForSequenceClassification.
        Raises: ValueError if the shape of `labels` or `example_weight` does not fit.
        """
        give = self if self.output_activation == "linear" else self.logits
        logits = give(inputs, training=training, seed=seed)
        if labels is None:
            return {"logits": logits}
        return {"logits": logits, "loss": self.head_loss(logits, inputs, labels, example_weight)}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        if self.loss is None and self.output_activation != "linear":
            y_pred = self.logits(x, training=training)  # the head's loss is not of what the activation makes of them
        return super().compute_loss(x, y, y_pred, sample_weight, training)

    def head_metrics(self):
        if self.problem == "single_label":
            return [Accuracy()]
        if self.problem == "regression":
            return [keras.metrics.MeanAbsoluteError()]
        middle = 0.0 if self.output_activation == "linear" else 0.5  # a probability of a half
        return [keras.metrics.BinaryAccuracy(threshold=middle)]

    def head_loss(self, outputs, inputs, labels=None, example_weight=None, training=None):
        """The loss of `compute`, of the logits that the call gave."""
        if labels is None:
            raise ValueError("`labels` are needed for a loss. Received: labels=None")
        if example_weight is None:
            example_weight = self._slots_in_use(inputs)
        labels = self._labels_of_each(ops.convert_to_tensor(labels), outputs)
        return weighted_mean(*LOSSES[self.problem](outputs, labels), example_weight)

    def _labels_of_each(self, labels, logits):
        """Labels with the axes that the loss wants: a single label's or a number's may have one too many or too few."""
        axes = len(labels.shape) - len(logits.shape)
        if self.problem == "single_label" and axes == 0 and labels.shape[-1] == 1:
            return labels[..., 0]  # Keras gives `fit` a column of labels as [B, 1]
        return labels[..., None] if self.problem == "regression" and self.num_classes == 1 and axes == -1 else labels

    def _slots_in_use(self, inputs):
        """1 where a packed row has an example, 0 at its empty slots, bool [B, M]; None for unpacked inputs."""
        first_positions, example_ids = inputs.get("first_positions"), inputs.get("example_ids")
        if first_positions is None or example_ids is None:
            return None
        real = ops.not_equal(take_positions(example_ids, first_positions), 0)  # [B, M]
        slot = ops.arange(first_positions.shape[1], dtype="int32")[None, :]  # [1, M]
        first_or_later = ops.logical_or(ops.equal(slot, 0), ops.not_equal(first_positions, 0))
        return ops.logical_and(real, first_or_later)
