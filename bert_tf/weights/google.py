"""Reads and writes Google's TF 1 checkpoints: bert_config.json, vocab.txt, bert_model.ckpt.*.

Reference: https://github.com/google-research/bert
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bert_tf.errors import UserError
from bert_tf.weights.checkpoint import Checkpoint, Tensor
from bert_tf.weights.files import write_json, write_lines, written_folder
from bert_tf.weights.hugging_face import config_from, read_json, vocabulary_of
from bert_tf.weights.hugging_face_save import to_hugging_face_config
from bert_tf.weights.safe import to_float32
from bert_tf.weights.tables import GOOGLE, read_backwards, read_forwards

CONFIG = "bert_config.json"
PREFIX = "bert_model.ckpt"
OPTIMIZER = re.compile(r".*/(adam|lamb)_[mv](_\d+)?|global_step|beta[12]_power|.*/Adam(_\d+)?")
# Activations that Google's code knows; its gelu is what `gelu` is here.
ACTIVATIONS = ("gelu", "relu", "tanh", "linear")


def is_google(place: Path) -> bool:
    """Whether `place` is a checkpoint's prefix, or a folder with one."""
    return _prefix(place) is not None


def read_google(place: Path) -> Checkpoint:
    """Reads a checkpoint with Google's names; the optimizer's slots are left aside.

    Args:
        place: a folder with bert_config.json and one checkpoint, or the prefix of a checkpoint.
    Raises: UserError naming the file and what is wrong.
    """
    import tensorflow as tf

    prefix = _prefix(place)
    if prefix is None:
        raise UserError(f"{place} holds no TF 1 checkpoint")
    folder = prefix.parent
    config = config_from(read_json(folder / CONFIG), folder / CONFIG)
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        shapes = reader.get_variable_to_shape_map()
    except Exception as error:  # TensorFlow raises errors of many types for a broken file
        raise UserError(f"{prefix} is no readable TF 1 checkpoint: {str(error).splitlines()[0]}") from error

    def tensor(name: str) -> Tensor:
        def read() -> np.ndarray:
            try:
                return to_float32(np.asarray(reader.get_tensor(name)), "")
            except Exception as error:  # as above
                raise UserError(f"{prefix}: tensor {name} cannot be read: {str(error).splitlines()[0]}") from error

        return Tensor(name, tuple(shapes[name]), read)

    tensors = {name: tensor(name) for name in shapes if not OPTIMIZER.fullmatch(name)}
    arrays, extra = read_forwards(GOOGLE, tensors, config["num_layers"])
    return Checkpoint(
        where=place,
        format="google",
        config=config,
        arrays=arrays,
        extra=extra,
        vocabulary=vocabulary_of(folder),
        lowercase=_lowercase(folder.name),
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


def _prefix(place: Path) -> Path | None:
    if place.with_name(place.name + ".index").is_file():
        return place
    if not (place / CONFIG).is_file():
        return None
    if (place / f"{PREFIX}.index").is_file():
        return place / PREFIX
    found = sorted(place.glob("*.ckpt*.index"))
    if len(found) > 1:
        names = ", ".join(file.name.removesuffix(".index") for file in found)
        raise UserError(
            f"{place} holds several checkpoints ({names}): name one of them, e.g. {place / names.split(', ')[0]}"
        )
    return found[0].with_suffix("") if found else None


def _lowercase(name: str) -> bool | None:
    """By the folder's name, as google-research/bert `tokenization.py` does."""
    if name.startswith(("uncased_", "multilingual_", "chinese_")):
        return True
    return False if name.startswith(("cased_", "multi_cased_")) else None
