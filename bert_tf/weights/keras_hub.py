"""Reads and writes KerasHub presets: config.json, model.weights.h5, assets/tokenizer/vocabulary.txt, task.weights.h5.

KerasHub's BERT computes GELU by the tanh approximation, so a preset is read with `activation="gelu_tanh"`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bert_tf.errors import UserError
from bert_tf.weights import keras_hub_config
from bert_tf.weights.checkpoint import Checkpoint, Tensor
from bert_tf.weights.files import write_json, write_lines, written_folder
from bert_tf.weights.json_file import read_json
from bert_tf.weights.leave import Leave
from bert_tf.weights.safe import to_float32
from bert_tf.weights.tables import KERAS_HUB, read_backwards, read_forwards

WEIGHTS, TASK_WEIGHTS = "model.weights.h5", "task.weights.h5"
VOCABULARY = "assets/tokenizer/vocabulary.txt"
TASK = "task:"  # marks names of the second file
# keras_hub compiles a task as it makes it, and its reader wants the optimizer's two numbers: steps and learning rate.
OPTIMIZER = {"optimizer/vars/0": np.int32(0), "optimizer/vars/1": np.float32(5e-5)}
CLASSIFIERS = ("BertTextClassifier", "BertClassifier")
LOG = logging.getLogger(__name__)


def is_keras_hub(place: Path) -> bool:
    """Whether `place` is a preset's folder."""
    return (place / WEIGHTS).is_file()


def read_keras_hub(folder: Path, leave: Leave | None = None) -> Checkpoint:
    """Reads a preset of a BertBackbone, with the classifier's head where task.json names one.

    Args:
        folder: the preset's.
        leave: what to leave out although it changes answers.
    Raises: UserError naming the file and what is wrong.
    """
    config = keras_hub_config.read(folder / "config.json")
    tensors = _read_h5(folder / WEIGHTS, "")
    task = read_json(folder / "task.json") if (folder / "task.json").is_file() else {}
    is_classifier = task.get("class_name") in CLASSIFIERS
    if is_classifier and (folder / TASK_WEIGHTS).is_file():
        heads = _read_h5(folder / TASK_WEIGHTS, TASK)
        tensors.update((name, tensor) for name, tensor in heads.items() if name.startswith(f"{TASK}layers/"))
    if leave is not None:
        tensors = {name: tensors[name] for name in leave.without(tensors)}
    arrays, extra = read_forwards(KERAS_HUB, tensors, config["num_layers"])
    vocabulary = folder / VOCABULARY
    return Checkpoint(
        where=folder,
        format="keras_hub",
        config=config,
        arrays=arrays,
        extra=extra,
        head_dropout=task.get("config", {}).get("dropout") if is_classifier else None,
        vocabulary=vocabulary if vocabulary.is_file() else None,
        lowercase=_lowercase(folder),
    )


def save_keras_hub(
    folder: str | os.PathLike[str],
    config: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    *,
    vocabulary: Sequence[str] | None = None,
    lowercase: bool = True,
    **tokenizer: Any,
) -> None:
    """Writes a preset that keras_hub's `from_preset` loads; with a classifier's head also as a BertTextClassifier.

    Args:
        folder: where to write it.
        config: BertConfig's fields.
        arrays: our paths -> arrays.
        vocabulary: tokens to write beside the weights.
        lowercase: what the preset's tokenizer does.
        tokenizer: further arguments of KerasHub's BertTokenizer.
    Raises: ValueError if KerasHub's BERT cannot compute this config. Its GELU is always the tanh approximation: a
        model with the exact one is written with a warning.
    """
    import h5py

    keras_hub_config.check(config)
    if config["activation"] == "gelu":
        LOG.warning("KerasHub's BERT approximates GELU by tanh: its hidden states will differ by some thousandths")
    theirs = read_backwards(KERAS_HUB, arrays, config["num_layers"], config["num_heads"])
    num_classes = arrays["classifier/bias"].shape[0] if "classifier/bias" in arrays else None
    with written_folder(folder) as work:
        files = [(WEIGHTS, "")] if num_classes is None else [(WEIGHTS, ""), (TASK_WEIGHTS, TASK)]
        for file_name, mark in files:
            with h5py.File(work / file_name, "w") as file:
                for name, array in theirs.items():
                    if name.startswith(TASK) == bool(mark):
                        file.create_dataset(name.removeprefix(mark), data=array)
                if mark:
                    for name, value in OPTIMIZER.items():
                        file.create_dataset(name, data=value)
        words = None if vocabulary is None else {"lowercase": lowercase, **tokenizer}
        for file_name, value in keras_hub_config.files(config, num_classes, words).items():
            write_json(work / file_name, value)
        if vocabulary is not None:
            (work / VOCABULARY).parent.mkdir(parents=True)
            write_lines(work / VOCABULARY, vocabulary)


def _read_h5(path: Path, mark: str) -> dict[str, Tensor]:
    import h5py

    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            shapes[name] = tuple(item.shape)

    def tensor(name: str) -> Tensor:
        def read() -> np.ndarray:
            try:
                with h5py.File(path, "r") as file:
                    return to_float32(np.asarray(file[name]), "")
            except (OSError, KeyError) as error:
                raise UserError(f"{path}: tensor {name} cannot be read: {error}") from error

        return Tensor(name, shapes[name], read)

    try:
        with h5py.File(path, "r") as file:
            file.visititems(note)
    except OSError as error:
        raise UserError(f"{path} is truncated or no HDF5 file: {error}") from error
    return {mark + _plain_name(name): tensor(name) for name in shapes}


def _plain_name(name: str) -> str:
    """Keras before 3.3 wrote the attention's sublayers with an underscore in front."""
    for part in ("query", "key", "value", "output"):
        name = name.replace(f"/_{part}_dense/", f"/{part}_dense/")
    return name


def _lowercase(folder: Path) -> bool | None:
    path = folder / "tokenizer.json"
    value = read_json(path).get("config", {}).get("lowercase") if path.is_file() else None
    return value if isinstance(value, bool) else None
