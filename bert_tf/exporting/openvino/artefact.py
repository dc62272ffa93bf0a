"""OpenVINO's files, which run on Intel's processors, and others."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bert_tf.errors import UserError
from bert_tf.exporting.row_files.artefact import RowFiles
from bert_tf.exporting.run import Run

if TYPE_CHECKING:
    from bert_tf.exporting.row_files.graph import Graph
    from bert_tf.kinds.serving import Contract
    from bert_tf.runtimes.base import RowsModel

BFLOAT16 = ", bfloat16"


@dataclasses.dataclass(frozen=True, kw_only=True)
class OpenVino(RowFiles):
    """A `model_<quantization>.xml`, its weights in a `.bin` beside it, for each of `quantize`, and what `RowFiles`
    writes beside them.

    Args:
        quantize: any of "float32"; "float16", weights of 16 bits, with which a file works in float32 where the machine
            has nothing faster; "int8", weights and activations of 8 bits, whose ranges are learnt from examples.
        calibration_examples: training examples from which "int8" learns ranges.
    Raises: ValueError for a setting that cannot be.

    >>> OpenVino(quantize=("int8",)).file(Path("models"), "int8").as_posix()
    'models/model_int8.xml'
    """

    name: ClassVar[str] = "openvino"
    quantizations: ClassVar[tuple[str, ...]] = ("float32", "float16", "int8")

    calibration_examples: int = 300

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.calibration_examples < 1:
            raise ValueError(
                f"`calibration_examples` must be 1 or more. Received: calibration_examples={self.calibration_examples}"
            )

    def check_packages(self) -> None:
        from bert_tf.runtimes.openvino import openvino

        openvino()
        if "int8" in self.quantize:
            from bert_tf.exporting.openvino.convert import nncf

            nncf()

    def file(self, folder: Path, quantization: str) -> Path:
        return folder / f"model_{quantization}.xml"

    def files(self, path: Path) -> Sequence[Path]:
        return [path, path.with_suffix(".bin")]

    def convert(self, graph: Graph, run: Run, folder: Path) -> None:
        from bert_tf.exporting.openvino.convert import quantized, save, to_openvino

        model = to_openvino(graph)
        for quantization in self.quantize:
            found = quantized(model, self._calibration(run)) if quantization == "int8" else model
            save(found, self.file(folder, quantization), float16=quantization != "float32")

    def _calibration(self, run: Run) -> list[dict[str, Any]]:
        """The first training examples as the model's inputs, int32 [1, T] each."""
        from bert_tf.exporting.row_files.graph import INPUTS

        examples = run.training_examples(self.calibration_examples)
        features = run.kind.features(run.tokenizer, examples, sequence_length=run.sequence_length)
        rows = list(zip(features.splits[:-1], features.splits[1:], strict=True))[: self.calibration_examples]
        if not rows:
            raise UserError("--quantize=int8: expected training examples to learn ranges from. Received: none")
        return [
            dict(
                zip(
                    INPUTS,
                    (
                        features.token_ids[None, start:end],
                        features.segment_ids[None, start:end],
                        features.token_ids[None, start:end] * 0 + 1,
                    ),
                    strict=True,
                )
            )
            for start, end in rows
        ]

    def opened(self, path: Path, contract: Contract, **of_model: Any) -> dict[str, RowsModel]:
        from bert_tf.runtimes.openvino import OpenVinoModel, has_bfloat16

        # With weights of 16 bits or 32 the same is worked out.
        ways = {"": "f32", **({BFLOAT16: "bf16"} if has_bfloat16() and "float16" not in path.name else {})}
        return {
            name: OpenVinoModel(path, contract, precision=precision, **of_model) for name, precision in ways.items()
        }

    def write_readme(self, folder: Path, described: dict[str, Any]) -> None:
        from bert_tf.exporting.readmes.row_files import write_openvino

        write_openvino(folder, described)
