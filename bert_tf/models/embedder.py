"""BERT that gives a vector for each text, and one for each token."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from bert_tf.layers.dense import truncated_normal
from bert_tf.layers.dropout import check_positive
from bert_tf.layers.functions.gelu import gelu
from bert_tf.models.backbones.bert import BertBackbone
from bert_tf.models.backbones.config import BertConfig
from bert_tf.models.losses.means import weighted_mean
from bert_tf.models.losses.vectors import cosine, vector_losses
from bert_tf.models.on_backbone import OnBackbone
from bert_tf.models.pooling import check_pooling, pool, unit

DENSE_ACTIVATIONS = {
    "linear": lambda x: x, "tanh": ops.tanh, "sigmoid": ops.sigmoid, "relu": ops.relu, "silu": ops.silu,
    "gelu": gelu,
}  # fmt: skip


@keras.saving.register_keras_serializable(package="bert_tf")
class BertEmbedder(OnBackbone):
    """A backbone, and one vector a text made of its token vectors.

    It is saved with the files that sentence-transformers reads, and read with them: `modules.json` and what it names.

    Args:
        backbone: a `BertBackbone`, or a `BertConfig` to make one of.
        pooling: "mean" of the real tokens' vectors, special tokens included; "cls": the first token's; "max": the
            largest of each component; "mean_sqrt_len_tokens": the sum over the root of their number; "weightedmean":
            the mean where the n-th token counts n times; "lasttoken": the last one's; or a list of these, whose
            vectors are put one after the other.
        normalize: whether the vectors are scaled to the length 1, so that a dot product is the cosine.
        max_length: most tokens of a text that the model is meant for, special ones included; None: all positions. The
            model does not cut: this is kept for the code that tokenizes.
        prompt: what is put before every text. The model sees no text: this is kept for that code, too.
        dense_dim: width of a dense layer after the pooling; None: there is none.
        dense_activation: its activation, one of "linear", "tanh", "sigmoid", "relu", "silu", "gelu".
        dense_bias: whether it has a bias.
        truncate_dim: how many of the first components of a vector are given, after the scaling; None: all.
        name: the model's name.
        dtype: a dtype policy for a backbone made here and for this model; None: the backbone's.
    Call arguments: those of `BertBackbone`.
    Returns: sentence vectors, float32 [B, D], or [B, M, D] of packed rows; 0 where a slot has no text and there is no
        dense layer. D is `vector_dim`.
    Raises: ValueError for a bad argument.
    Reference: Reimers and Gurevych, 2019, https://arxiv.org/abs/1908.10084

    >>> import numpy as np
    >>> config = BertConfig(vocabulary_size=9, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8)
    >>> vectors = BertEmbedder(config)({"token_ids": np.array([[2, 5, 6, 3], [2, 7, 8, 3]])})
    >>> vectors.shape, np.linalg.norm(vectors, axis=1).round(4).tolist()
    (TensorShape([2, 8]), [1.0, 1.0])
    """

    saved_beside = ("dense",)  # parts that `save_beside` writes
    own_arguments = (
        "pooling", "normalize", "max_length", "prompt", "dense_dim", "dense_activation", "dense_bias", "truncate_dim",
    )  # fmt: skip

    def __init__(
        self,
        backbone: BertBackbone | BertConfig,
        *,
        pooling: str | Sequence[str] = "mean",
        normalize: bool = True,
        max_length: int | None = None,
        prompt: str = "",
        dense_dim: int | None = None,
        dense_activation: str = "tanh",
        dense_bias: bool = True,
        truncate_dim: int | None = None,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
    ):
        self.take(backbone, dtype=dtype)
        self.pooling = check_pooling(pooling)
        self.normalize = bool(normalize)
        self.max_length = None if max_length is None else check_positive("max_length", max_length)
        if not isinstance(prompt, str):
            raise ValueError(f"`prompt` must be a str. Received: prompt={prompt!r}")
        self.prompt = prompt
        self.dense_dim = None if dense_dim is None else check_positive("dense_dim", dense_dim)
        if dense_activation not in DENSE_ACTIVATIONS:
            raise ValueError(
                f"`dense_activation` must be one of {', '.join(DENSE_ACTIVATIONS)}. "
                f"Received: dense_activation={dense_activation!r}"
            )
        self.dense_activation, self.dense_bias = dense_activation, bool(dense_bias)
        self.truncate_dim = None if truncate_dim is None else check_positive("truncate_dim", truncate_dim)

        # layers
        if self.backbone.pooler is not None:
            self.backbone.pooler.trainable = False  # kept in the files, but it has no part in the vectors
        self.dense = None
        if self.dense_dim is not None:
            start = truncated_normal(self.config.initializer_range)
            self.dense = keras.layers.Dense(
                self.dense_dim, use_bias=self.dense_bias, kernel_initializer=start, name="dense", dtype="float32"
            )
            self.dense.build((None, self._pooled_dim))
        super().__init__(name=name, dtype=dtype, trainable=trainable)

    @property
    def _pooled_dim(self) -> int:
        return self.config.hidden_dim * (1 if isinstance(self.pooling, str) else len(self.pooling))

    @property
    def vector_dim(self) -> int:
        """Number of components of a sentence vector."""
        width = self.dense_dim or self._pooled_dim
        return min(width, self.truncate_dim or width)

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
        sentences = pool(x, inputs, self.pooling)  # [B, (M), K * D]
        if self.dense is not None:
            sentences = DENSE_ACTIVATIONS[self.dense_activation](self.dense(sentences))
        sentences = unit(sentences) if self.normalize else sentences
        return {"sentence_vectors": sentences[..., : self.vector_dim], "word_vectors": x}

    def compute(
        self,
        inputs,
        pairs=None,
        labels=None,
        example_weight=None,
        training=None,
        seed=None,
        *,
        loss: str | None = None,
        negatives=None,
        texts=None,
        **options: Any,
    ) -> dict[str, Any]:
        """Vectors; of pairs also how alike the two texts are, and the loss where labels are given or `loss` is named.

        Args:
            inputs: as in the call.
            pairs: the same of as many second texts, or None.
            labels: float [B], in [-1, 1]: how alike the texts of each pair should be.
            example_weight: float [B]; None: 1 for every pair.
            training: whether dropout is active.
            seed: as in the call.
            loss: "cosine", which needs labels; "contrastive", the second text is found among those of the batch; or
                "triplet", which needs negatives. None: "cosine" where there are labels.
            negatives: the same of as many third texts, each unlike the first of its pair, or None.
            texts: of "contrastive": int [B, 2], or [B, 3] with negatives, the same number for the same text, so that
                none is its own negative; None: all texts differ.
            options: `scale`, `margin` and `label_smoothing` of `bert_tf.models.losses.vectors.vector_losses`.
        Returns: what `vectors` does for `inputs`; with pairs also "logits" float32 [B], the cosine of the two sentence
            vectors, and "loss", a float32 scalar, the weighted mean over the pairs.
        Raises: ValueError for labels without pairs, or of another shape, and for a loss that lacks what it needs.
        """
        found = self.vectors(inputs, training=training, seed=seed)
        if pairs is None:
            if labels is not None or loss is not None:
                raise ValueError("`labels` say how alike two texts are, and need `pairs`. Received: pairs=None")
            return found
        together = self._together(found["sentence_vectors"], pairs, negatives, training, seed)
        found = {**found, "logits": cosine(together[..., 0, :], together[..., 1, :])}
        if labels is None and loss is None:
            return found
        return {**found, "loss": _loss(together, labels, example_weight, loss=loss, texts=texts, **options)}

    def head_loss(
        self,
        outputs,
        inputs,
        labels=None,
        example_weight=None,
        training=None,
        pairs=None,
        negatives=None,
        texts=None,
        margin=None,
    ):
        """The loss of `compute`, of the sentence vectors that the call gave. `fit` takes the second texts as y.

        That is y={"pairs": inputs of the second texts, "labels": ...} for "cosine"; without labels, with `negatives`
        and `texts` or not, for "contrastive"; and with `negatives` and `margin`, float [B], for "triplet".
        """
        if pairs is None:
            raise ValueError(
                'A loss of vectors needs `pairs` and `labels`, or "contrastive" `pairs` alone: give `fit` y={"pairs": '
                f'inputs of the second texts, "labels": how alike they are}}. Received: pairs={pairs!r}'
            )
        together = self._together(outputs, pairs, negatives, training, None)
        if margin is not None:
            return _loss(together, labels, example_weight, loss="triplet", texts=texts, margin=margin)
        loss = "contrastive" if labels is None else "cosine"
        return _loss(together, labels, example_weight, loss=loss, texts=texts)

    def _together(self, vectors, pairs, negatives, training, seed):
        """The vectors of each example's texts, float32 [B, (M), 2 or 3, D]."""
        others = [inputs for inputs in (pairs, negatives) if inputs is not None]
        found = [self.vectors(inputs, training=training, seed=seed)["sentence_vectors"] for inputs in others]
        return ops.stack([vectors, *found], axis=-2)

    def save_beside(self, folder: Path) -> None:
        """Writes what sentence-transformers needs beside the weights, into the same folder."""
        from bert_tf.weights.sentence_transformers import write_modules

        write_modules(
            folder,
            hidden_dim=self.config.hidden_dim,
            pooling=self.pooling,
            normalize=self.normalize,
            max_length=self.max_length or self.config.max_positions,
            prompt=self.prompt,
            truncate_dim=self.truncate_dim,
            dense=None if self.dense is None else {w.name: np.asarray(w, np.float32) for w in self.dense.weights},
            dense_activation=self.dense_activation,
        )


def _loss(vectors, labels, example_weight, *, loss: str | None, texts=None, **options: Any):
    """float32 [] of vectors [B, (M), P, D]. Raises: ValueError for a loss that lacks what it needs."""
    if loss in (None, "cosine") and labels is None:
        raise ValueError('`loss`="cosine" needs `labels`. Received: labels=None')
    if loss == "triplet" and vectors.shape[-2] != 3:
        raise ValueError('`loss`="triplet" needs `negatives`. Received: negatives=None')
    if texts is None:  # all differ
        like = ops.cast(vectors[..., 0], "int32")  # [B, (M), P]
        texts = ops.reshape(ops.cumsum(ops.reshape(ops.ones_like(like), (-1,))), ops.shape(like))
    losses, counted = vector_losses(vectors, texts, loss=loss or "cosine", scores=labels, **options)
    return weighted_mean(losses, counted, example_weight)
