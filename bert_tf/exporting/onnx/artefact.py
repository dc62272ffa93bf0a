"""ONNX files, which ONNX Runtime and others run."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bert_tf.errors import UserError
from bert_tf.exporting.row_files.artefact import RowFiles
from bert_tf.exporting.run import Run

if TYPE_CHECKING:
    from bert_tf.exporting.row_files.graph import Graph
    from bert_tf.kinds.serving import Contract
    from bert_tf.runtimes.base import RowsModel


@dataclasses.dataclass(frozen=True, kw_only=True)
class Onnx(RowFiles):
    """A `model_<quantization>.onnx` for each of `quantize`, and what `RowFiles` writes beside them.

    Args:
        quantize: any of "float32"; "float16", weights of 16 bits, with which a file works in float32; "int8", weights
            of 8 bits, activations quantized dynamically.
    Raises: ValueError for a setting that cannot be.

    >>> Onnx(quantize=("float32", "int8")).file(Path("models"), "int8").as_posix()
    'models/model_int8.onnx'
    """

    name: ClassVar[str] = "onnx"
    quantizations: ClassVar[tuple[str, ...]] = ("float32", "float16", "int8")

    def check_packages(self) -> None:
        from bert_tf.runtimes.onnx import onnxruntime

        onnxruntime()
        try:
            import onnx  # noqa: F401
            import tf2onnx  # noqa: F401
        except ImportError as error:
            raise UserError(f"expected tf2onnx and onnx: pip install 'bert_tf[onnx]'. Received: {error}") from error

    def file(self, folder: Path, quantization: str) -> Path:
        return folder / f"model_{quantization}.onnx"

    def convert(self, graph: Graph, run: Run, folder: Path) -> None:
        import onnx

        from bert_tf.exporting.onnx.convert import save_float16, save_int8, to_onnx

        model = to_onnx(graph)
        with tempfile.TemporaryDirectory() as beside:
            float32 = self.file(folder if "float32" in self.quantize else Path(beside), "float32")
            onnx.save(model, str(float32))
            if "float16" in self.quantize:
                save_float16(model, self.file(folder, "float16"))
            if "int8" in self.quantize:
                save_int8(float32, self.file(folder, "int8"))

    def opened(self, path: Path, contract: Contract, **of_model: Any) -> dict[str, RowsModel]:
        from bert_tf.runtimes.onnx import OnnxModel

        return {"": OnnxModel(path, contract, **of_model)}

    def write_readme(self, folder: Path, described: dict[str, Any]) -> None:
        from bert_tf.exporting.readmes.row_files import write_onnx

        write_onnx(folder, described)
