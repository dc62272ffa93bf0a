"""A Keras layer from raw strings to the inputs of a model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from bert_tf.text import BertTokenizer, Tokenizer
from bert_tf.text.files.choice import class_named


@keras.saving.register_keras_serializable(package="bert_tf")
class BertPreprocessor(keras.layers.Layer):
    """Texts, or pairs of texts, as the inputs of a model: the tokenizer's call as a layer without weights.

    It works on strings as they are and within `tf.data.Dataset.map`, and is saved with its vocabulary. Attached to a
    model, by `from_pretrained(..., preprocessor=...)` or `model.preprocessor = ...`, it lets the model's `fit`,
    `evaluate` and `predict` take strings.

    Args:
        tokenizer: a `BertTokenizer`, or another `Tokenizer`.
        sequence_length: tokens in every row; longer texts are cut. None: as many as the longest text has, and
            no more than the tokenizer's `model_max_length`, or 512.
        truncation: how pairs are cut, as the tokenizer's call takes it.
        name, dtype: as of every Keras layer; there is nothing to compute in a dtype.
    Call arguments:
        x: strings [B], or a pair of strings [B] each, as tensors, arrays, lists or one str.
        y, sample_weight: given back as they are, as Keras's datasets have them.
    Returns: dict of token_ids, segment_ids and padding_mask, int32 [B, T]; with `y` the tuple (dict, y), with
        `sample_weight` too (dict, y, sample_weight).
    Raises: ValueError for a bad argument.

    >>> tokenizer = BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "good", "film"])
    >>> preprocessor = BertPreprocessor(tokenizer, sequence_length=5)
    >>> preprocessor(["a good film", "a film"])["token_ids"].numpy().tolist()
    [[2, 5, 6, 7, 3], [2, 5, 7, 3, 0]]
    >>> inputs, labels = preprocessor(["a good film"], [1])
    >>> labels
    [1]
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        sequence_length: int | None = None,
        *,
        truncation: str = "longest_first",
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = False,
    ):
        super().__init__(name=name, dtype=dtype, trainable=trainable)
        if not isinstance(tokenizer, Tokenizer):
            raise ValueError(
                f"`tokenizer` must be a BertTokenizer, or another Tokenizer. Received: tokenizer={tokenizer!r}"
            )
        if sequence_length is not None and (not isinstance(sequence_length, int) or sequence_length < 3):
            raise ValueError(f"`sequence_length` must be an int of 3 or more. Received: {sequence_length!r}")
        self.tokenizer, self.sequence_length, self.truncation = tokenizer, sequence_length, truncation
        self.built = True

    @classmethod
    def from_pretrained(
        cls,
        where: str | os.PathLike[str],
        sequence_length: int | None = None,
        *,
        truncation: str = "longest_first",
        name: str | None = None,
        **tokenizer: Any,
    ) -> BertPreprocessor:
        """The layer with a checkpoint's tokenizer.

        Args:
            where: a place, as `Tokenizer.from_pretrained` takes it.
            sequence_length, truncation, name: as of the class.
            tokenizer: further arguments of `Tokenizer.from_pretrained`, such as `lowercase`.
        Raises: UserError if there is no tokenizer, or one that is not BERT's.
        """
        made = Tokenizer.from_pretrained(where, **tokenizer)
        return cls(made, sequence_length, truncation=truncation, name=name)

    def __call__(self, x, y=None, sample_weight=None):  # Keras's own makes tensors of numbers of what it is given
        return self.call(x, y, sample_weight)

    def call(self, x, y=None, sample_weight=None):
        texts, pairs = x if isinstance(x, tuple) else (x, None)
        rows = self.tokenizer(
            texts,
            pairs,
            max_length=self.sequence_length,
            truncation=self.truncation,
            padding="longest" if self.sequence_length is None else "max_length",
        )
        return keras.utils.pack_x_y_sample_weight(rows, y, sample_weight)

    def prepared(self, x: Any) -> Any:
        """What a model takes for `x`: strings, or a dataset of them, become its inputs; all else stays as it is.

        Args:
                x: strings as of a call; a `tf.data.Dataset` of batches of them, alone or with what else Keras takes.
        """
        if isinstance(x, tf.data.Dataset):
            spec = x.element_spec
            first = spec[0] if isinstance(spec, tuple) else spec
            return x.map(self, num_parallel_calls=tf.data.AUTOTUNE) if is_text(first) else x
        if not is_text(x):
            return x
        return {name: np.asarray(rows) for name, rows in self(x).items()}

    def get_config(self) -> dict[str, Any]:
        made = self.tokenizer
        tokenizer = {"class": type(made).__name__, **made.get_config()}
        own = {"sequence_length": self.sequence_length, "truncation": self.truncation}
        return {"name": self.name, "trainable": self.trainable, "tokenizer": tokenizer, **own}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> BertPreprocessor:
        """The layer that `get_config` describes, its vocabulary included."""
        tokenizer = dict(config["tokenizer"])
        made = class_named(tokenizer.pop("class", BertTokenizer.__name__))  # as before there were others
        return cls(**{**config, "tokenizer": made.from_config(tokenizer)})


def is_text(x: Any) -> bool:
    """Whether `x` is text, or a tuple of two texts: a str, or strings as a list, an array, a tensor or its spec."""
    if isinstance(x, tuple):
        return len(x) == 2 and all(is_text(part) for part in x)
    if isinstance(x, list):
        return bool(x) and all(isinstance(text, (str, bytes)) for text in x)
    if isinstance(x, (str, bytes)):
        return True
    dtype = getattr(x, "dtype", None)
    if dtype == tf.string:
        return True
    kind = getattr(dtype, "kind", None)
    return kind in ("U", "S") or (kind == "O" and all(isinstance(text, (str, bytes)) for text in np.asarray(x)))
