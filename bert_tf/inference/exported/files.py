"""An exported model that another runtime runs, opened: its task and its tokenizer lie beside it."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import Field

from bert_tf.errors import UserError
from bert_tf.guard import Checked, held, read_json, typed
from bert_tf.inference import task_file

if TYPE_CHECKING:
    from bert_tf.kinds.base import Kind
    from bert_tf.text import Tokenizer

logger = logging.getLogger(__name__)

TASK = "task.json"
FORMATS = {".tflite": "tflite", ".onnx": "onnx", ".xml": "openvino"}
"""The suffix of a model's file -> the format of export that writes it."""
TENSORS = "tensors"


class OneModel(Checked):
    """An entry of `models` in task.json."""

    file: str
    takes: str


class Sequence(Checked):
    """What task.json says of the tokens."""

    max_length: Annotated[int, Field(ge=1)]


class Described(Checked):
    """What is read of task.json beside the task itself."""

    models: Annotated[list[OneModel], Field(min_length=1)]
    sequence: Sequence
    reject_below: float | None
    labels: list[str] | None
    prompt: str = ""


class Exported(NamedTuple):
    """A model's file, and what the task.json beside it says.

    Args:
        path: the file.
        format: of export, such as "tflite".
        described: all of task.json.
    """

    path: Path
    format: str
    described: Mapping[str, Any]

    def parts(self, task: Kind | None = None) -> tuple[Kind, Any, Tokenizer, int]:
        """What a pipeline is made of: the task, the model, its tokenizer, and most tokens of an example.

        Args:
            task: as the run has it, or with other settings; None: that of task.json.
        Raises: UserError for a task that the model is not for.
        """
        from bert_tf.text import Tokenizer

        kind = self._kind(task_file.from_json(self.described) if task is None else task)
        model = self._model(kind)
        tokenizer = Tokenizer.from_pretrained(self.path.parent)
        return kind.fitted(model, str(self.path)), model, tokenizer, kind.sequence_length

    def _kind(self, task: Kind) -> Kind:
        """The task as such a model answers it: what it does not give is left out of the answers, which is said."""
        with held(self.path.parent / TASK, "a length that the task can have"):
            task = dataclasses.replace(task, sequence_length=self.described["sequence"]["max_length"])
        if self.format in task.serving.refuses:
            raise UserError(f"{self.path}: {task.serving.refuses[self.format]}")
        kept = task.serving.contract.settings
        lost = [f"{name}={value!r}" for name, value in kept.items() if getattr(task, name) != value]
        if lost:
            logger.warning("%s: an exported model gives less than its run: it has %s", self.path, ", ".join(lost))
        return dataclasses.replace(task, **kept)

    def _model(self, kind: Kind) -> Any:
        """What stands where the kind expects a Keras model."""
        contract = kind.serving.contract
        options: dict[str, Any] = {
            "reject_below": self.described["reject_below"],
            "labels": self.described["labels"] or (),
        }
        if self.format == "tflite":
            from bert_tf.machine.cores import cores
            from bert_tf.runtimes.tflite import LiteFile, LiteModel

            return LiteModel(LiteFile(self.path, threads=cores()), contract, **options)
        options["prompt"] = self.described.get("prompt", "")
        if self.format == "onnx":
            from bert_tf.runtimes.onnx import OnnxModel

            return OnnxModel(self.path, contract, **options)
        from bert_tf.runtimes.openvino import OpenVinoModel

        return OpenVinoModel(self.path, contract, **options)


def exported_in(where: Path) -> Exported | None:
    """The exported model that `where` is, or that lies in the folder; None where it is neither.

    Raises: UserError for a file without task.json beside it, one that takes text, or a folder with several models.
    """
    if where.is_file():
        if where.suffix not in FORMATS:
            return None
        described = _described(where.parent)
        if described is None:
            raise UserError(
                f"{where}: expected the other files of its export beside it, {TASK} and the tokenizer's. "
                f"Received: {where.parent} without them"
            )
        found = [model for model in described["models"] if model["file"] == where.name]
        if not found:
            raise UserError(
                f"{where}: expected one of the models that {where.parent / TASK} describes. Received: another"
            )
    elif (described := _described(where)) is not None:
        found = [model for model in described["models"] if model["takes"] == TENSORS] or described["models"]
        if len(found) > 1:
            names = ", ".join(str(where / model["file"]) for model in found)
            raise UserError(f"{where}: expected a folder with one model, or the file of one. Received: {names}")
    else:
        return None
    (model,) = found
    if Path(model["file"]).name != model["file"]:
        raise UserError(f"{where}: expected a {TASK} of models beside it. Received: {model['file'][:80]!r}")
    path = (where if where.is_dir() else where.parent) / model["file"]
    if model["takes"] != TENSORS:
        raise UserError(
            f"{path}: expected a model that takes tensors, exported with --set inputs=tensors. "
            f"Received: one that takes {model['takes']:.80}"
        )
    if path.suffix not in FORMATS:
        raise UserError(f"{where}: expected a model's file of {', '.join(FORMATS)}. Received: {path.name:.80}")
    return Exported(path, FORMATS[path.suffix], described)


def _described(folder: Path) -> Mapping[str, Any] | None:
    """What stands in the task.json of an export; None where there is none."""
    try:
        described = read_json(folder / TASK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UserError(f"{folder / TASK}: cannot be read: {error.strerror}") from None
    if not isinstance(described, Mapping) or "models" not in described:
        return None
    typed(Described, described, folder / TASK)
    return described
