"""BERT that gives a vector for each text, and one for each token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
from keras import ops

from bert_tf.layers.dropout import check_positive
from bert_tf.layers.masks import take_positions
from bert_tf.models.backbone import BertBackbone
from bert_tf.models.config import BertConfig
from bert_tf.models.on_backbone import OnBackbone

POOLINGS = ("mean", "cls", "max")
SMALLEST_NORM = 1e-12


@keras.saving.register_keras_serializable(package="bert_tf")
class BertEmbedder(OnBackbone):
    """A backbone, and one vector a text made of its token vectors.

    It is saved with the files that sentence-transformers reads, and read with them: `modules.json` and what it names.

    Args:
        backbone: a `BertBackbone`, or a `BertConfig` to make one of.
        pooling: "mean" of the real tokens' vectors, special tokens included; "cls": the first token's; or "max": the
            largest of each component.
        normalize: whether the vectors are scaled to the length 1, so that a dot product is the cosine.
        max_length: most tokens of a text that the model is meant for, special ones included; None: all positions. The
            model does not cut: this is kept for those who tokenise.
        name: the model's name.
        dtype: a dtype policy for a backbone made here and for this model; None: the backbone's.
    Call arguments: those of `BertBackbone`.
    Returns: sentence vectors, float32 [B, D], or [B, M, D] of packed rows; 0 where a slot has no text.
    Raises: ValueError for a bad argument.
    Reference: Reimers and Gurevych, 2019, https://arxiv.org/abs/1908.10084
    """

    architecture = "BertModel"
    own_arguments = ("pooling", "normalize", "max_length")

    def __init__(
        self,
        backbone: BertBackbone | BertConfig,
        *,
        pooling: str = "mean",
        normalize: bool = True,
        max_length: int | None = None,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
    ):
        super().__init__(backbone, name=name, dtype=dtype, trainable=trainable)
        if pooling not in POOLINGS:
            raise ValueError(f"`pooling` must be one of {', '.join(POOLINGS)}. Received: pooling={pooling!r}")
        self.pooling = pooling
        self.normalize = bool(normalize)
        self.max_length = None if max_length is None else check_positive("max_length", max_length)

        # layers
        self.backbone.pooler.trainable = False  # kept in the files, but it has no part in the vectors
        self.build(None)

    def build(self, input_shape=None):
        """There is nothing beyond the backbone."""

    # graph
    def call(self, inputs, training=None, seed=None):
        return self.vectors(inputs, training=training, seed=seed)["sentence_vectors"]

    def vectors(self, inputs, training=None, seed=None) -> dict[str, Any]:
        """Vectors of both kinds.

        Args: as in the call.
        Returns: dict of "sentence_vectors" float32 [B, D] or [B, M, D], and "word_vectors" float32 [B, T, D], one a
            token, never scaled.
        """
        x = self.backbone(inputs, training=training, seed=seed)["sequence_output"]
        x = ops.cast(x, "float32")  # [B, T, D]
        sentences = pool(x, inputs, self.pooling)
        return {"sentence_vectors": unit(sentences) if self.normalize else sentences, "word_vectors": x}

    def compute(self, inputs, pairs=None, labels=None, training=None, seed=None) -> dict[str, Any]:
        """Vectors; of pairs also how alike the two texts are, and the loss where labels are given.

        Args:
            inputs: as in the call.
            pairs: the same of as many second texts, or None.
            labels: float [B], in [-1, 1]: how alike the texts of each pair should be.
            training: whether dropout is active.
            seed: as in the call.
        Returns: what `vectors` does for `inputs`; with pairs also "logits" float32 [B], the cosine of the two sentence
            vectors, and with labels "loss", a float32 scalar: the mean squared error of the cosine.
        Raises: ValueError for labels without pairs, or of another shape.
        """
        found = self.vectors(inputs, training=training, seed=seed)
        if pairs is None:
            if labels is not None:
                raise ValueError("`labels` say how alike two texts are, and need `pairs`. Received: pairs=None")
            return found
        other = self.vectors(pairs, training=training, seed=seed)["sentence_vectors"]
        logits = ops.sum(unit(found["sentence_vectors"]) * unit(other), axis=-1)  # [B]
        found = {**found, "logits": logits}
        if labels is None:
            return found
        labels = ops.cast(ops.convert_to_tensor(labels), "float32")
        if len(labels.shape) != len(logits.shape) or labels.shape[0] != logits.shape[0]:
            raise ValueError(
                f"`labels` must have the shape {list(logits.shape)}. Received: labels of shape {list(labels.shape)}"
            )
        return {**found, "loss": ops.mean(ops.square(logits - labels))}

    def save_beside(self, folder: Path) -> None:
        """Writes what sentence-transformers needs beside the weights, into the same folder."""
        from bert_tf.weights.sentence_transformers import write_modules

        write_modules(
            folder,
            hidden_dim=self.config.hidden_dim,
            pooling=self.pooling,
            normalize=self.normalize,
            max_length=self.max_length or self.config.max_positions,
        )


def pool(x, inputs, pooling: str):
    """One vector for each text.

    Args:
        x: float32 [B, T, D], the tokens' vectors.
        inputs: the model's; with first_positions [B, M] the texts of a row are numbered 1 to M in example_ids.
        pooling: one of POOLINGS.
    Returns: float32 [B, D], or [B, M, D] with first_positions; of a text without a token 0, but for "cls", where it is
        the vector of the first position.
    """
    first_positions, example_ids = inputs.get("first_positions"), inputs.get("example_ids")
    if pooling == "cls":
        return x[:, 0] if first_positions is None else take_positions(x, first_positions)
    mask = inputs.get("padding_mask")
    numbers = ops.ones_like(inputs["token_ids"]) if example_ids is None else ops.convert_to_tensor(example_ids)
    if mask is not None:
        numbers = ops.where(ops.not_equal(mask, 0), numbers, ops.zeros_like(numbers))  # [B, T], 0 at padding
    if first_positions is None:
        slots = numbers[:, :1]  # the first token's text is the row's
    else:
        slots = ops.ones_like(numbers[:, :1]) * (1 + ops.arange(first_positions.shape[1], dtype=numbers.dtype))
    own = ops.logical_and(ops.equal(numbers[:, None, :], slots[:, :, None]), ops.not_equal(numbers, 0)[:, None, :])
    weight = ops.cast(own, "float32")  # [B, M, T]
    count = ops.sum(weight, axis=-1, keepdims=True)  # [B, M, 1]
    if pooling == "mean":
        pooled = ops.matmul(weight, x) / ops.maximum(count, 1.0)
    else:
        pooled = _largest(x, numbers, slots.shape[1]) if first_positions is not None else _largest_of_row(x, own)
        pooled = ops.where(count > 0, pooled, 0.0)
    return pooled[:, 0] if first_positions is None else pooled


def _largest_of_row(x, own):
    """[B, T, D] and bool [B, 1, T] -> [B, 1, D]"""
    return ops.max(ops.where(own[:, 0, :, None], x, -1e30), axis=1, keepdims=True)


def _largest(x, numbers, slots: int):
    """The largest of each component over the tokens of each number 1 to M, without a tensor [B, M, T, D].

    Args:
        x: float32 [B, T, D].
        numbers: int [B, T].
        slots: M.
    Returns: float32 [B, M, D].
    """
    rows = ops.shape(x)[0]
    flat = ops.reshape(x, (-1, x.shape[-1]))  # [B * T, D]
    start = ops.arange(rows, dtype=numbers.dtype)[:, None] * (slots + 1)
    found = ops.segment_max(flat, ops.reshape(numbers + start, (-1,)), num_segments=rows * (slots + 1))
    return ops.reshape(found, (-1, slots + 1, x.shape[-1]))[:, 1:]


def unit(vectors):
    """Vectors [..., D] scaled to the length 1; 0 stays 0, with a gradient of 0."""
    squares = ops.sum(ops.square(vectors), axis=-1, keepdims=True)
    return vectors * ops.rsqrt(ops.maximum(squares, SMALLEST_NORM**2))
