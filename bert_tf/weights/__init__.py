"""Weights in and out of files: NumPy arrays by path. Knows no Keras model."""

from bert_tf.weights.checkpoint import Arrays, Checkpoint, Tensor
from bert_tf.weights.formats import load
from bert_tf.weights.google.read import save_google
from bert_tf.weights.hugging_face.save import save_hugging_face
from bert_tf.weights.keras_hub.read import save_keras_hub
from bert_tf.weights.places import resolve

__all__ = [
    "Arrays",
    "Checkpoint",
    "Tensor",
    "load",
    "resolve",
    "save_google",
    "save_hugging_face",
    "save_keras_hub",
]
