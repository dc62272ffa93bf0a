"""ONNX files, run by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bert_tf.errors import UserError
from bert_tf.machine.cores import cores
from bert_tf.runtimes.base import RowsModel

if TYPE_CHECKING:
    from bert_tf.kinds.serving import Contract

ERRORS = 3  # what is logged; a warning of it is about its own rewriting of graphs


class OnnxModel(RowsModel):
    """An ONNX file of `bert_tf.export` where a Keras model is expected; it takes batches of any length.

    Args:
        path: the file.
        contract, reject_below, labels: as `RowsModel` takes them.
        prompt: what is put before every text; "": nothing.
        threads: how many a call uses; None: one for each core that this process may use.
    """

    def __init__(
        self,
        path: Path,
        contract: Contract,
        *,
        reject_below: float = 0.0,
        labels: Sequence[str] = (),
        prompt: str = "",
        threads: int | None = None,
    ) -> None:
        self.prompt = prompt
        runtime = onnxruntime()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads or cores()
        options.log_severity_level = ERRORS
        try:
            self.session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its classes stand in a private module
            raise UserError(f"{path}: expected an ONNX model. Received: {error}") from error
        self.takes = {item.name for item in self.session.get_inputs()}  # a model without segments takes none
        super().__init__(contract, reject_below=reject_below, labels=labels)

    def outputs(self, ids: np.ndarray, mask: np.ndarray, segment_ids: np.ndarray) -> dict[str, np.ndarray]:
        given = {"token_ids": ids, "segment_ids": segment_ids, "padding_mask": mask}
        names = [note.name for note in self.contract.outputs]
        found = self.session.run(names, {name: array for name, array in given.items() if name in self.takes})
        return dict(zip(names, found, strict=True))


def onnxruntime() -> Any:
    """ONNX Runtime. Raises: UserError if it is not installed."""
    try:
        import onnxruntime as runtime
    except ImportError as error:
        raise UserError(f"expected ONNX Runtime: pip install 'bert_tf[onnx]'. Received: {error}") from error
    return runtime
