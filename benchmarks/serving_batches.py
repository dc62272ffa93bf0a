"""How TensorFlow Serving puts requests together, for the stand-in server: the rules of its batching session.

Requests of one signature are joined along the first axis; inner shapes must be equal, or are padded with a tensor's
first element where `pad_variable_length_inputs` says so; the batch is filled up to an allowed size with the first row
of its last request. With large batches split, a request may be cut over several batches, and its pieces' answers are
put behind each other: pieces whose inner shapes differ end the real server, or mix up its answers.

Reference: https://github.com/tensorflow/serving/blob/master/tensorflow_serving/batching/batching_session.cc
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Fields of BatchingParameters that matter here, with the server's own defaults.

    Raises: ValueError for sizes that the server refuses to start with.
    """

    max_batch_size: int = 1000
    max_execution_batch_size: int = 1000
    enable_large_batch_splitting: bool = False
    allowed_batch_sizes: tuple[int, ...] = ()
    pad_variable_length_inputs: bool = False
    batch_timeout_micros: int = 0

    def __post_init__(self) -> None:
        sizes = self.allowed_batch_sizes
        if list(sizes) != sorted(set(sizes)):
            raise ValueError(f"allowed_batch_sizes entries must be monotonically increasing. Received: {sizes}")
        if sizes and sizes[-1] != self.limit:
            raise ValueError(f"Last entry in allowed_batch_sizes must be {self.limit}. Received: {sizes[-1]}")

    @property
    def limit(self) -> int:
        """Most rows of a batch."""
        return self.max_execution_batch_size if self.enable_large_batch_splitting else self.max_batch_size

    def rounded(self, rows: int) -> int:
        return next((size for size in self.allowed_batch_sizes if size >= rows), rows)


def read_parameters(path: Path) -> Parameters:
    """From a file in the text form of the message."""
    text = re.sub(r"#.*", "", path.read_text(encoding="utf-8"))
    found: dict[str, Any] = {}
    for name, wrapped, plain in re.findall(r"(\w+)\s*(?:\{\s*value:\s*(\w+)\s*\}|:\s*(\w+))", text):
        value = wrapped or plain
        number: Any = value == "true" if value in ("true", "false") else int(value)
        if name == "allowed_batch_sizes":
            found[name] = (*found.get(name, ()), number)
        elif name in Parameters.__dataclass_fields__:
            found[name] = number
    return Parameters(**found)


@dataclass
class Task:
    """A request, or a piece of one."""

    inputs: Arrays
    rows: int
    done: threading.Event = field(default_factory=threading.Event)
    outputs: Arrays | None = None
    error: str | None = None


