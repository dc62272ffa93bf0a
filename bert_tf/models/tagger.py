"""BERT with a tag for each token."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from bert_tf.layers.dense import dense, on_tokens
from bert_tf.layers.dropout import check_positive, check_rate, dropout, site_seed
from bert_tf.models.backbones.bert import BertBackbone
from bert_tf.models.backbones.config import BertConfig
from bert_tf.models.fitting.compiled import Accuracy
from bert_tf.models.losses.classification import cross_entropy
from bert_tf.models.losses.means import weighted_mean
from bert_tf.models.on_backbone import OnBackbone, names_of_classes


@keras.saving.register_keras_serializable(package="bert_tf")
class BertTagger(OnBackbone):
    """A backbone, dropout, and a dense layer over every token: Hugging Face's BertForTokenClassification.

    The backbone's pooler has no part in it: it is not trained, and not written to files.

    Args:
        backbone: a `BertBackbone`, or a `BertConfig` to make one of.
        num_classes: number C of tags.
        dropout: share of the sequence output dropped in training, in [0, 1); None: the backbone's hidden dropout.
        labels: C names; None: "LABEL_0", "LABEL_1", ...
        name: the model's name.
        dtype: a dtype policy for a backbone made here and for this model; None: the backbone's.
    Call arguments: those of `BertBackbone`.
    Returns: logits, float32 [B, T, C]; of packed rows too.
    Raises: ValueError for a bad argument.
    Reference: Devlin et al., 2019, section 5.3, https://arxiv.org/abs/1810.04805

    >>> import numpy as np
    >>> config = BertConfig(vocabulary_size=9, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8)
    >>> model = BertTagger(config, 3, labels=("O", "B-PER", "I-PER"))
    >>> model({"token_ids": np.array([[2, 5, 6, 3]])}).shape
    TensorShape([1, 4, 3])
    """

    uses_pooler = False
    own_arguments = ("num_classes", "dropout", "labels")

    def __init__(
        self,
        backbone: BertBackbone | BertConfig,
        num_classes: int,
        *,
        dropout: float | None = None,
        labels: tuple[str, ...] | None = None,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
    ):
        self.take(backbone, dtype=dtype, of_tokens=True)
        self.num_classes = check_positive("num_classes", num_classes)
        self.labels = names_of_classes(num_classes, labels)
        self.dropout = check_rate("dropout", self.config.hidden_dropout if dropout is None else dropout)

        # layers
        self.seed_generator = keras.random.SeedGenerator() if self.dropout else None
        self.classifier = dense(num_classes, self.config.initializer_range, name="classifier", dtype="float32")
        self.classifier.build((None, None, self.config.hidden_dim))
        super().__init__(name=name, dtype=dtype, trainable=trainable)

    def call(self, inputs, training=None, seed=None):
        return self.logits(inputs, training=training, seed=seed)

    def logits(self, inputs, training=None, seed=None, embedded=None):
        """What the call gives. Args: as in the call, and the backbone's `embedded`."""
        if training and seed is None and self.seed_generator is not None:
            seed = self.seed_generator.next()
        options = {} if embedded is None else {"embedded": embedded}
        x = ops.cast(self.tokens(inputs, training=training, seed=seed, **options), "float32")  # [B, T, D]
        if training:
            x = dropout(x, self.dropout, site_seed(seed, self.backbone.num_seeds))
        return on_tokens(self.classifier, x)  # [B, T, C]

    def compute(self, inputs, labels=None, example_weight=None, training=None, seed=None) -> dict[str, Any]:
        """Logits, and the mean loss where labels are given.

        Args:
            inputs: as in the call.
            labels: int [B, T], in [0, C), or -100 at tokens that have none: padding, special tokens, and pieces other
                than a word's first.
            example_weight: float [B], or [B, M] of packed rows; None: 1 for every example.
            training: whether dropout is active.
            seed: as in the call.
        Returns: dict of "logits" float32 [B, T, C] and, with labels, "loss", a float32 scalar: the mean cross-entropy
            over labelled tokens, as Hugging Face's BertForTokenClassification; 0 where there are none.
        Raises: ValueError if the shape of `labels` or `example_weight` does not fit.
        """
        logits = self(inputs, training=training, seed=seed)
        if labels is None:
            return {"logits": logits}
        return {"logits": logits, "loss": self.head_loss(logits, inputs, labels, example_weight)}

    def head_metrics(self):
        return [Accuracy()]

    def head_loss(self, outputs, inputs, labels=None, example_weight=None, training=None):
        """The loss of `compute`, of the logits that the call gave."""
        if labels is None:
            raise ValueError("`labels` are needed for a loss. Received: labels=None")
        return weighted_mean(*cross_entropy(outputs, labels), example_weight, inputs.get("example_ids"))
