"""BERT that chooses among several texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from bert_tf.layers.dense import dense
from bert_tf.layers.dropout import check_rate, dropout, site_seed
from bert_tf.layers.functions.masks import take_positions
from bert_tf.models.backbones.bert import BertBackbone
from bert_tf.models.backbones.config import BertConfig
from bert_tf.models.fitting.compiled import Accuracy
from bert_tf.models.losses.choices import choice_cross_entropy
from bert_tf.models.losses.means import check_shape, weighted_mean
from bert_tf.models.on_backbone import OnBackbone


@keras.saving.register_keras_serializable(package="bert_tf")
class BertMultipleChoice(OnBackbone):
    """A backbone, dropout, and a dense layer of one unit over the pooled output: Hugging Face's BertForMultipleChoice.

    A row is a text with one of its choices, and gets one logit; the softmax over the logits of a text's choices is how
    likely each is. The weights do not depend on the number of choices: each call may have another one.

    >>> config = BertConfig(vocabulary_size=11, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8)
    >>> model = BertMultipleChoice(config)
    >>> token_ids = [[[2, 5, 3, 7, 3], [2, 5, 3, 8, 3], [2, 5, 3, 9, 3]]]  # a text and three choices: [1, 3, 5]
    >>> found = model.compute({"token_ids": token_ids}, labels=[1])
    >>> tuple(found["logits"].shape), tuple(found["loss"].shape)
    ((1, 3), ())

    Args:
        backbone: a `BertBackbone`, or a `BertConfig` to make one of.
        dropout: share of the pooled output dropped in training, in [0, 1); None: the backbone's hidden dropout.
        name: the model's name.
        dtype: a dtype policy for a backbone made here and for this model; None: the backbone's.
    Call arguments: those of `BertBackbone`, of the shape [B, K, T] for B texts of K choices each, or [B, T] for rows
        that belong to whatever texts. Rows of [B, T] may be packed.
    Returns: logits, float32 [B, K]; [B] of rows [B, T], or [B, M] where they are packed.
    Raises: ValueError for a bad argument.
    Reference: Zellers et al., 2018, https://aclanthology.org/D18-1009; Devlin et al., 2019, section 4.4,
        https://arxiv.org/abs/1810.04805
    """

    own_arguments = ("dropout",)

    only_pooled = True  # the last block works on first tokens alone

    def __init__(
        self,
        backbone: BertBackbone | BertConfig,
        *,
        dropout: float | None = None,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
    ):
        self.take(backbone, dtype=dtype, pools=True)
        self.dropout = check_rate("dropout", self.config.hidden_dropout if dropout is None else dropout)

        # layers
        self.seed_generator = keras.random.SeedGenerator() if self.dropout else None
        self.classifier = dense(1, self.config.initializer_range, name="classifier", dtype="float32")
        self.classifier.build((None, self.config.hidden_dim))
        super().__init__(name=name, dtype=dtype, trainable=trainable)

    def call(self, inputs, training=None, seed=None):
        if training and seed is None and self.seed_generator is not None:
            seed = self.seed_generator.next()
        rows, choices = _rows_of(inputs)
        x = ops.cast(self.pooled_of(rows, training=training, seed=seed), "float32")  # [B, (M), D]
        if training:
            x = dropout(x, self.dropout, site_seed(seed, self.backbone.num_seeds))
        logits = ops.squeeze(self.classifier(x), axis=-1)  # [B, (M)]
        return logits if choices is None else ops.reshape(logits, (-1, choices))  # [B, K]

    def compute(
        self, inputs, labels=None, example_weight=None, choice_mask=None, training=None, seed=None
    ) -> dict[str, Any]:
        """Logits, and the mean loss where labels are given.

        Args:
            inputs: as in the call, [B, K, T]; or rows [B, T] with first_positions [B, M * K], an example's choices one
                after the other.
            labels: int [B], in [0, K), or -100 to leave an example out. Packed rows have [B, M].
            example_weight: float [B], or [B, M]; None: 1 for every example.
            choice_mask: int [B, K], or [B, M, K]: 1 where the example has such a choice. None: where the choice has a
                real token. Others have no part in the loss, and an example whose label is of such a choice has none.
            training: whether dropout is active.
            seed: as in the call.
        Returns: dict of "logits" as the call gives them and, with labels, "loss", a float32 scalar: the weighted mean
            over examples of the cross entropy over an example's choices, as Hugging Face's BertForMultipleChoice.
        Raises: ValueError if the shape of `labels`, `example_weight` or `choice_mask` does not fit.
        """
        logits = self(inputs, training=training, seed=seed)
        if labels is None:
            return {"logits": logits}
        loss = self.head_loss(logits, inputs, labels, example_weight, choice_mask=choice_mask)
        return {"logits": logits, "loss": loss}

    def head_metrics(self):
        return [Accuracy()]

    def head_loss(self, outputs, inputs, labels=None, example_weight=None, training=None, choice_mask=None):
        """The loss of `compute`, of the logits that the call gave."""
        if labels is None:
            raise ValueError("`labels` are needed for a loss. Received: labels=None")
        choice_mask = _real_choices(inputs) if choice_mask is None else choice_mask
        return weighted_mean(*choice_cross_entropy(outputs, labels, choice_mask), example_weight)


def _rows_of(inputs):
    """Inputs [B, K, T] as rows [B * K, T], and K; others as they are, and None. Raises: ValueError if shapes differ."""
    if not isinstance(inputs, Mapping) or inputs.get("token_ids") is None:
        return inputs, None  # the backbone says what is wrong
    given = {name: _with_shape(value) for name, value in inputs.items() if value is not None}
    token_ids = given["token_ids"]
    if len(token_ids.shape) != 3:
        return given, None
    for name, value in given.items():
        check_shape(name, value.shape, token_ids.shape)
    length = token_ids.shape[2] or ops.shape(token_ids)[2]
    rows = {name: ops.reshape(value, (-1, length)) for name, value in given.items()}
    return rows, token_ids.shape[1] or ops.shape(token_ids)[1]


def _with_shape(value):
    return value if hasattr(value, "shape") else ops.convert_to_tensor(value)


def _real_choices(inputs):
    """Where a choice has a real token, bool [B, K] or, of packed rows, [B, M * K]; None: everywhere."""
    first_positions, example_ids = inputs.get("first_positions"), inputs.get("example_ids")
    if first_positions is not None and example_ids is not None:
        # An empty slot's position is 0, where another text stands: its number tells.
        places = ops.convert_to_tensor(first_positions)
        numbers = take_positions(ops.convert_to_tensor(example_ids), places)
        return ops.equal(numbers, 1 + ops.arange(places.shape[1], dtype=numbers.dtype))
    mask = inputs.get("padding_mask")
    if mask is None or first_positions is not None:
        return None
    return ops.any(ops.not_equal(ops.convert_to_tensor(mask), 0), axis=-1)
