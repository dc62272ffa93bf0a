"""Reads a checkpoint of any format from any place."""

from __future__ import annotations

import os

from bert_tf.errors import UserError
from bert_tf.weights import google, hugging_face, keras_hub
from bert_tf.weights.checkpoint import Checkpoint
from bert_tf.weights.places import resolve


def load(where: str | os.PathLike[str]) -> Checkpoint:
    """Finds out what lies at `where` and reads its names, shapes and config; arrays are read when asked for.

    Args:
        where: a place as `places.resolve` takes it.
    Raises: UserError naming the file and what is wrong with it.
    """
    place = resolve(where)
    if keras_hub.is_keras_hub(place):
        return keras_hub.read_keras_hub(place)
    if google.is_google(place):
        return google.read_google(place)
    if hugging_face.is_hugging_face(place):
        return hugging_face.read_hugging_face(place)
    raise UserError(
        f"{place} holds no weights: expected model.safetensors or pytorch_model.bin (Hugging Face), "
        "bert_model.ckpt.index with bert_config.json (Google TF 1), or model.weights.h5 with config.json (KerasHub)"
    )
