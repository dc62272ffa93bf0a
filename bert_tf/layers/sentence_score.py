"""The score of each sentence of a text: of the mean of its tokens, and of its place."""

from __future__ import annotations

import keras
from keras import ops

from bert_tf.layers.dense import leading_shape, truncated_normal
from bert_tf.layers.dropout import check_positive
from bert_tf.layers.embeddings import sinusoids


@keras.saving.register_keras_serializable(package="bert_tf")
class SentenceScore(keras.layers.Layer):
    """A dense layer over the mean of each sentence's tokens plus the fixed vector of the sentence's place.

    Args:
        hidden_dim: width D.
        max_sentences: number of places that there are vectors for.
        initializer_range: deviation of the truncated normal the kernel starts from.
    Call arguments:
        x: float32 [B, T, D].
        inputs: those of the model, as `sentences_of` takes them.
    Returns: float32 [B, T]: each token has the score of its sentence.
    Reference: Liu, 2019, https://arxiv.org/abs/1903.10318

    >>> import numpy as np
    >>> inputs = {"token_ids": np.array([[2, 5, 3, 2, 6, 3]]), "segment_ids": np.array([[0, 0, 0, 1, 1, 1]])}
    >>> SentenceScore(8, max_sentences=4)(keras.random.normal((1, 6, 8)), inputs).shape
    TensorShape([1, 6])
    """

    def __init__(self, hidden_dim: int, *, max_sentences: int, initializer_range: float = 0.02, **kwargs):
        super().__init__(**kwargs)
        self.hidden_dim = check_positive("hidden_dim", hidden_dim)
        self.max_sentences = check_positive("max_sentences", max_sentences)
        self.initializer_range = initializer_range

    def build(self, input_shape=None):
        start = truncated_normal(self.initializer_range)
        self.kernel = self.add_weight(shape=(self.hidden_dim, 1), initializer=start, name="kernel")
        self.bias = self.add_weight(shape=(1,), initializer="zeros", name="bias")

    def call(self, x, inputs):
        # The layer is linear: it works on tokens and places first, and the means are of single numbers.
        flat = ops.matmul(ops.reshape(x, (-1, self.hidden_dim)), self.kernel) + self.bias  # [B * T, 1]
        scores = ops.reshape(flat, (*leading_shape(x), 1))  # [B, T, 1]
        places = ops.convert_to_tensor(sinusoids(self.max_sentences, self.hidden_dim))  # [P, D]
        places = ops.matmul(places, self.kernel)[:, 0]  # [P]
        sentences, numbers = sentences_of(inputs)  # [B, T]
        together = ops.cast(ops.equal(sentences[:, :, None], sentences[:, None, :]), "float32")  # [B, T, T]
        means = ops.matmul(together, scores)[..., 0] / ops.sum(together, axis=-1)  # [B, T]
        return means + ops.take(places, numbers, axis=0)

    def compute_output_spec(self, x, inputs):
        return keras.KerasTensor(tuple(x.shape[:2]), dtype="float32")

    def get_config(self):
        names = ("hidden_dim", "max_sentences", "initializer_range")
        return super().get_config() | {name: getattr(self, name) for name in names}


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
    mask = inputs.get("padding_mask")
    mask = inputs.get("example_ids") if mask is None else mask
    return in_row if mask is None else ops.where(ops.equal(mask, 0), -1, in_row), numbers
