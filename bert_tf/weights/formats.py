"""Reads a checkpoint of any format from any place."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple

from bert_tf.errors import UserError
from bert_tf.guard import held
from bert_tf.weights.checkpoint import Checkpoint
from bert_tf.weights.google import read as google
from bert_tf.weights.hugging_face import read as hugging_face
from bert_tf.weights.keras_hub import read as keras_hub
from bert_tf.weights.leave import Leave
from bert_tf.weights.places import folder_of, resolve
from bert_tf.weights.sizes import check_sizes
from bert_tf.weights.unread import what_is_here

# Files that stand for the folder they lie in; any other that is named is what is read.
DESCRIPTIONS = ("config.json", "bert_config.json", "vocab.txt", "tokenizer.json", "tokenizer_config.json")
# What a training of Transformers leaves beside a model.
NO_MODEL = ("training_args.bin", "optimizer.pt", "optimizer.bin", "scheduler.pt", "rng_state.pth")
LOG = logging.getLogger(__name__)


class Format(NamedTuple):
    """One way to keep a model."""

    name: str  # for people
    is_at: Callable[[Path], bool]
    read: Callable[[Path, Leave], Checkpoint]


# In a folder with several the first is read.
FORMATS = (
    Format("a KerasHub preset", keras_hub.is_keras_hub, keras_hub.read_keras_hub),
    Format("a Hugging Face folder", hugging_face.is_hugging_face, hugging_face.read_hugging_face),
    Format("a TF 1 checkpoint", google.is_google, google.read_google),
)


def load(where: str | os.PathLike[str], *, ignore: Collection[str] = ()) -> Checkpoint:
    """Finds out what lies at `where` and reads its names, shapes and config; arrays are read when asked for.

    Args:
        where: a place as `places.resolve` takes it.
        ignore: facts of the files to leave out although answers may change: keys of config.json, names or patterns
            (`*`) of tensors, or adapter_config.json.
    Raises: UserError naming the file and what is wrong with it, or what of `ignore` was not found.
    """
    place, leave = resolve(where), Leave(ignore)
    if place.is_file() and (place.name in DESCRIPTIONS or place.name == keras_hub.WEIGHTS):
        place = place.parent
    hugging_face.check_adapter(folder_of(place), leave)
    found = [row for row in FORMATS if row.is_at(place)]
    if not found and place.is_file():
        known = ", ".join(suffix for file in hugging_face.FILES for suffix in file.suffixes)
        raise UserError(f"{place} is no file of weights by its name: expected a folder, or a file that ends in {known}")
    if not found:
        raise UserError(
            f"{place} holds no weights: expected {_names()} (Hugging Face), bert_model.ckpt.index with "
            f"{google.CONFIG} (Google TF 1), or {keras_hub.WEIGHTS} with config.json (KerasHub); "
            f"{what_is_here(place)}{_how_to_name(place)}"
        )
    if len(found) > 1:
        others = " and ".join(row.name for row in found[1:])
        LOG.warning("%s is %s and also %s: the first is read", place, found[0].name, others)
    with held(place, found[0].name):
        checkpoint = found[0].read(place, leave)
    check_sizes(checkpoint)
    if leave.unmet:
        raise UserError(f"`ignore` names {', '.join(leave.unmet)}, and {place} has no such key, tensor or file")
    return checkpoint


def _how_to_name(folder: Path) -> str:
    """For the end of an error: weights under a name of their own, or in a folder within, can be named."""
    suffixes = {suffix for file in hugging_face.FILES for suffix in file.suffixes}
    found = sorted(path for path in folder.iterdir() if path.suffix in suffixes and path.name not in NO_MODEL)
    if found:
        return f"; a file of weights with a name of its own is read where it is named: {found[0]}"
    inside = sorted(path for path in folder.iterdir() if path.is_dir() and any(row.is_at(path) for row in FORMATS))
    return f"; there is a model in {', '.join(map(str, inside[:3]))}" if inside else ""


def _names() -> str:
    *names, last = (file.name for file in hugging_face.FILES)
    return f"{', '.join(names)} or {last}"
