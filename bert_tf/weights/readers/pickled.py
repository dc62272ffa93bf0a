"""Reads what torch.save wrote without executing the pickle in it: a state dict, in whatever it is wrapped.

Both forms are read: the zip file (since 1.6) and the row of pickles before it. A tensor's name is the way to it: keys
of dicts, places in lists and names of submodules, with dots between; so a state dict under the key "state_dict" has
names that begin with `state_dict.`.
"""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bert_tf.errors import UserError
from bert_tf.guard import check_regular, short
from bert_tf.weights.checkpoint import Tensor, Tensors
from bert_tf.weights.readers.pickle_walk import Record, Storage, View, walk
from bert_tf.weights.readers.safe import DTYPES, to_float32

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
# What a walk over arbitrary bytes, and a damaged zip file, can raise.
BROKEN = (
    ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip


TIMES, FREE_BYTES = 16, 16 << 20  # how much larger than its file what is packed, or repeated, may be


def read_pickled(path: Path) -> Tensors:
    """The tensors of one file of torch.save, floats as float32.

    Raises: UserError naming the file, and the opcode or name that a state dict does not need.
    """
    try:
        check_regular(path)
        if zipfile.is_zipfile(path):
            return _read_zip(path)
        return _read_legacy(path)
    except UserError:
        raise
    except BROKEN as error:
        raise UserError(f"{path} is corrupted or no PyTorch state dict: {short(str(error))}") from error


def _read_zip(path: Path) -> Tensors:
    with zipfile.ZipFile(path) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
        unpacked, packed = sum(sizes.values()), path.stat().st_size
        if unpacked > TIMES * packed + FREE_BYTES:  # PyTorch does not pack at all
            raise UserError(f"{path} states {unpacked:,} bytes of content, and has {packed:,}: no PyTorch state dict")
        pickles = [name for name in sizes if name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise UserError(f"{path} is a zip file without one data.pkl: no PyTorch state dict")
        root = pickles[0].removesuffix("data.pkl")
        if f"{root}byteorder" in sizes and archive.read(f"{root}byteorder") != b"little":
            raise UserError(f"{path} was written on a big-endian machine, which is not supported")
        views = walk(io.BytesIO(archive.read(pickles[0])), path)

    def read_bytes(key: str) -> bytes:
        with zipfile.ZipFile(path) as archive:
            return archive.read(f"{root}data/{key}")

    return _tensors(views, lambda key: sizes[f"{root}data/{key}"], read_bytes, path)


def _read_legacy(path: Path) -> Tensors:
    """Pickles of a magic number, a version, the machine, the state dict and the storages' keys; then the bytes."""
    places: dict[str, tuple[int, int]] = {}
    with path.open("rb") as file:
        if file.read(1) != b"\x80":
            raise UserError(f"{path} is no PyTorch state dict: neither a zip file nor a pickle")
        file.seek(0)
        if walk(file, path) != LEGACY_MAGIC:
            raise UserError(f"{path} is a pickle, but no PyTorch state dict")
        walk(file, path)
        if not walk(file, path).get("little_endian", True):
            raise UserError(f"{path} was written on a big-endian machine, which is not supported")
        views = walk(file, path)
        bytes_each = {view.storage.key: _item_bytes(view.storage) for view in _views(views, path).values()}
        for key in walk(file, path):
            if not isinstance(key, str):
                raise ValueError(f"a storage has the key {short(key)}")
            length = int.from_bytes(file.read(8), "little") * bytes_each.get(key, 0)
            places[key] = (file.tell(), length)
            file.seek(length, io.SEEK_CUR)

    def read_bytes(key: str) -> bytes:
        with path.open("rb") as file:
            file.seek(places[key][0])
            return file.read(places[key][1])

    end, size = max((sum(place) for place in places.values()), default=0), path.stat().st_size
    if end > size:
        raise UserError(f"{path} is truncated: it should have {end} bytes, and has {size}")
    return _tensors(views, lambda key: places[key][1], read_bytes, path)


def _item_bytes(storage: Storage) -> int:
    return np.dtype(DTYPES[storage.dtype]).itemsize


def _views(value: Any, path: Path) -> dict[str, View]:
    """The tensors by the way to them; what is no tensor (a version, say) is left out."""
    views = dict(_found(value, "", set()))
    if not views:
        raise UserError(f"{path} holds no tensors by name: not a state dict")
    return views


def _found(value: Any, way: str, seen: set[int]) -> Iterator[tuple[str, View]]:
    if isinstance(value, View) and way:
        yield way.removesuffix("."), value
    if isinstance(value, View) or not isinstance(value, (Mapping, list, tuple, Record)) or id(value) in seen:
        return
    seen.add(id(value))  # a pickle's objects may hold each other
    if isinstance(value, Record):
        state = value.state if isinstance(value.state, Mapping) else {}
        if "_parameters" in state:  # a module
            parts = [state.get(name) for name in ("_parameters", "_buffers", "_modules")]
            state = {name: part for some in parts if isinstance(some, Mapping) for name, part in some.items()}
        value = state
    for name, part in value.items() if isinstance(value, Mapping) else enumerate(value):
        yield from _found(part, f"{way}{name}.", seen)


def _kinds(value: Any, seen: set[int]) -> set[str]:
    """Names of the classes of objects in it."""
    if isinstance(value, View) or not isinstance(value, (Mapping, list, tuple, Record)) or id(value) in seen:
        return set()
    seen.add(id(value))
    if isinstance(value, Record):
        return {value.kind} | _kinds(value.state, seen)
    parts = value.values() if isinstance(value, Mapping) else value
    return set().union(*(_kinds(part, seen) for part in parts))


def _tensors(value: Any, length: Callable[[str], int], read_bytes: Callable[[str], bytes], path: Path) -> Tensors:
    tensors = {}
    for name, view in _views(value, path).items():
        last = view.offset + sum((n - 1) * stride for n, stride in zip(view.shape, view.strides, strict=True))
        needed = (last + 1) * _item_bytes(view.storage) if math.prod(view.shape) else 0
        have = length(view.storage.key)
        if math.prod(view.shape) * _item_bytes(view.storage) > TIMES * have + FREE_BYTES:
            raise UserError(
                f"{path}: tensor {name} repeats its {have:,} bytes to {short(view.shape)} numbers; not read"
            )
        if needed > have or min((view.offset, *view.shape, *view.strides)) < 0:
            raise UserError(
                f"{path} is corrupted: tensor {name} {list(view.shape)} needs {needed} bytes, it has {have}"
            )
        tensors[name] = Tensor(name, view.shape, lambda name=name, view=view: _read_view(path, name, view, read_bytes))
    kinds = sorted(_kinds(value, set()))
    remark = f"{path} holds objects of {', '.join(kinds[:8])}{' and more' if len(kinds) > 8 else ''}: none was made"
    return Tensors(tensors, [remark] if kinds else [])


def _read_view(path: Path, name: str, view: View, read_bytes: Callable[[str], bytes]) -> np.ndarray:
    try:
        flat = np.frombuffer(read_bytes(view.storage.key), DTYPES[view.storage.dtype])
    except BROKEN as error:
        raise UserError(f"{path} is corrupted: tensor {name} cannot be read: {error}") from error
    strides = tuple(stride * flat.itemsize for stride in view.strides)
    array = np.lib.stride_tricks.as_strided(flat[view.offset :], view.shape, strides, writeable=False)
    return to_float32(np.array(array), view.storage.dtype)
