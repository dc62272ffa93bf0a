"""Keras's own calls: what `compile` stands for where it is told nothing, and strings where a model has a tokenizer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from bert_tf.models.backbones.row_ends import seeing_no_padding
from bert_tf.sentinels import IGNORED_LABEL

LEARNING_RATE = 5e-5  # of the three that Devlin et al. name, section A.3, what most fine-tunings take
WEIGHT_DECAY = 0.01


class Compiled(keras.Model):
    """A model whose `compile()` knows what it learns, and whose `fit`, `evaluate` and `predict` may take strings."""

    def __setattr__(self, name, value):
        if name == "preprocessor":
            object.__setattr__(self, name, value)  # Keras would make it a layer of the model
        else:
            super().__setattr__(name, value)

    @property
    def preprocessor(self) -> Any:
        """What makes inputs of strings, a `bert_tf.BertPreprocessor`, or None."""
        return self.__dict__.get("_preprocessor")

    @preprocessor.setter
    def preprocessor(self, value: Any) -> None:
        if value is not None and not hasattr(value, "prepared"):
            raise ValueError(f"`preprocessor` must be a BertPreprocessor or None. Received: preprocessor={value!r}")
        self.__dict__["_preprocessor"] = value
        if value is not None:
            seeing_no_padding(self)

    def head_metrics(self) -> list[Any]:
        """New metrics for `compile()`; each is given labels and the model's outputs."""
        return []

    def compile(self, optimizer=None, loss=None, *args, **options):
        """As Keras has it. Without a loss, the head's own is learned.

        Without an optimizer, it is AdamW with a learning rate of 5e-5 and decay of all but biases and norms; if no
        loss and no metrics are given either, the head's own metrics are shown, such as accuracy.
        """
        told = loss is not None or args or any(options.get(name) for name in ("metrics", "weighted_metrics"))
        shown = [] if optimizer is not None or told else self.head_metrics()
        self.__dict__["_shown"] = shown  # not tracked, as another `compile` is to replace them
        super().compile(_adamw() if optimizer is None else optimizer, loss, *args, **options)

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.optimizer is not None and self.built:
            self.optimizer.build(self.trainable_variables)

    @property
    def metrics(self):
        return [*super().metrics, *self.__dict__.get("_shown", ())]

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        labels = y.get("labels") if isinstance(y, Mapping) else y
        if labels is not None:
            for metric in self.__dict__.get("_shown", ()):
                metric.update_state(labels, y_pred)
        return super().compute_metrics(x, y, y_pred, sample_weight)

    def fit(self, x=None, y=None, *args, validation_data=None, **options):
        """As Keras has it; strings, in `validation_data` too, where the model has a `preprocessor`."""
        if isinstance(validation_data, (tuple, list)):
            first, *others = validation_data
            validation_data = (self._prepared(first), *map(self._labels, others))
        elif validation_data is not None:
            validation_data = self._prepared(validation_data)
        return super().fit(self._prepared(x), self._labels(y), *args, validation_data=validation_data, **options)

    def evaluate(self, x=None, y=None, *args, **options):
        """As Keras has it; strings where the model has a `preprocessor`."""
        return super().evaluate(self._prepared(x), self._labels(y), *args, **options)

    def predict(self, x, *args, **options):
        """As Keras has it; strings where the model has a `preprocessor`."""
        return super().predict(self._prepared(x), *args, **options)

    def _prepared(self, x: Any) -> Any:
        return x if self.preprocessor is None else self.preprocessor.prepared(x)

    def _labels(self, y: Any) -> Any:
        """A list as an array, which goes with texts as a list; Keras takes arrays alone."""
        return np.asarray(y) if self.preprocessor is not None and isinstance(y, list) else y


class Accuracy(keras.metrics.Mean):
    """The share of labels, integers [...], that are the class with the highest score of [..., C]; -100 do not count."""

    def __init__(self, name: str = "accuracy"):
        super().__init__(name=name, dtype="float32")

    def update_state(self, labels, scores, sample_weight=None):
        labels = ops.convert_to_tensor(labels)
        if len(labels.shape) == len(scores.shape):  # Keras gives a column of labels as [B, 1]
            labels = labels[..., 0]
        right = ops.equal(ops.cast(labels, "int32"), ops.cast(ops.argmax(scores, axis=-1), "int32"))
        counts = ops.cast(ops.not_equal(labels, IGNORED_LABEL), "float32")
        return super().update_state(ops.cast(right, "float32"), counts)


def _adamw() -> Any:
    optimizer = keras.optimizers.AdamW(LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    optimizer.exclude_from_weight_decay(var_names=["bias", "beta", "gamma", "norm"])
    return optimizer
