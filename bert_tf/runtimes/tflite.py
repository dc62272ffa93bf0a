"""TFLite files, run by LiteRT."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from bert_tf.errors import UserError
from bert_tf.runtimes.base import RowsModel

if TYPE_CHECKING:
    from bert_tf.kinds.serving import Contract

THREADS = 2
PART_TOKENS = 512  # of rows that are worked out together: more than that falls out of the caches


class LiteFile:
    """A model whose inputs are ids, mask and segment_ids, [1, T] or [B, T] each, or strings [1]. Not for several
    threads at once.

    Args:
        path: the file.
        threads: how many a call uses.
        register: functions that add kernels of custom operators, as LiteRT's InterpreterWithCustomOps takes them.
    Raises: UserError if there is no such file.
    """

    def __init__(self, path: Path, *, threads: int = THREADS, register: Sequence[Any] = ()) -> None:
        interpreter = litert()
        arguments = {"model_path": str(path), "num_threads": threads}
        try:
            if register:
                self.interpreter = interpreter.InterpreterWithCustomOps(
                    custom_op_registerers=list(register), **arguments
                )
            else:
                self.interpreter = interpreter.Interpreter(**arguments)
        except ValueError as error:
            raise UserError(f"{path}: expected a TFLite file. Received: {error}") from error
        self.inputs = self.interpreter.get_input_details()
        self.outputs = self.interpreter.get_output_details()
        self.interpreter.allocate_tensors()

    @property
    def length(self) -> int | None:
        """Tokens of a row, of a model that takes them; None: any number."""
        length = int(self.inputs[0]["shape_signature"][-1])
        return None if length < 0 else length

    @property
    def takes_batches(self) -> bool:
        """Whether it takes any number of rows in a call, rather than one."""
        return int(self.inputs[0]["shape_signature"][0]) < 0

    def feed(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Hands over inputs by name, [1, T] or [B, T], all of the file's own length if it has one, or [1]."""
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
    """A LiteFile where a Keras model is expected. It works out a row at a time, or rows of like lengths together where
    the file takes batches.

    Args:
        file: what does the work.
        contract, reject_below, labels: as `RowsModel` takes them.
    """

    def __init__(self, file: LiteFile, contract: Contract, **options: Any) -> None:
        self.file, self._lock = file, Lock()
        super().__init__(contract, **options)

    def outputs(self, ids: np.ndarray, mask: np.ndarray, segment_ids: np.ndarray) -> dict[str, np.ndarray]:
        arrays = {"ids": ids, "mask": mask, "segment_ids": segment_ids}
        rows, tokens = ids.shape
        if rows == 1 and self.file.length is None:
            with self._lock:
                return self.file(arrays)
        lengths = lengths_of(mask)
        if self.file.length is not None:
            arrays = {name: padded(array, self.file.length) for name, array in arrays.items()}
            lengths = np.full(rows, self.file.length)
        found: dict[str, np.ndarray] = {}
        with self._lock:
            for part in parts_of(lengths, PART_TOKENS if self.file.takes_batches else 0):
                width = int(lengths[part[0]])
                given = self.file({name: resized(array[part], width) for name, array in arrays.items()})
                for name, values in given.items():
                    values = resized(values, tokens) if self.contract.per_token else values
                    found.setdefault(name, np.zeros((rows, *values.shape[1:]), np.float32))[part] = values
        return found or self._nothing(tokens)

    def _nothing(self, tokens: int) -> dict[str, np.ndarray]:
        """What there is for no rows."""
        leading = (0, tokens) if self.contract.per_token else (0,)
        return {name: np.zeros((*leading, *shape), np.float32) for name, shape in self.shapes.items()}


def lengths_of(mask: np.ndarray) -> np.ndarray:
    """Up to where the last real token of each row is, 1 or more: int [B] of int32 [B, T].

    >>> lengths_of(np.array([[1, 1, 0], [1, 0, 1], [0, 0, 0]])).tolist()
    [2, 3, 1]
    """
    return np.maximum((mask * np.arange(1, mask.shape[1] + 1)).max(axis=1, initial=1), 1)


def parts_of(lengths: np.ndarray, tokens: int) -> Iterator[np.ndarray]:
    """The numbers of rows that are worked out together, like lengths together and the longest first: so memory grows
    once, and little of it is padding.

    Args:
        lengths: int [B], of the rows.
        tokens: in a part at most, padding counted, if it has several rows.

    >>> [part.tolist() for part in parts_of(np.array([2, 5, 1, 4]), 8)]
    [[1], [3, 0], [2]]
    """
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        count = max(tokens // int(lengths[order[start]]), 1)
        yield order[start : start + count]
        start += count


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


def resized(array: np.ndarray, length: int) -> np.ndarray:
    """[B, T, ...] with as many columns as asked for: more of them are cut off, and 0 stands behind fewer."""
    if array.shape[1] >= length:
        return array[:, :length]
    return np.pad(array, [(0, 0), (0, length - array.shape[1]), *[(0, 0)] * (array.ndim - 2)])


def padded(array: np.ndarray, length: int) -> np.ndarray:
    """[B, T] with 0 behind it, [B, length]. Raises: ValueError if it is longer."""
    if array.shape[1] > length:
        raise ValueError(f"`array` must have {length} columns at most. Received: {array.shape[1]}")
    return resized(array, length)
