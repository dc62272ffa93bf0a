"""BERT that scores the sentences of a text, so that the best ones make a summary."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from bert_tf.layers.dense import dense, on_tokens
from bert_tf.layers.dropout import check_rate, dropout, site_seed
from bert_tf.layers.embeddings import sinusoids
from bert_tf.models.backbone import BertBackbone
from bert_tf.models.config import BertConfig
from bert_tf.models.on_backbone import OnBackbone

IGNORED_LABEL = -100


@keras.saving.register_keras_serializable(package="bert_tf")
class BertExtractiveSummarizer(OnBackbone):
    """A backbone, dropout, and a dense layer over the mean of each sentence's tokens plus the vector of its place.

    A row is [CLS] sentence [SEP] [CLS] sentence [SEP] ..., whose segments are 0, 1, 0, ... by sentence. A sentence
    starts where an example does (its position is 0) and where the segment changes; no token's number is looked at. Its
    place is the fixed vector of its number in its text, as of a Transformer's positions. The backbone's pooler has no
    part in it: it is not trained, and not written to files.

    The paper takes each sentence's first token. Those of MiniLM, a model of sentences, are all alike (cosines of 0.93
    to 1.00 within a text) and learnt nothing of eight texts in 50 updates, where means knew them by heart after 20.

    Args:
        backbone: a `BertBackbone` with two segments or more, or a `BertConfig` to make one of.
        dropout: share of the sequence output dropped in training, in [0, 1); None: the backbone's hidden dropout.
        name: the model's name.
        dtype: a dtype policy for a backbone made here and for this model; None: the backbone's.
    Call arguments: those of `BertBackbone`.
    Returns: logits, float32 [B, T]: each token has that of its sentence; those of padding mean nothing.
    Raises: ValueError for a bad argument.
    Reference: Liu, 2019, https://arxiv.org/abs/1903.10318
    """

    architecture = "BertForExtractiveSummarization"
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
        purpose = "which tell sentences apart"
        super().__init__(backbone, name=name, dtype=dtype, trainable=trainable, needs_segments=(2, purpose))
        self.dropout = check_rate("dropout", self.config.hidden_dropout if dropout is None else dropout)

        # layers
        self.seed_generator = keras.random.SeedGenerator() if self.dropout else None
        self.sentence_score = dense(1, self.config.initializer_range, name="sentence_score", dtype="float32")
        self.build(None)

    @property
    def saved_settings(self) -> dict[str, Any]:
        return {} if self.dropout == self.config.hidden_dropout else {"dropout": self.dropout}

    def build(self, input_shape=None):
        if not self.built:
            self.sentence_score.build((None, self.config.hidden_dim))

    # graph
    def call(self, inputs, training=None, seed=None):
        if training and seed is None and self.seed_generator is not None:
            seed = self.seed_generator.next()
        x = self.backbone(inputs, training=training, seed=seed)["sequence_output"]  # [B, T, D]
        x = ops.cast(x, "float32")
        if training:
            x = dropout(x, self.dropout, site_seed(seed, self.backbone.num_seeds))
        # The layer is linear: it works on tokens and places first, and the means are of single numbers.
        scores = on_tokens(self.sentence_score, x)  # [B, T, 1]
        places = ops.convert_to_tensor(sinusoids(self.config.max_positions, self.config.hidden_dim))  # [P, D]
        places = ops.matmul(places, self.sentence_score.kernel)[:, 0]  # [P]
        sentences, numbers = sentences_of(inputs)  # [B, T]
        together = ops.cast(ops.equal(sentences[:, :, None], sentences[:, None, :]), "float32")  # [B, T, T]
        means = ops.matmul(together, scores)[..., 0] / ops.sum(together, axis=-1)  # [B, T]
        return means + ops.take(places, numbers, axis=0)

    def compute(self, inputs, labels=None, training=None, seed=None) -> dict[str, Any]:
        """Logits, and the mean loss where labels are given.

        Args:
            inputs: as in the call.
            labels: int [B, T], 1 where a sentence starts that belongs in the summary, 0 where another does, and -100 at
                all other tokens.
            training: whether dropout is active.
            seed: as in the call.
        Returns: dict of "logits" float32 [B, T] and, with labels, "loss", a float32 scalar: the mean binary
            cross-entropy over sentences; 0 where there are none.
        Raises: ValueError if the shape of `labels` does not fit.
        """
        logits = self(inputs, training=training, seed=seed)
        if labels is None:
            return {"logits": logits}
        labels = ops.convert_to_tensor(labels)
        shape, wanted = tuple(labels.shape), tuple(logits.shape)
        if len(shape) != 2 or any(a != b for a, b in zip(shape, wanted, strict=True) if None not in (a, b)):
            raise ValueError(
                f"`labels` must have the shape {list(wanted)}. Received: labels of shape {list(labels.shape)}"
            )
        counted = ops.cast(ops.not_equal(labels, IGNORED_LABEL), "float32")
        losses = ops.softplus(logits) - ops.cast(labels, "float32") * logits
        losses = ops.where(counted > 0, losses, ops.zeros_like(losses))
        return {"logits": logits, "loss": ops.sum(losses) / ops.maximum(ops.sum(counted), 1.0)}


def sentences_of(inputs):
    """Which sentence each token is in.

    Args:
        inputs: of a model: token_ids, segment_ids (absent: one sentence), position_ids (absent: one example a row), and
            padding_mask or example_ids (absent: no padding).
    Returns: int32 [B, T] twice: the sentence counted over the row, so that no two of a row have one number, and -1 at
        padding; and counted from 0 in its example.
    """
    token_ids = inputs["token_ids"]
    segment_ids, position_ids = inputs.get("segment_ids"), inputs.get("position_ids")
    segment_ids = ops.zeros_like(token_ids) if segment_ids is None else segment_ids
    before = ops.concatenate([segment_ids[:, :1], segment_ids[:, :-1]], axis=1)
    changes = ops.not_equal(segment_ids, before)  # [B, T], False at a row's first token
    if position_ids is not None:
        changes = ops.logical_or(changes, ops.equal(position_ids, 0))
    in_row = ops.cumsum(ops.cast(changes, "int32"), axis=1)
    numbers = in_row
    if position_ids is not None:
        places = ops.arange(ops.shape(token_ids)[1], dtype="int32")[None]
        first = ops.maximum(places - ops.cast(position_ids, "int32"), 0)  # where each token's example starts
        numbers = in_row - ops.take_along_axis(in_row, first, axis=1)
    mask = inputs.get("padding_mask", inputs.get("example_ids"))
    return in_row if mask is None else ops.where(ops.equal(mask, 0), -1, in_row), numbers