class Batcher:
    """Runs requests for signatures in batches. `run` may be called from several threads at once.

    Args:
        run: (inputs, signature) -> outputs, what answers a batch; it raises RuntimeError where it refuses.
    """

    def __init__(self, run: Callable[[Arrays, str], Arrays], parameters: Parameters) -> None:
        self._run, self.parameters = run, parameters
        self._lock = threading.Lock()
        self._open: dict[str, list[Task]] = {}

    def run(self, inputs: Arrays, signature: str = "serving_default") -> Arrays:
        """Raises: RuntimeError with what the server says."""
        parameters = self.parameters
        arrays = {name: array_of(value) for name, value in inputs.items()}
        if any(not array.ndim for array in arrays.values()):
            raise RuntimeError("Batching Run() input tensors must have at least one dimension")
        sizes = {len(array) for array in arrays.values()}
        if len(sizes) != 1:
            raise RuntimeError("Batching Run() input tensors must have equal 0th-dimension size")
        rows = sizes.pop()
        if rows > parameters.max_batch_size:
            limit = parameters.max_batch_size
            raise RuntimeError(f"Task size {rows} is larger than maximum input batch size {limit}")
        pieces = self._schedule(signature, arrays, rows)
        for piece in pieces:
            piece.done.wait()
        if errors := [piece.error for piece in pieces if piece.error]:
            raise RuntimeError(errors[0])
        return joined([piece.outputs for piece in pieces if piece.outputs is not None])

    def _schedule(self, signature: str, arrays: Arrays, rows: int) -> list[Task]:
        parameters = self.parameters
        pieces = []
        with self._lock:
            start = 0
            while start < rows or not pieces:
                room = parameters.limit - sum(task.rows for task in self._open.get(signature, ()))
                taken = min(room, rows - start) if parameters.enable_large_batch_splitting else rows
                if taken > room or not room:
                    self._close(signature)
                    continue
                piece = Task({name: array[start : start + taken] for name, array in arrays.items()}, taken)
                start += taken
                pieces.append(piece)
                batch = self._open.setdefault(signature, [])
                batch.append(piece)
                if len(batch) == 1:
                    timer = threading.Timer(parameters.batch_timeout_micros / 1e6, self._time_out, (signature, batch))
                    timer.daemon = True
                    timer.start()
                if sum(task.rows for task in batch) >= parameters.limit:
                    self._close(signature)
        return pieces

    def _time_out(self, signature: str, batch: list[Task]) -> None:
        with self._lock:
            if self._open.get(signature) is batch:
                self._close(signature)

    def _close(self, signature: str) -> None:
        """Sends the open batch off. The lock is held."""
        batch = self._open.pop(signature, [])
        if batch:
            threading.Thread(target=self._process, args=(signature, batch), daemon=True).start()

    def _process(self, signature: str, batch: list[Task]) -> None:
        """Whatever goes wrong with one goes wrong with all."""
        try:
            outputs = self._run(merged([task.inputs for task in batch], self.parameters), signature)
            rows = self.parameters.rounded(sum(task.rows for task in batch))
            for name, value in outputs.items():
                if not value.ndim or len(value) != rows:
                    raise RuntimeError(f"Batched output tensor's 0th dimension does not equal the sum: {name}")
            start = 0
            for task in batch:
                task.outputs = {name: value[start : start + task.rows] for name, value in outputs.items()}
                start += task.rows
        except (RuntimeError, KeyError) as error:
            for task in batch:
                task.error = str(error)
        finally:
            for task in batch:
                task.done.set()


def array_of(value: Any) -> np.ndarray:
    """Numbers as they are; bytes, however nested, as objects: NumPy's own strings lose zeros at their end."""
    array = np.asarray(value)
    return np.asarray(value, object) if array.dtype.kind in "SU" else array


def merged(inputs: Sequence[Arrays], parameters: Parameters) -> Arrays:
    """The requests' inputs one behind the other, filled up to an allowed size.

    Raises: RuntimeError where their inner shapes differ and are not padded.
    """
    found = {}
    for name in inputs[0]:
        parts = [arrays[name] for arrays in inputs]
        shapes = {part.shape[1:] for part in parts}
        if len(shapes) > 1:
            if not parameters.pad_variable_length_inputs:
                raise RuntimeError(
                    f"Tensors with name '{name}' from different tasks have different shapes and padding is turned off."
                    "Set pad_variable_length_inputs to true, or ensure that all tensors with the same namehave equal "
                    "dimensions starting with the first dim."
                )
            parts = _padded(parts)
        rows = sum(len(part) for part in parts)
        parts += [parts[-1][:1]] * (parameters.rounded(rows) - rows)
        found[name] = np.concatenate(parts)
    return found


def _padded(parts: Sequence[np.ndarray]) -> list[np.ndarray]:
    """All of the largest inner shape, filled each with its own first element."""
    largest = np.max([part.shape[1:] for part in parts], axis=0)
    found = []
    for part in parts:
        array = np.full((len(part), *largest), part.flat[0], part.dtype)
        array[tuple(slice(size) for size in part.shape)] = part
        found.append(array)
    return found


def joined(pieces: Sequence[Arrays]) -> Arrays:
    """The answers to one request's pieces, one behind the other.

    Raises: RuntimeError where the real server would not see that the pieces differ in their inner shapes.
    """
    for name in pieces[0] if len(pieces) > 1 else ():
        shapes = {piece[name].shape[1:] for piece in pieces}
        if len(shapes) > 1:
            raise RuntimeError(
                f"{name}: pieces of one request with the inner shapes {sorted(shapes)}: TensorFlow Serving joins their "
                "bytes, and dies or mixes up the answers"
            )
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
