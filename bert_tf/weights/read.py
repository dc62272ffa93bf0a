"""Reads a checkpoint of any format from any place."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bert_tf.errors import UserError
from bert_tf.weights import google, hugging_face, keras_hub
from bert_tf.weights.checkpoint import Checkpoint
from bert_tf.weights.places import resolve
from bert_tf.weights.unread import what_is_here

LOG = logging.getLogger(__name__)


class Format(NamedTuple):
    """One way to keep a model."""

    name: str  # for people
    is_at: Callable[[Path], bool]
    read: Callable[[Path], Checkpoint]


# In a folder with several the first is read.
FORMATS = (
    Format("a KerasHub preset", keras_hub.is_keras_hub, keras_hub.read_keras_hub),
    Format("a Hugging Face folder", hugging_face.is_hugging_face, hugging_face.read_hugging_face),
    Format("a TF 1 checkpoint", google.is_google, google.read_google),
)


def load(where: str | os.PathLike[str]) -> Checkpoint:
    """Finds out what lies at `where` and reads its names, shapes and config; arrays are read when asked for.

    Args:
        where: a place as `places.resolve` takes it.
    Raises: UserError naming the file and what is wrong with it.
    """
    place = resolve(where)
    found = [row for row in FORMATS if row.is_at(place)]
    if not found:
        raise UserError(
            f"{place} holds no weights: expected {_names()} (Hugging Face), bert_model.ckpt.index with "
            f"{google.CONFIG} (Google TF 1), or {keras_hub.WEIGHTS} with config.json (KerasHub); {what_is_here(place)}"
        )
    if len(found) > 1:
        others = " and ".join(row.name for row in found[1:])
        LOG.warning("%s is %s and also %s: read is the first", place, found[0].name, others)
    return found[0].read(place)


def _names() -> str:
    *names, last = (file.name for file in hugging_face.FILES)
    return f"{', '.join(names)} or {last}"
