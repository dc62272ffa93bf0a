"""BERT that scores the sentences of a text, so that the best ones make a summary."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from bert_tf.layers.dropout import check_rate, dropout, site_seed
from bert_tf.layers.sentence_score import SentenceScore
from bert_tf.models.backbones.bert import BertBackbone
from bert_tf.models.backbones.config import BertConfig
from bert_tf.models.losses.classification import binary_cross_entropy
from bert_tf.models.losses.means import weighted_mean
from bert_tf.models.on_backbone import OnBackbone


@keras.saving.register_keras_serializable(package="bert_tf")
class BertExtractiveSummarizer(OnBackbone):
    """A backbone, dropout, and a dense layer over the mean of each sentence's tokens plus the vector of its place.

    A row is [CLS] sentence [SEP] [CLS] sentence [SEP] ..., whose segments are 0, 1, 0, ... by sentence. A sentence
    starts where an example does (its position is 0) and where the segment changes; no token's number is looked at. Its
    place is the fixed vector of its number in its text, as of a Transformer's positions. The backbone's pooler has no
    part in it: it is not trained, and not written to files.

    The paper takes each sentence's first token. Those of MiniLM, a model of sentences, are all alike (cosines of 0.93
    to 1.00 within a text) and learned nothing of eight texts in 50 updates, while means reproduced them after 20.

    Args:
        backbone: a `BertBackbone` with two segments or more, or a `BertConfig` to make one of.
        dropout: share of the sequence output dropped in training, in [0, 1); None: the backbone's hidden dropout.
        name: the model's name.
        dtype: a dtype policy for a backbone made here and for this model; None: the backbone's.
    Call arguments: those of `BertBackbone`.
    Returns: logits, float32 [B, T]: each token has that of its sentence; those of padding mean nothing.
    Raises: ValueError for a bad argument.
    Reference: Liu, 2019, https://arxiv.org/abs/1903.10318

    >>> import numpy as np
    >>> config = BertConfig(vocabulary_size=9, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8)
    >>> two_sentences = {"token_ids": np.array([[2, 5, 3, 2, 6, 3]]), "segment_ids": np.array([[0, 0, 0, 1, 1, 1]])}
    >>> scores = BertExtractiveSummarizer(config)(two_sentences)[0].numpy()
    >>> bool((scores[:3] == scores[0]).all()), bool((scores[3:] == scores[3]).all())
    (True, True)
    """

    uses_pooler = False
    own_arguments = ("dropout",)

    def __init__(
        self,
        backbone: BertBackbone | BertConfig,
        *,
        dropout: float | None = None,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
    ):
        self.take(backbone, dtype=dtype, tells_segments="which tell sentences apart")
        self.dropout = check_rate("dropout", self.config.hidden_dropout if dropout is None else dropout)

        # layers
        self.seed_generator = keras.random.SeedGenerator() if self.dropout else None
        self.sentence_score = SentenceScore(
            self.config.hidden_dim,
            max_sentences=self.config.max_positions,
            initializer_range=self.config.initializer_range,
            name="sentence_score",
            dtype="float32",
        )
        self.sentence_score.build(None)
        super().__init__(name=name, dtype=dtype, trainable=trainable)

    @property
    def saved_settings(self) -> dict[str, Any]:
        return {} if self.dropout == self.config.hidden_dropout else {"dropout": self.dropout}

    def call(self, inputs, training=None, seed=None):
        if training and seed is None and self.seed_generator is not None:
            seed = self.seed_generator.next()
        x = self.backbone(inputs, training=training, seed=seed)["sequence_output"]  # [B, T, D]
        x = ops.cast(x, "float32")
        if training:
            x = dropout(x, self.dropout, site_seed(seed, self.backbone.num_seeds))
        return self.sentence_score(x, dict(inputs))  # [B, T]

    def compute(self, inputs, labels=None, example_weight=None, training=None, seed=None) -> dict[str, Any]:
        """Logits, and the mean loss where labels are given.

        Args:
            inputs: as in the call.
            labels: int [B, T], 1 where a sentence starts that belongs in the summary, 0 where another does, and -100 at
                all other tokens.
            example_weight: float [B], or [B, M] of packed rows; None: 1 for every text.
            training: whether dropout is active.
            seed: as in the call.
        Returns: dict of "logits" float32 [B, T] and, with labels, "loss", a float32 scalar: the mean binary
            cross-entropy over sentences; 0 where there are none.
        Raises: ValueError if the shape of `labels` does not fit.
        """
        logits = self(inputs, training=training, seed=seed)
        if labels is None:
            return {"logits": logits}
        return {"logits": logits, "loss": self.head_loss(logits, inputs, labels, example_weight)}

    def head_loss(self, outputs, inputs, labels=None, example_weight=None, training=None):
        """The loss of `compute`, of the logits that the call gave."""
        if labels is None:
            raise ValueError("`labels` are needed for a loss. Received: labels=None")
        return weighted_mean(*binary_cross_entropy(outputs, labels), example_weight, inputs.get("example_ids"))
