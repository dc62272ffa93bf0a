"""What the formats ONNX and OpenVINO share: files that take batches of rows of tokens, of any number and length."""

from __future__ import annotations

import abc
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from bert_tf.errors import UserError
from bert_tf.exporting.artefact import Artefact, Loaded
from bert_tf.exporting.run import Run

if TYPE_CHECKING:
    from bert_tf.exporting.row_files.graph import Graph
    from bert_tf.kinds.base import Kind
    from bert_tf.kinds.serving import Contract
    from bert_tf.runtimes.base import RowsModel

TASK = "task.json"
Self = TypeVar("Self", bound="RowFiles")


@dataclasses.dataclass(frozen=True, kw_only=True)
class RowFiles(Artefact):
    """A `model_<quantization>` file for each of `quantize`; beside them the tokenizer's files, `labels.txt`,
    `task.json` with all that a program needs to make answers of what they give, and a README.

    A file takes token_ids, segment_ids and padding_mask, int32 [B, T] each, of any B and T. What it gives: the
    `Contract` of `bert_tf.kinds.serving`.
    """

    name: ClassVar[str]
    """Of the format."""
    quantizations: ClassVar[tuple[str, ...]]
    """What `quantize` may hold."""

    quantize: tuple[str, ...] = ("float32",)

    def __post_init__(self) -> None:
        chosen = self.quantize
        if not chosen or set(chosen) - set(self.quantizations) or len(set(chosen)) < len(chosen):
            raise ValueError(
                f"`quantize` must be different ones of {', '.join(self.quantizations)}. Received: quantize={chosen!r}"
            )

    def check(self, kind: Kind) -> None:
        refuses = kind.serving.refuses
        if self.name in refuses:
            raise UserError(f"--format={self.name}: {refuses[self.name]}")
        self.check_packages()

    @abc.abstractmethod
    def check_packages(self) -> None:
        """Raises: UserError that names the extra, where what it brings is not installed."""

    @abc.abstractmethod
    def convert(self, graph: Graph, run: Run, folder: Path) -> None:
        """Writes the `file` of each of `quantize`."""

    @abc.abstractmethod
    def file(self, folder: Path, quantization: str) -> Path:
        """Where it is written."""

    def files(self, path: Path) -> Sequence[Path]:
        """All that belongs to one of them."""
        return [path]

    @abc.abstractmethod
    def opened(self, path: Path, contract: Contract, **of_model: Any) -> dict[str, RowsModel]:
        """The file behind what a kind expects of a model: one for each way of running it that is to be checked, by what
        that adds to the quantization's name.

        Args:
            of_model: what the Keras model says besides, as `OnnxModel` takes it.
        """

    @abc.abstractmethod
    def write_readme(self, folder: Path, described: dict[str, Any]) -> None:
        """README.md, from what task.json says."""

    def write(self, run: Run, folder: Path) -> None:
        from bert_tf.exporting.row_files.graph import INPUTS, graph_of
        from bert_tf.exporting.tflite import task_json
        from bert_tf.exporting.tflite.metadata import files
        from bert_tf.weights.files import write_json

        contract = task_json.contract_of(run)
        self.convert(graph_of(run.model, contract), run, folder)
        described = task_json.describe(run, contract)
        described |= {"format": f"bert_tf.{self.name}", "prompt": getattr(run.model, "prompt", "")}
        described["models"] = [
            {
                "file": self.file(folder, quantization).name,
                "quantization": quantization,
                "takes": "tensors",
                "inputs": list(INPUTS),
                "outputs": [dataclasses.asdict(note) for note in contract.outputs],
            }
            for quantization in self.quantize
        ]
        run.tokenizer.save_pretrained(folder)
        for name, content in files(vocabulary=None, labels=contract.labels).items():
            (folder / name).write_bytes(content)
        write_json(folder / TASK, described)
        self.write_readme(folder, described)

    def load(self, run: Run, folder: Path) -> list[Loaded]:
        from bert_tf.exporting.row_files.loaded import LoadedRows
        from bert_tf.exporting.tflite.task_json import contract_of

        contract, found = contract_of(run), []
        nothing = {"reject_below": 0.0, "labels": (), "prompt": ""}
        of_model = {name: getattr(run.model, name, default) for name, default in nothing.items()}
        for quantization in self.quantize:
            path = self.file(folder, quantization)
            for way, model in self.opened(path, contract, **of_model).items():
                found.append(LoadedRows(f"{quantization}{way}", self.files(path), run, model))
        return found

    def of_folder(self: Self, folder: Path) -> Self:
        models = json.loads((folder / TASK).read_text(encoding="utf-8"))["models"]
        return dataclasses.replace(self, quantize=tuple(model["quantization"] for model in models))

    def hints(self, place: Path) -> list[str]:
        models = json.loads((place / TASK).read_text(encoding="utf-8"))["models"]
        return [f"{place / model['file']}: how it is asked: {place / 'README.md'}" for model in models[:1]]
