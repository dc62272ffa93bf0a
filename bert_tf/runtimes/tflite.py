"""TFLite files, run by LiteRT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from bert_tf.errors import UserError
from bert_tf.runtimes.base import RowsModel

if TYPE_CHECKING:
    from bert_tf.kinds.serving import Contract

THREADS = 2


class LiteFile:
    """A model whose inputs are ids, mask and segment_ids, [1, T] each, or strings [1]. Not for several threads at once.

    Args:
        path: the file.
        threads: how many a call uses.
        register: functions that add kernels of custom operators, as LiteRT's InterpreterWithCustomOps takes them.
    """

    def __init__(self, path: Path, *, threads: int = THREADS, register: Sequence[Any] = ()) -> None:
        interpreter = litert()
        arguments = {"model_path": str(path), "num_threads": threads}
        if register:
            self.interpreter = interpreter.InterpreterWithCustomOps(custom_op_registerers=list(register), **arguments)
        else:
            self.interpreter = interpreter.Interpreter(**arguments)
        self.inputs = self.interpreter.get_input_details()
        self.outputs = self.interpreter.get_output_details()
        self.interpreter.allocate_tensors()

    @property
    def length(self) -> int | None:
        """Tokens of a row, of a model that takes them; None: any number."""
        length = int(self.inputs[0]["shape_signature"][-1])
        return None if length < 0 else length

    def feed(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Hands over inputs by name, [1, T], all of the file's own length if it has one, or [1]."""
        if any(tuple(detail["shape"]) != arrays[detail["name"]].shape for detail in self.inputs):
            for detail in self.inputs:
                self.interpreter.resize_tensor_input(detail["index"], arrays[detail["name"]].shape)
            self.interpreter.allocate_tensors()
            self.inputs = self.interpreter.get_input_details()
        for detail in self.inputs:
            self.interpreter.set_tensor(detail["index"], arrays[detail["name"]])

    def run(self) -> None:
        self.interpreter.invoke()

    def results(self) -> dict[str, np.ndarray]:
        """The outputs of the last run by name."""
        return {detail["name"]: self.interpreter.get_tensor(detail["index"]) for detail in self.outputs}

    def __call__(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        self.feed(arrays)
        self.run()
        return self.results()


class LiteModel(RowsModel):
    """A LiteFile where a Keras model is expected.

    Args:
        file: what does the work, a row at a time.
        contract, reject_below, labels: as `RowsModel` takes them.
    """

    def __init__(self, file: LiteFile, contract: Contract, **options: Any) -> None:
        self.file, self._lock = file, Lock()
        super().__init__(contract, **options)

    def outputs(self, ids: np.ndarray, mask: np.ndarray, segment_ids: np.ndarray) -> dict[str, np.ndarray]:
        tokens = ids.shape[1]
        arrays = {"ids": ids, "mask": mask, "segment_ids": segment_ids}
        if not len(ids):
            leading = (0, tokens) if self.contract.per_token else (0,)
            return {name: np.zeros((*leading, *shape), np.float32) for name, shape in self.shapes.items()}
        if self.file.length is not None:
            arrays = {name: padded(array, self.file.length) for name, array in arrays.items()}
        with self._lock:
            found = [self.file({name: array[i : i + 1] for name, array in arrays.items()}) for i in range(len(ids))]
        joined = {name: np.concatenate([one[name] for one in found]) for name in found[0]}
        return {name: array[:, :tokens] for name, array in joined.items()} if self.contract.per_token else joined


def litert() -> Any:
    """LiteRT's interpreter module. Raises: UserError if it is not installed."""
    try:
        from ai_edge_litert import interpreter
    except ImportError as error:
        raise UserError(f"expected LiteRT: pip install 'bert_tf[tflite]'. Received: {error}") from error
    return interpreter


def registrars() -> Sequence[Any]:
    """What adds the kernels of tensorflow_text's operators, for files that take text."""
    from tensorflow_text import tflite_registrar

    return tflite_registrar.SELECT_TFTEXT_OPS


def padded(array: np.ndarray, length: int) -> np.ndarray:
    """[B, T] with 0 behind it, [B, length]. Raises: ValueError if it is longer."""
    if array.shape[1] > length:
        raise ValueError(f"`array` must have {length} columns at most. Received: {array.shape[1]}")
    return np.pad(array, [(0, 0), (0, length - array.shape[1])])
