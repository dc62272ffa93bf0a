"""BERT that finds an answer in a text: where it starts and where it ends."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from bert_tf.layers.dense import dense
from bert_tf.layers.dropout import check_rate, dropout, site_seed
from bert_tf.models.backbones.bert import BertBackbone
from bert_tf.models.backbones.config import BertConfig
from bert_tf.models.losses.means import weighted_mean
from bert_tf.models.losses.spans import own_tokens, span_cross_entropy
from bert_tf.models.on_backbone import OnBackbone


@keras.saving.register_keras_serializable(package="bert_tf")
class BertSpanQA(OnBackbone):
    """A backbone, dropout, and a dense layer over every token: how well an answer starts there, and ends there.

    Args:
        backbone: a `BertBackbone`, or a `BertConfig` to make one of.
        dropout: share of the sequence output dropped in training, in [0, 1); BERT has none here.
        name: the model's name.
        dtype: a dtype policy for a backbone made here and for this model; None: the backbone's.
    Call arguments: those of `BertBackbone`.
    Returns: logits of start and end, float32 [B, T, 2].
    Raises: ValueError for a bad argument.
    Reference: Devlin et al., 2019, section 4.2, https://arxiv.org/abs/1810.04805

    >>> import numpy as np
    >>> config = BertConfig(vocabulary_size=9, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8)
    >>> inputs = {"token_ids": np.array([[2, 5, 3, 6, 7, 3]]), "segment_ids": np.array([[0, 0, 0, 1, 1, 1]])}
    >>> BertSpanQA(config)(inputs).shape  # of each token, how well an answer starts and ends there
    TensorShape([1, 6, 2])
    """

    uses_pooler = False
    own_arguments = ("dropout",)

    def __init__(
        self,
        backbone: BertBackbone | BertConfig,
        *,
        dropout: float = 0.0,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
    ):
        self.take(backbone, dtype=dtype, of_tokens=True)
        self.dropout = check_rate("dropout", dropout)

        # layers
        self.seed_generator = keras.random.SeedGenerator() if self.dropout else None
        self.span = dense(2, self.config.initializer_range, name="span", dtype="float32")
        self.span.build((None, None, self.config.hidden_dim))
        super().__init__(name=name, dtype=dtype, trainable=trainable)

    @property
    def saved_settings(self) -> dict[str, Any]:
        has_key = self.config.member.dropout_of("ForQuestionAnswering") is not None
        return {"dropout": self.dropout} if self.dropout and not has_key else {}

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
        return self.span(x)  # [B, T, 2]

    def compute(self, inputs, labels=None, example_weight=None, training=None, seed=None) -> dict[str, Any]:
        """Logits, and the mean loss where labels are given.

        Args:
            inputs: as in the call. The examples of packed rows are numbered 1 to M in `example_ids`.
            labels: int [B, 2], the tokens that an answer starts and ends at, counted from the row's first token;
                packed rows have [B, M, 2]. -100, or a number of T or more, leaves an example out.
            example_weight: float [B], or [B, M]; None: 1 for every example, 0 for the empty slots of packed rows.
            training: whether dropout is active.
            seed: as in the call.
        Returns: dict of "logits" float32 [B, T, 2] and, with labels, "loss", a float32 scalar: the weighted mean over
            examples of the mean of both cross-entropies, as Hugging Face's BertForQuestionAnswering; but padding is no
            place for an answer, so that it does not change the loss.
        Raises: ValueError if the shape of `labels` or `example_weight` does not fit.
        """
        logits = self(inputs, training=training, seed=seed)
        if labels is None:
            return {"logits": logits}
        return {"logits": logits, "loss": self.head_loss(logits, inputs, labels, example_weight)}

    def head_loss(self, outputs, inputs, labels=None, example_weight=None, training=None):
        """The loss of `compute`, of the logits that the call gave."""
        if labels is None:
            raise ValueError("`labels` are needed for a loss. Received: labels=None")
        labels = ops.convert_to_tensor(labels)
        return weighted_mean(*span_cross_entropy(outputs, labels, own_tokens(inputs, labels)), example_weight)
