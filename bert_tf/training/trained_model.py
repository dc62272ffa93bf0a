"""The model while it is trained: its weights under a strategy, and the way back to a whole, saved model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from bert_tf.data import Features, Stream
from bert_tf.disk.whole import checksums
from bert_tf.models.backbones.config import BertConfig
from bert_tf.models.backbones.row_ends import seeing_no_padding
from bert_tf.models.frozen import arguments_of, frozen_like
from bert_tf.models.pretrained import arrays_by_path, save_model
from bert_tf.models.pretrained.paths import weights_by_path
from bert_tf.training.optimizers.adamw import AdamW
from bert_tf.training.trimmed_vocabulary import TrimmedVocabulary

TOKEN_TABLE = "embeddings/token/table"


class TrainedModel:
    """A copy of `whole`, made in the strategy's scope, with only the token vectors that the data can reach.

    Args:
        whole: the model with the weights to start from; not kept.
        splits: name -> the features of each split.
        strategy: the copy's variables are created in its scope.
        trim: whether token vectors that `splits` cannot reach are left out.

    Attributes:
        model: the copy.
        features: the splits, with the copy's token numbers.
        precise: the model to evaluate, in float32; the copy itself, or one that `update_precise` brings up to date.
        trainable: path -> variable, the weights to train.
    """

    def __init__(
        self, whole: Any, splits: Mapping[str, Features | Stream], strategy: Any, *, trim: bool = True
    ) -> None:
        arrays = arrays_by_path(whole)
        self.config = whole.config
        self.original_table = arrays[TOKEN_TABLE]
        size = len(self.original_table)
        known = {name: features for name, features in splits.items() if isinstance(features, Features)}
        trim = trim and len(known) == len(splits)
        # Where positions are not counted at the padding token, it and those before it keep their numbers.
        always = range(max(1, self.config.first_position)) if trim else range(size)
        self.vocabulary = TrimmedVocabulary.of(size, *known.values(), always=always)
        self.features: dict[str, Any] = {
            **splits,
            **{name: self.vocabulary.features(features) for name, features in known.items()},
        }
        arrays[TOKEN_TABLE] = self.vocabulary.trim(self.original_table)
        with strategy.scope():
            self.model = _like(whole, self.config.replace(vocabulary_size=len(self.vocabulary.kept)))
            for path, variable in weights_by_path(self.model).items():
                variable.assign(arrays[path])
        # Evaluation is in float32, as the saved model is used; float32 models need no second copy.
        self.precise = self.model
        if self.model.compute_dtype != "float32":
            self.precise = _like(self.model, self.model.config, dtype="float32")
            self.update_precise()
        self.trainable: dict[str, tf.Variable] = {
            path: variable.value for path, variable in weights_by_path(self.model).items() if variable.trainable
        }

    @property
    def configs(self) -> list[BertConfig]:
        """The model's shape, and those of models within it that are trained with it."""
        return [self.config, *(part.config for part in getattr(self.model, "parts_beside", {}).values())]

    def update_precise(self) -> None:
        """Brings `precise` up to date."""
        if self.precise is not self.model:
            ours = weights_by_path(self.model)
            for path, variable in weights_by_path(self.precise).items():
                variable.assign(ours[path].value)

    def save(self, folder: Path, tokenizer: Any, optimizer: AdamW) -> dict[str, dict[str, int | str]]:
        """Writes the whole model, with the decay that the vectors left out would have had.

        Returns: the files that were written, as `bert_tf.disk.whole.checksums` gives them.
        """
        before = {path: path.stat().st_ino for path in folder.rglob("*")}
        arrays = arrays_by_path(self.model)
        is_trimmed = len(self.vocabulary.kept) < len(self.original_table) and TOKEN_TABLE in self.trainable
        decay = optimizer.decay_of_untouched(TOKEN_TABLE, int(optimizer.step.numpy())) if is_trimmed else 1.0
        arrays[TOKEN_TABLE] = self.vocabulary.restore(arrays[TOKEN_TABLE], self.original_table, decay=decay)
        save_model(self.precise, folder, tokenizer, arrays=arrays)
        return checksums(folder, lambda path: path.stat().st_ino != before.get(path))

    def parameters(self) -> int:
        """Number of weights of the whole model."""
        trimmed = sum(int(np.prod(variable.shape)) for variable in weights_by_path(self.model).values())
        return trimmed + self.original_table.size - len(self.vocabulary.kept) * self.original_table.shape[1]


def _like(model: Any, config: BertConfig, *, dtype: Any = None) -> Any:
    """A new model of the same class, head and all, on another config; its weights are random. What is frozen stays."""
    policy = keras.dtype_policies.serialize(model.dtype_policy) if dtype is None else dtype
    arguments = arguments_of(model) | {"dtype": policy}
    if "backbone" in arguments:
        arguments["backbone"] = type(model.backbone)(config, dtype=policy)
    else:
        arguments["config"] = config
    return seeing_no_padding(frozen_like(type(model)(**arguments), model))
