"""Raw text for Keras's own `fit`, `evaluate` and `predict`."""

from bert_tf.preprocessing.text import BertPreprocessor

__all__ = ["BertPreprocessor"]
