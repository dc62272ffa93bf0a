"""Reads the files that TensorFlow's savers write: <prefix>.index and <prefix>.data-*, a tensor a name."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from bert_tf.errors import UserError
from bert_tf.weights.checkpoint import Tensor
from bert_tf.weights.readers.safe import to_float32

STATE = "checkpoint"  # the file in which a saver notes its newest checkpoint
NEWEST = re.compile(r'^model_checkpoint_path:\s*"(.*)"', re.MULTILINE)
PARTS = re.compile(r"(.+)\.(index|meta|data-\d+-of-\d+)")


def prefix_of(path: Path) -> Path | None:
    """The checkpoint that `path` names, by its prefix or by one of its files; None if it names none."""
    if path.is_file() and (part := PARTS.fullmatch(path.name)):
        path = path.with_name(part[1])
    return path if path.with_name(f"{path.name}.index").is_file() else None


def prefixes_in(folder: Path) -> list[Path]:
    """The checkpoints of a folder, in the order of their names; an .index without data beside it is none."""
    found = (file.with_suffix("") for file in sorted(folder.glob("*.index")))
    return [prefix for prefix in found if any(folder.glob(f"{_literally(prefix.name)}.data-*-of-*"))]


def newest_by_state(folder: Path) -> Path | None:
    """The checkpoint that the folder's file `checkpoint` names, wherever it was written; None if it is not there."""
    try:
        match = NEWEST.search((folder / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if match is None:
        return None
    return prefix_of(folder / match[1].replace("\\", "/").rpartition("/")[2])


def read_bundle(prefix: Path) -> dict[str, Tensor]:
    """The tensors of one checkpoint, floats as float32. Raises: UserError naming the file and what is wrong."""
    import tensorflow as tf

    try:
        reader = tf.train.load_checkpoint(str(prefix))
        shapes = reader.get_variable_to_shape_map()
    except Exception as error:  # TensorFlow raises errors of many types for a broken file
        raise UserError(f"{prefix} is no readable TensorFlow checkpoint: {str(error).splitlines()[0]}") from error

    def tensor(name: str) -> Tensor:
        def read() -> np.ndarray:
            try:
                return to_float32(np.asarray(reader.get_tensor(name)), "")
            except Exception as error:  # as above
                raise UserError(f"{prefix}: tensor {name} cannot be read: {str(error).splitlines()[0]}") from error

        return Tensor(name, tuple(shapes[name]), read)

    return {name: tensor(name) for name in sorted(shapes)}


def _literally(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)
