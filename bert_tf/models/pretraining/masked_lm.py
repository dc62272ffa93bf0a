"""BERT while it is pre-trained: it guesses hidden tokens and, with a second head, how two segments belong together."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from bert_tf.layers.dense import dense
from bert_tf.layers.functions.masks import take_positions
from bert_tf.layers.masked_lm_head import MaskedLMHead
from bert_tf.models.backbones.bert import BertBackbone
from bert_tf.models.backbones.config import BertConfig
from bert_tf.models.losses.means import weighted_mean
from bert_tf.models.losses.tokens import pretraining_losses
from bert_tf.models.on_backbone import OnBackbone


@keras.saving.register_keras_serializable(package="bert_tf")
class BertMaskedLM(OnBackbone):
    """A backbone, and the masked-LM head, tied to the token vectors: Hugging Face's BertForMaskedLM.

    The backbone's pooler has no part in it: it is not trained, and not written to files.

    Args:
        backbone: a `BertBackbone`, or a `BertConfig` to make one of.
        head_activation: the masked-LM head's activation; None: what Transformers takes, most often the backbone's.
        head_layer_norm_epsilon: that of the head's norm; None: the backbone's, as above. KerasHub's heads have others.
        name: the model's name.
        dtype: a dtype policy for a backbone made here and for the heads; None: the backbone's.
    Call arguments: those of `BertBackbone`; and masked_positions int [B, P], where in each row tokens are to be
        guessed, so that the vocabulary is only compared with these; and target_ids int [B, P], with them, what is to be
        guessed there, `IGNORED_LABEL` (-100) where nothing is.
    Returns: dict of "masked_lm_logits", float32 [B, T, V], or [B, P, V] with masked_positions; with target_ids
        "masked_lm_losses" in its place, float32 [B, P]: the cross entropy of each target, 0 where there is none.
    Raises: ValueError for a bad argument, or target_ids without masked_positions.
    Reference: Devlin et al., 2019, section 3.1, https://arxiv.org/abs/1810.04805

    >>> import numpy as np
    >>> config = BertConfig(vocabulary_size=9, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8)
    >>> inputs = {"token_ids": np.array([[2, 5, 4, 3]]), "masked_positions": np.array([[2]])}
    >>> BertMaskedLM(config)(inputs)["masked_lm_logits"].shape
    TensorShape([1, 1, 9])
    """

    uses_pooler = False
    own_arguments = ("head_activation", "head_layer_norm_epsilon")

    def __init__(
        self,
        backbone: BertBackbone | BertConfig,
        *,
        head_activation: str | None = None,
        head_layer_norm_epsilon: float | None = None,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
    ):
        self.take(backbone, dtype=dtype, pools=self.uses_pooler)

        # layers
        config = self.config
        self.head_activation, self.head_layer_norm_epsilon = head_activation, head_layer_norm_epsilon
        self.masked_lm = masked_lm_head(
            config, self.policy(dtype), activation=head_activation, layer_norm_epsilon=head_layer_norm_epsilon
        )
        self._add_pair_head()
        super().__init__(name=name, dtype=dtype, trainable=trainable)

    @property
    def saved_settings(self) -> dict[str, Any]:
        given = {name: getattr(self, name) for name in self.own_arguments}
        return {name: value for name, value in given.items() if value is not None}

    def _add_pair_head(self) -> None:
        self.next_sentence = None

    def call(self, inputs, training=None, seed=None):
        positions, targets = inputs.get("masked_positions"), inputs.get("target_ids")
        if targets is not None and positions is None:
            raise ValueError(
                f"`inputs` must have masked_positions where it has target_ids. Received: {', '.join(inputs)}"
            )
        inputs = {name: value for name, value in inputs.items() if name not in ("masked_positions", "target_ids")}
        outputs = self.backbone(inputs, training=training, seed=seed)
        x = outputs["sequence_output"]  # [B, T, D]
        if positions is not None:
            x = take_positions(x, positions)  # [B, P, D]
        table = self.backbone.embeddings.token.table
        if targets is None:
            found = {"masked_lm_logits": self.masked_lm(x, table, training=training)}
        else:
            losses = self.masked_lm.losses(x, table, targets, training=training, of_all=False)
            found = {"masked_lm_losses": losses[..., 0]}
        if self.next_sentence is not None:
            found["pair_logits"] = self.next_sentence(ops.cast(self.pooled(outputs), "float32"))  # [B, (M), 2]
        return found

    def compute(
        self, inputs, labels=None, pair_labels=None, example_weight=None, training=None, seed=None
    ) -> dict[str, Any]:
        """Logits, and the loss where labels are given.

        Args:
            inputs: as in the call, without target_ids.
            labels: int [B, T], or [B, P] with masked_positions: the token that stands there, in [0, V), or -100 where
                nothing is to be guessed.
            pair_labels: of `BertPretrainer`: int [B], or [B, M] of packed rows: 0 where the second segment follows the
                first, 1 where not, or -100 to leave a pair out.
            example_weight: float [B]; None: 1 for every row.
            training: whether dropout is active.
            seed: as in the call.
        Returns: what the call does and, with labels, "loss", a float32 scalar: the sum of the mean cross entropies of
            tokens and of pairs, as Hugging Face's BertForPreTraining and BertForMaskedLM.
        Raises: ValueError if the shape of labels does not fit, or for pair_labels where there are no pairs.
        """
        outputs = dict(self(inputs, training=training, seed=seed))
        if labels is None and pair_labels is None:
            return outputs
        return outputs | {"loss": self.head_loss(outputs, inputs, labels, example_weight, pair_labels=pair_labels)}

    def head_loss(self, outputs, inputs, labels=None, example_weight=None, training=None, pair_labels=None):
        """The loss of `compute`, of what the call gave. With target_ids among the inputs `labels` are not needed."""
        if pair_labels is not None and self.next_sentence is None:
            raise ValueError(f"`pair_labels` are for BertPretrainer. Received: pair_labels for {type(self).__name__}")
        if "masked_lm_losses" in outputs:
            labels = inputs["target_ids"]
        parts = [weighted_mean(*part, example_weight) for part in pretraining_losses(outputs, labels, pair_labels)]
        if not parts:
            raise ValueError("`labels` are needed for a loss. Received: labels=None")
        return sum(parts[1:], parts[0])


@keras.saving.register_keras_serializable(package="bert_tf")
class BertPretrainer(BertMaskedLM):
    """`BertMaskedLM`, and a dense layer over the pooled output that tells pairs of segments from one another.

    Hugging Face's BertForPreTraining. Of the two logits the first stands for segments as they follow in the text, the
    second for a random second segment, or for segments that were swapped.

    Returns: what `BertMaskedLM` does, and "pair_logits", float32 [B, 2], or [B, M, 2] of packed rows.

    >>> import numpy as np
    >>> config = BertConfig(vocabulary_size=9, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8)
    >>> inputs = {"token_ids": np.array([[2, 5, 3, 4, 3]]), "segment_ids": np.array([[0, 0, 0, 1, 1]])}
    >>> {name: tuple(value.shape) for name, value in BertPretrainer(config)(inputs).items()}
    {'masked_lm_logits': (1, 5, 9), 'pair_logits': (1, 2)}
    """

    uses_pooler = True

    def _add_pair_head(self) -> None:
        self.next_sentence = dense(2, self.config.initializer_range, name="next_sentence", dtype="float32")
        self.next_sentence.build((None, self.config.hidden_dim))


def masked_lm_head(
    config: BertConfig, dtype: Any, *, activation: str | None = None, layer_norm_epsilon: float | None = None
) -> MaskedLMHead:
    """The head that guesses tokens from an encoder's vectors, built.

    Args:
        config: the encoder's.
        dtype: the head's dtype policy.
        activation, layer_norm_epsilon: of its dense layer and norm; None: what the encoder's member has.
    """
    head = MaskedLMHead(
        config.hidden_dim,
        config.vocabulary_size,
        activation=activation or config.masked_lm_activation,
        layer_norm_epsilon=layer_norm_epsilon or config.layer_norm_epsilon,
        initializer_range=config.initializer_range,
        embedding_dim=config.embedding_dim,
        use_bias=config.decoder_bias,
        dense_bias=config.head_bias,
        norm_bias=config.norm_bias,
        own_dim=config.own_head_dim,
        name="masked_lm",
        dtype=dtype,
    )
    head.build(None)
    return head
