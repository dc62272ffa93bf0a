"""OpenVINO's files, run by OpenVINO."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bert_tf.errors import UserError
from bert_tf.runtimes.base import RowsModel

if TYPE_CHECKING:
    from bert_tf.kinds.serving import Contract

PRECISIONS = ("f32", "bf16")


class OpenVinoModel(RowsModel):
    """A file of `bert_tf.export` where a Keras model is expected; it takes batches of any length.

    Args:
        path: the `.xml`.
        contract, reject_below, labels: as `RowsModel` takes them.
        prompt: what is put before every text; "": nothing.
        precision: in what it works, "f32" or "bf16", OpenVINO's INFERENCE_PRECISION_HINT.
    Raises: ValueError for another precision.
    """

    def __init__(
        self,
        path: Path,
        contract: Contract,
        *,
        reject_below: float = 0.0,
        labels: Sequence[str] = (),
        prompt: str = "",
        precision: str = "f32",
    ) -> None:
        if precision not in PRECISIONS:
            raise ValueError(f"`precision` must be one of {', '.join(PRECISIONS)}. Received: precision={precision!r}")
        self.prompt = prompt
        runtime = openvino()
        try:
            model = runtime.Core().read_model(str(path))
            self.compiled = runtime.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": precision})
        except RuntimeError as error:
            raise UserError(f"{path}: expected a model of OpenVINO. Received: {error}") from error
        self.takes = {item.any_name for item in self.compiled.inputs}
        # One is for one call at a time. None is kept by thread: TensorFlow's are new to Python in every call.
        self._idle: list[Any] = []
        super().__init__(contract, reject_below=reject_below, labels=labels)

    def outputs(self, ids: np.ndarray, mask: np.ndarray, segment_ids: np.ndarray) -> dict[str, np.ndarray]:
        given = {"token_ids": ids, "segment_ids": segment_ids, "padding_mask": mask}
        try:
            request = self._idle.pop()
        except IndexError:
            request = self.compiled.create_infer_request()
        found = request.infer({name: array for name, array in given.items() if name in self.takes})
        kept = {note.name: np.array(found[note.name]) for note in self.contract.outputs}
        self._idle.append(request)
        return kept


def openvino() -> Any:
    """OpenVINO. Raises: UserError if it is not installed."""
    try:
        import openvino as runtime
    except ImportError as error:
        raise UserError(f"expected OpenVINO: pip install 'bert_tf[openvino]'. Received: {error}") from error
    return runtime


def has_bfloat16() -> bool:
    """Whether this processor works in bfloat16."""
    return "BF16" in openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
