"""The discriminator of ELECTRA: which tokens of a text were replaced."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from bert_tf.layers.dense import dense, on_tokens
from bert_tf.layers.pooler import Pooler
from bert_tf.models.backbones.bert import BertBackbone
from bert_tf.models.backbones.config import BertConfig
from bert_tf.models.losses.means import weighted_mean
from bert_tf.models.losses.tokens import replaced_token_losses
from bert_tf.models.on_backbone import OnBackbone


@keras.saving.register_keras_serializable(package="bert_tf")
class BertDiscriminator(OnBackbone):
    """A backbone, and a head that tells of each token whether it stood there before: Hugging Face's
    ElectraForPreTraining.

    Args:
        backbone: a `BertBackbone`, or a `BertConfig` to make one of.
        name: the model's name.
        dtype: a dtype policy for a backbone made here and for the head; None: the backbone's.
    Call arguments: those of `BertBackbone`.
    Returns: logits, float32 [B, T]: above 0 where the token is more likely a replaced one.
    Raises: ValueError for a bad argument.
    Reference: Clark et al., 2020, section 2, https://arxiv.org/abs/2003.10555

    >>> import numpy as np
    >>> config = BertConfig(vocabulary_size=9, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8)
    >>> outputs = BertDiscriminator(config).compute({"token_ids": np.array([[2, 5, 6, 3]])}, labels=[[0, 1, 0, 0]])
    >>> outputs["logits"].shape, bool(outputs["loss"] > 0)
    (TensorShape([1, 4]), True)
    """

    uses_pooler = False

    def __init__(
        self,
        backbone: BertBackbone | BertConfig,
        *,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
    ):
        self.take(backbone, dtype=dtype)

        # layers
        config = self.config
        self.replaced_transform = Pooler(
            config.hidden_dim,
            activation=config.activation,
            initializer_range=config.initializer_range,
            name="replaced_transform",
            dtype=self.policy(dtype),
        )
        self.replaced_transform.build(None)
        self.replaced = dense(1, config.initializer_range, name="replaced", dtype="float32")
        self.replaced.build((None, None, config.hidden_dim))
        super().__init__(name=name, dtype=dtype, trainable=trainable)

    def call(self, inputs, training=None, seed=None):
        x = self.backbone(inputs, training=training, seed=seed)["sequence_output"]  # [B, T, D]
        x = ops.cast(self.replaced_transform(x), "float32")
        return ops.squeeze(on_tokens(self.replaced, x), axis=-1)  # [B, T]

    def compute(self, inputs, labels=None, example_weight=None, training=None, seed=None) -> dict[str, Any]:
        """Logits, and the mean loss where labels are given.

        Args:
            inputs: as in the call.
            labels: int [B, T], 1 at tokens that were replaced, 0 at others, or -100 to leave a token out. Padding is
                left out as it is.
            example_weight: float [B], or [B, M] of packed rows; None: 1 for every text.
            training: whether dropout is active.
            seed: as in the call.
        Returns: dict of "logits" float32 [B, T] and, with labels, "loss", a float32 scalar: the mean binary
            cross-entropy over tokens, as Hugging Face's ElectraForPreTraining; 0 where there are none.
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
        losses, counted = replaced_token_losses(outputs, labels, inputs)
        return weighted_mean(losses, counted, example_weight, inputs.get("example_ids"))
