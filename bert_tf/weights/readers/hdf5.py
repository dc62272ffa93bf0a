"""Reads the tensors of an HDF5 file, and nothing that lies outside of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bert_tf.errors import UserError
from bert_tf.guard import WRONG, short
from bert_tf.weights.checkpoint import Tensor
from bert_tf.weights.readers.pointer import check_fetched
from bert_tf.weights.readers.safe import to_float32

TIMES, FREE_BYTES = 16, 1 << 20  # how much larger than its file an array may be that is packed there
MOST_GROUPS, DEEPEST = 100_000, 64
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
        unpacked[0] += math.prod(item.shape) * item.dtype.itemsize
        if unpacked[0] > TIMES * size + FREE_BYTES:  # values that are not stored, or packed as no weights are
            raise UserError(
                f"{path}: tensor {name} states {list(item.shape)} numbers, which {size:,} bytes do not have"
            )

    check_fetched(path)
    size, unpacked = path.stat().st_size, [0]
    try:
        with h5py.File(path, "r") as file:
            for name, item in _items(file, path):
                note(name, item)
    except (OSError, RuntimeError, *WRONG) as error:  # all of which h5py raises for a damaged file
        raise UserError(f"{path} is truncated or no HDF5 file: {error}") from error
    if not shapes:
        raise UserError(f"{path} holds no tensors")
    return {name: _tensor(path, name, shape) for name, shape in shapes.items()}


def _items(file: Any, path: Path) -> Iterator[tuple[str, Any]]:
    """Each dataset of a file by its path inside; no link is followed, and a group that comes again is not visited."""
    import h5py

    about: Any = h5py.h5o  # pyright: ignore[reportAttributeAccessIssue]  # its low-level part has no types
    seen = {about.get_info(file.id).addr}
    inside: list[tuple[str, Any, Iterator[str]]] = [("", file, iter(file))]
    while inside:
        above, group, keys = inside[-1]
        for key in keys:
            name = f"{above}{key}"
            link = group.get(key, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                raise UserError(
                    f"{path}: {short(name)} is a link to another file, {short(link.filename)}; not followed"
                )
            if not isinstance(link, h5py.HardLink):
                continue
            item: Any = group[key]
            if not isinstance(item, h5py.Group):
                yield name, item
                continue
            address = about.get_info(item.id).addr
            if address not in seen:
                seen.add(address)
                keys_inside: Any = iter(item)
                inside.append((f"{name}/", item, keys_inside))
                break
        else:
            inside.pop()
        if len(seen) > MOST_GROUPS or len(inside) > DEEPEST:
            raise UserError(f"{path}: expected at most {MOST_GROUPS:,} groups, {DEEPEST} deep. Received: more")


def _tensor(path: Path, name: str, shape: tuple[int, ...]) -> Tensor:
    import h5py

    def read() -> np.ndarray:
        try:
            with h5py.File(path, "r") as file:
                item: Any = file[name]
                values = np.asarray(item)
                is_bfloat16 = _is_bfloat16(item)
        except (OSError, RuntimeError, *WRONG) as error:
            raise UserError(f"{path}: tensor {name} cannot be read: {error}") from error
        return to_float32(values.view(np.uint16), "BF16") if is_bfloat16 else to_float32(values, "")

    return Tensor(name, shape, read)


def _is_bfloat16(item: Any) -> bool:
    """HDF5 has no such numbers: Keras writes two bytes each, and says what they are beside them."""
    return item.attrs.get("dtype") == "bfloat16" and item.dtype.itemsize == 2
