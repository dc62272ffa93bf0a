"""Kinds of task: what a task file in `tasks/` is an object of."""

from bert_tf.kinds.base import Examples, Kind
from bert_tf.kinds.classification import Classification

__all__ = ["Classification", "Examples", "Kind"]
