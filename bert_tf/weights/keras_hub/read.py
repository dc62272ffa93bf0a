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
from bert_tf.weights.checkpoint import Checkpoint, Tensor
from bert_tf.weights.files import write_json, write_lines, written_folder
from bert_tf.weights.json_file import read_json
from bert_tf.weights.keras_hub import config as keras_hub_config
from bert_tf.weights.keras_hub.tasks import read_task
from bert_tf.weights.leave import Leave
from bert_tf.weights.readers.hdf5 import read_hdf5
from bert_tf.weights.tables import KERAS_HUB, read_backwards, read_forwards

WEIGHTS, SHARDS, TASK_WEIGHTS = "model.weights.h5", "model.weights.json", "task.weights.h5"
VOCABULARY = "assets/tokenizer/vocabulary.txt"
TASK = "task:"  # marks names of the second file
# keras_hub compiles a task as it makes it, and its reader wants the optimizer's two numbers: steps and learning rate.
OPTIMIZER = {"optimizer/vars/0": np.int32(0), "optimizer/vars/1": np.float32(5e-5)}
LOG = logging.getLogger(__name__)


def is_keras_hub(place: Path) -> bool:
    """Whether `place` is a preset's folder."""
    return (place / WEIGHTS).is_file() or (place / SHARDS).is_file()


def read_keras_hub(folder: Path, leave: Leave | None = None) -> Checkpoint:
    """Reads a preset of a BertBackbone, with the head of a classifier or a masked language model, if it has one.

    Args:
        folder: the preset's.
        leave: what to leave out although it changes answers.
    Raises: UserError naming the file and what is wrong.
    """
    leave = Leave() if leave is None else leave
    config, warnings = keras_hub_config.read(folder / "config.json")
    task = read_task(folder, leave)
    tensors = _read_weights(folder)
    if task.head and (folder / TASK_WEIGHTS).is_file():
        heads = {f"{TASK}{_plain_name(name)}": tensor for name, tensor in read_hdf5(folder / TASK_WEIGHTS).items()}
        tensors.update((name, tensor) for name, tensor in heads.items() if name.startswith(f"{TASK}layers/"))
    tensors = {name: tensors[name] for name in leave.without(tensors)}
    arrays, extra = read_forwards(KERAS_HUB, tensors, config["num_layers"])
    vocabulary = folder / VOCABULARY
    return Checkpoint(
        where=folder,
        format="keras_hub",
        config=config,
        arrays=arrays,
        extra=extra,
        problem=task.problem,
        head_dropout=task.dropout,
        settings=task.settings,
        vocabulary=vocabulary if vocabulary.is_file() else None,
        warnings=(*warnings, *task.warnings),
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
    if heads := sorted(path for path in arrays if path.startswith("masked_lm/")):
        # Theirs has another activation and another epsilon than its backbone: it would compute something else.
        raise ValueError(f"this format has no place for: {', '.join(heads)}")
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


def _read_weights(folder: Path) -> dict[str, Tensor]:
    """The backbone's tensors, of one file or of the shards that model.weights.json names."""
    if (folder / WEIGHTS).is_file():
        paths = [folder / WEIGHTS]
    else:
        places = read_json(folder / SHARDS).get("weight_map")
        names = {name for names in (places or {}).values() for name in ([names] if isinstance(names, str) else names)}
        if not names or any(Path(name).name != name or not (folder / name).is_file() for name in names):
            listed = ", ".join(sorted(names)) or "none"
            raise UserError(
                f"{folder / SHARDS}: its `weight_map` must name files that lie beside it. Received: {listed}"
            )
        paths = [folder / name for name in sorted(names)]
    return {_plain_name(name): tensor for path in paths for name, tensor in read_hdf5(path).items()}


def _plain_name(name: str) -> str:
    """Keras before 3.3 wrote the attention's sublayers with an underscore in front, and had another name for layers;
    KerasNLP before 0.7 had other names for those of the masked-LM head."""
    name = name.replace("_layer_checkpoint_dependencies/", "layers/")
    for part in ("dense", "layer_norm"):
        name = name.replace(f"/masked_lm_head/_{part}/", f"/masked_lm_head/_intermediate_{part}/")
    for part in ("query", "key", "value", "output"):
        name = name.replace(f"/_{part}_dense/", f"/{part}_dense/")
    return name
