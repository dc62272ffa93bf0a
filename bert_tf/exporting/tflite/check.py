"""Running TFLite files, with LiteRT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bert_tf.errors import UserError

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


class LiteModel:
    """A LiteFile where a Keras model is expected: a dict of tensors [B, T] in, float32 [B, ...] or [B, T, ...] out.
    Where examples are of several rows, [B, ..., T], it gives [B, ..., ...].

    Args:
        file: what does the work, a row at a time.
        contract: what its outputs mean.
        reject_below: the Keras model's, where it has one.
    """

    prompt = ""  # a model that puts one before texts is refused

    def __init__(self, file: LiteFile, contract: Contract, *, reject_below: float = 0.0) -> None:
        self.file, self.contract, self.reject_below = file, contract, reject_below
        self.shape = self._sample().shape[2 if contract.per_token else 1 :]  # of what there is to an example or token

    def __call__(self, inputs: Mapping[str, Any], training: bool = False) -> Any:
        import tensorflow as tf

        arrays = [inputs[name] for name in ("token_ids", "padding_mask", "segment_ids")]
        rows = [tf.reshape(array, [-1, tf.shape(array)[-1]]) for array in arrays]  # [R, T]
        found = tf.numpy_function(self._rows, rows, tf.float32)
        found = tf.ensure_shape(found, [None, *([None] if self.contract.per_token else []), *self.shape])
        leading = arrays[0].shape[:-1]
        if leading.rank != 1:
            found = tf.reshape(found, tf.concat([tf.shape(arrays[0])[:-1], tf.shape(found)[1:]], axis=0))
            found = tf.ensure_shape(found, [*leading, *([None] if self.contract.per_token else []), *self.shape])
        return self.contract.given(found, inputs)

    @property
    def vector_dim(self) -> int:
        """Number of components of a vector, of a model that gives one."""
        return int(self.shape[-1])

    def scores(self, logits: Any) -> Any:
        """What the file gives where the Keras model's `scores` are asked for: it has worked them out already."""
        return logits

    def _sample(self) -> np.ndarray:
        """What one row gives."""
        nothing = np.zeros((1, self.file.length or 1), np.int32)
        return self._row({"ids": nothing, "mask": nothing + 1, "segment_ids": nothing})

    def _rows(self, ids: np.ndarray, mask: np.ndarray, segment_ids: np.ndarray) -> np.ndarray:
        """int32 [B, T] each."""
        tokens = ids.shape[1]
        arrays = {"ids": ids, "mask": mask, "segment_ids": segment_ids}
        if self.file.length is not None:
            arrays = {name: _padded(array, self.file.length) for name, array in arrays.items()}
        found = [self._row({name: array[i : i + 1] for name, array in arrays.items()}) for i in range(len(ids))]
        per_token = (tokens,) if self.contract.per_token else ()
        rows = np.concatenate(found) if found else np.zeros((0, *per_token, *self.shape), np.float32)
        return np.ascontiguousarray(rows[:, :tokens] if per_token else rows, np.float32)

    def _row(self, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
        return np.asarray(self.contract.decode(self.file(arrays)))


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


def _padded(array: np.ndarray, length: int) -> np.ndarray:
    """[B, T] with 0 behind it, [B, length]. Raises: ValueError if it is longer."""
    if array.shape[1] > length:
        raise ValueError(f"`array` must have {length} columns at most. Received: {array.shape[1]}")
    return np.pad(array, [(0, 0), (0, length - array.shape[1])])
