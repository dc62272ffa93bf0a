"""Reads the tensors of an HDF5 file, and nothing that lies outside of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bert_tf.errors import UserError
from bert_tf.weights.checkpoint import Tensor
from bert_tf.weights.readers.pointer import check_fetched
from bert_tf.weights.readers.safe import to_float32

NUMBERS = "fiub"  # kinds of NumPy dtypes


def read_hdf5(path: Path) -> dict[str, Tensor]:
    """Every array of numbers in `path` by its path inside; floats are read as float32.

    Links to other files are not followed, and datasets whose values lie in other files are refused.

    Raises: UserError naming the file, and the tensor, that cannot be read.
    """
    import h5py

    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str, item: Any) -> None:
        if not isinstance(item, h5py.Dataset):
            return
        if item.external or item.is_virtual:
            raise UserError(f"{path}: tensor {name} keeps its values in another file, which is not read")
        if item.shape is None or (item.dtype.kind not in NUMBERS and not _is_bfloat16(item)):
            raise UserError(f"{path}: tensor {name} must hold numbers. Received: {item.dtype}")
        shapes[name] = tuple(item.shape)

    check_fetched(path)
    try:
        with h5py.File(path, "r") as file:
            file.visititems(note)
    except OSError as error:
        raise UserError(f"{path} is truncated or no HDF5 file: {error}") from error
    if not shapes:
        raise UserError(f"{path} holds no tensors")
    return {name: _tensor(path, name, shape) for name, shape in shapes.items()}


def _tensor(path: Path, name: str, shape: tuple[int, ...]) -> Tensor:
    import h5py

    def read() -> np.ndarray:
        try:
            with h5py.File(path, "r") as file:
                item: Any = file[name]
                values = np.asarray(item)
                is_bfloat16 = _is_bfloat16(item)
        except (OSError, KeyError) as error:
            raise UserError(f"{path}: tensor {name} cannot be read: {error}") from error
        return to_float32(values.view(np.uint16), "BF16") if is_bfloat16 else to_float32(values, "")

    return Tensor(name, shape, read)


def _is_bfloat16(item: Any) -> bool:
    """HDF5 has no such numbers: Keras writes two bytes each, and says what they are beside them."""
    return item.attrs.get("dtype") == "bfloat16" and item.dtype.itemsize == 2
