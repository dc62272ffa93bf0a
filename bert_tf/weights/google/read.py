"""Reads and writes Google's TF 1 checkpoints: bert_config.json, vocab.txt, bert_model.ckpt.*.

Reference: https://github.com/google-research/bert
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bert_tf.errors import UserError
from bert_tf.weights.checkpoint import Checkpoint
from bert_tf.weights.files import write_json, write_lines, written_folder
from bert_tf.weights.google.names import plain_names
from bert_tf.weights.hugging_face.config import config_from, remarks_on
from bert_tf.weights.hugging_face.read import vocabulary_of
from bert_tf.weights.hugging_face.save import to_hugging_face_config
from bert_tf.weights.json_file import read_json
from bert_tf.weights.leave import Leave
from bert_tf.weights.members import BERT
from bert_tf.weights.readers import tensor_bundle
from bert_tf.weights.tables import GOOGLE, read_backwards, read_forwards

CONFIG = "bert_config.json"
PREFIX = "bert_model.ckpt"
# Activations that Google's code knows; its gelu is what `gelu` is here.
ACTIVATIONS = ("gelu", "relu", "tanh", "linear")
SIZES = ("hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size")  # what makes a JSON file a config
LOG = logging.getLogger(__name__)


def is_google(place: Path) -> bool:
    """Whether `place` is a checkpoint's prefix or one of its files, or a folder with one."""
    if place.is_dir():
        return bool(tensor_bundle.prefixes_in(place))
    return tensor_bundle.prefix_of(place) is not None


def read_google(place: Path, leave: Leave | None = None) -> Checkpoint:
    """Reads a checkpoint with Google's names; what its training kept there is left aside.

    Args:
        place: a folder with bert_config.json and a checkpoint, or the prefix, or a file, of a checkpoint.
        leave: what to leave out although it changes answers.
    Raises: UserError naming the file and what is wrong.
    """
    prefix = _prefix(place) if place.is_dir() else tensor_bundle.prefix_of(place)
    if prefix is None:
        raise UserError(f"{place} holds no TF 1 checkpoint")
    folder = prefix.parent
    leave = Leave() if leave is None else leave
    found = tensor_bundle.read_bundle(prefix)
    tensors = plain_names({name: found[name] for name in leave.without(found)}, prefix)
    path = _config_file(folder)
    raw = read_json(path)
    config = config_from(raw, path, leave, members=(BERT,))
    arrays, extra = read_forwards(GOOGLE, tensors, config["num_layers"])
    return Checkpoint(
        where=place,
        format="google",
        config=config,
        arrays=arrays,
        extra=extra,
        vocabulary=vocabulary_of(folder),
        warnings=tuple(remarks_on(raw, path)),
    )


def save_google(
    folder: str | os.PathLike[str],
    config: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    *,
    vocabulary: Sequence[str] | None = None,
) -> None:
    """Writes a folder that google-research/bert reads: bert_config.json, bert_model.ckpt.* and vocab.txt.

    Raises: ValueError if the config is one that Google's code cannot compute.
    """
    import tensorflow as tf

    if config["activation"] not in ACTIVATIONS or config.get("position_kind", "learned") != "learned":
        raise ValueError(
            f"`config`: Google's code knows activations {', '.join(ACTIVATIONS)} and learned positions. Received: "
            f"activation={config['activation']}, position_kind={config.get('position_kind', 'learned')}"
        )
    theirs = read_backwards(GOOGLE, arrays, config["num_layers"], config["num_heads"])
    names = sorted(theirs)
    raw = to_hugging_face_config(config)
    with written_folder(folder) as work:
        tf.raw_ops.SaveV2(
            prefix=str(work / PREFIX),
            tensor_names=names,
            shape_and_slices=[""] * len(names),
            tensors=[tf.constant(theirs[name]) for name in names],
        )
        write_json(work / CONFIG, raw)
        if vocabulary is not None:
            write_lines(work / "vocab.txt", vocabulary)


def _prefix(folder: Path) -> Path | None:
    """The checkpoint to read of a folder. Raises: UserError if there are several and nothing says which."""
    found = tensor_bundle.prefixes_in(folder)
    if len(found) < 2:
        return found[0] if found else None
    newest = tensor_bundle.newest_by_state(folder)
    chosen = newest if newest in found else (folder / PREFIX if folder / PREFIX in found else None)
    if chosen is None:
        names = ", ".join(prefix.name for prefix in found)
        raise UserError(f"{folder} holds several checkpoints ({names}): name one of them, e.g. {found[0]}")
    why = f"as its file `{tensor_bundle.STATE}` says" if chosen == newest else "its own name for a whole model"
    others = ", ".join(prefix.name for prefix in found if prefix != chosen)
    LOG.warning("%s holds several checkpoints: %s is read, %s; not read: %s", folder, chosen.name, why, others)
    return chosen


def _config_file(folder: Path) -> Path:
    if (folder / CONFIG).is_file():
        return folder / CONFIG
    found = [path for path in sorted(folder.glob("*config*.json")) if all(key in _object(path) for key in SIZES)]
    if len({str(_object(path)) for path in found}) > 1:
        names = ", ".join(path.name for path in found)
        raise UserError(f"{folder} holds several configs ({names}) and no {CONFIG}: rename the right one to {CONFIG}")
    if not found:
        raise UserError(f"{folder} holds no {CONFIG}, which describes the model")
    LOG.warning("%s holds no %s: %s is read", folder, CONFIG, found[0].name)
    return found[0]


def _object(path: Path) -> dict[str, Any]:
    try:
        return read_json(path)
    except UserError:
        return {}
