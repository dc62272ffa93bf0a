"""Reads pytorch_model.bin without executing the pickle in it.

A pickle is a program that may call any function. Here its opcodes are walked by an interpreter that calls nothing: the
handful of names that a state dict needs stand for themselves, and every other name or opcode is an error that names it.
Both forms of torch.save are read: the zip file (since 1.6) and the row of pickles before it.
Reference: the opcodes as Python's pickletools documents them.
"""

from __future__ import annotations

import io
import math
import pickletools
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bert_tf.errors import UserError
from bert_tf.weights.checkpoint import Tensor
from bert_tf.weights.safe import DTYPES, to_float32

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
STORAGES = {
    "DoubleStorage": "F64", "FloatStorage": "F32", "HalfStorage": "F16", "BFloat16Storage": "BF16",
    "LongStorage": "I64", "IntStorage": "I32",
    "ShortStorage": "I16", "CharStorage": "I8", "ByteStorage": "U8", "BoolStorage": "BOOL",
}  # fmt: skip
CALLED = {
    "collections OrderedDict",
    "torch._utils _rebuild_tensor_v2",
    "torch._utils _rebuild_parameter",
    "torch Size",
}
GLOBALS = CALLED | {f"torch {name}" for name in STORAGES}
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
# What a walk over arbitrary bytes, and a damaged zip file, can raise.
BROKEN = (
    ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip
LITERALS = {
    "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
    "SHORT_BINSTRING", "BINSTRING", "SHORT_BINBYTES", "BINBYTES",
}  # fmt: skip
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class Global(NamedTuple):
    """A name that the pickle mentions. Nothing is imported."""

    name: str


class Storage(NamedTuple):
    """Where numbers lie: the key of their bytes, and their type."""

    key: str
    dtype: str


class View(NamedTuple):
    """A tensor: a strided view of a storage."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_pickled(path: Path) -> dict[str, Tensor]:
    """The tensors of one pytorch_model.bin, floats as float32.

    Raises: UserError naming the file, and the opcode or name that a state dict does not need.
    """
    try:
        if zipfile.is_zipfile(path):
            return _read_zip(path)
        return _read_legacy(path)
    except UserError:
        raise
    except BROKEN as error:
        raise UserError(f"{path} is corrupted or no PyTorch state dict: {error}") from error


def walk(stream: Any, path: Path) -> Any:
    """What one pickle describes: dicts, lists, tuples, numbers, strings, `Global`, `Storage` and `View`."""
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[int, Any] = {}

    def above_mark() -> list[Any]:
        start = marks.pop()
        values = stack[start:]
        del stack[start:]
        return values

    argument: Any
    for opcode, argument, _ in pickletools.genops(stream):
        name = opcode.name
        if name in LITERALS:
            stack.append(argument)
        elif name in CONSTANTS:
            stack.append(CONSTANTS[name])
        elif name in ("PROTO", "FRAME"):
            continue
        elif name == "MARK":
            marks.append(len(stack))
        elif name in ("BINPUT", "LONG_BINPUT"):
            memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif name == "EMPTY_DICT":
            stack.append({})
        elif name == "EMPTY_LIST":
            stack.append([])
        elif name == "EMPTY_TUPLE":
            stack.append(())
        elif name in TUPLES:
            count = TUPLES[name]
            stack[-count:] = [tuple(stack[-count:])]
        elif name == "TUPLE":
            stack.append(tuple(above_mark()))
        elif name == "GLOBAL":
            stack.append(_global(argument, path))
        elif name == "STACK_GLOBAL":
            module, attribute = stack[-2:]
            stack[-2:] = [_global(f"{module} {attribute}", path)]
        elif name == "BINPERSID":
            stack.append(_storage(stack.pop(), path))
        elif name == "REDUCE":
            arguments = stack.pop()
            stack.append(_stand_in(stack.pop(), arguments, path))
        elif name == "BUILD":  # attributes of the dict (versions of modules): not needed
            stack.pop()
        elif name == "SETITEM":
            value, key = stack.pop(), stack.pop()
            stack[-1][key] = value
        elif name == "SETITEMS":
            items = above_mark()
            stack[-1].update(zip(items[::2], items[1::2], strict=True))
        elif name == "APPEND":
            value = stack.pop()
            stack[-1].append(value)
        elif name == "APPENDS":
            items = above_mark()
            stack[-1].extend(items)
        elif name == "STOP":
            return stack.pop()
        else:
            raise UserError(f"{path}: its pickle uses the opcode {name}, which a state dict does not need; not read")
    raise ValueError("the pickle does not end")


def _global(name: str, path: Path) -> Global:
    if name not in GLOBALS:
        dotted = name.replace(" ", ".")
        raise UserError(f"{path}: its pickle names {dotted}, which a state dict does not need; nothing was executed")
    return Global(name)


def _storage(description: Any, path: Path) -> Storage:
    kind, storage_class, key = description[:3]
    dtype = STORAGES.get(storage_class.name.removeprefix("torch ")) if isinstance(storage_class, Global) else None
    if kind != "storage" or dtype is None or (len(description) > 5 and description[5] is not None):
        raise UserError(f"{path}: its pickle describes a storage in an unknown way: {description}")
    return Storage(str(key), dtype)


def _stand_in(called: Any, arguments: Any, path: Path) -> Any:
    """What the call would give, without the call."""
    name = called.name if isinstance(called, Global) else repr(called)
    if name == "collections OrderedDict":
        return dict(*arguments)
    if name == "torch Size":
        return tuple(*arguments)
    if name == "torch._utils _rebuild_parameter":
        return arguments[0]
    if name == "torch._utils _rebuild_tensor_v2":
        storage, offset, shape, strides = arguments[:4]
        if isinstance(storage, Storage):
            return View(storage, int(offset), tuple(map(int, shape)), tuple(map(int, strides)))
    raise UserError(
        f"{path}: its pickle calls {name.replace(' ', '.')}, which a state dict does not need; not executed"
    )


def _read_zip(path: Path) -> dict[str, Tensor]:
    with zipfile.ZipFile(path) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
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


def _read_legacy(path: Path) -> dict[str, Tensor]:
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
    """The tensors of a state dict; what is no tensor (a version, say) is left out."""
    views = {name: view for name, view in value.items() if isinstance(view, View)} if isinstance(value, dict) else {}
    if not views:
        raise UserError(f"{path} holds no tensors by name: not a state dict")
    return views


def _tensors(
    value: Any, length: Callable[[str], int], read_bytes: Callable[[str], bytes], path: Path
) -> dict[str, Tensor]:
    tensors = {}
    for name, view in _views(value, path).items():
        last = view.offset + sum((n - 1) * stride for n, stride in zip(view.shape, view.strides, strict=True))
        needed = (last + 1) * _item_bytes(view.storage) if math.prod(view.shape) else 0
        have = length(view.storage.key)
        if needed > have or min((view.offset, *view.shape, *view.strides)) < 0:
            raise UserError(
                f"{path} is corrupted: tensor {name} {list(view.shape)} needs {needed} bytes, it has {have}"
            )
        tensors[name] = Tensor(name, view.shape, lambda name=name, view=view: _read_view(path, name, view, read_bytes))
    return tensors


def _read_view(path: Path, name: str, view: View, read_bytes: Callable[[str], bytes]) -> np.ndarray:
    try:
        flat = np.frombuffer(read_bytes(view.storage.key), DTYPES[view.storage.dtype])
    except BROKEN as error:
        raise UserError(f"{path} is corrupted: tensor {name} cannot be read: {error}") from error
    strides = tuple(stride * flat.itemsize for stride in view.strides)
    array = np.lib.stride_tricks.as_strided(flat[view.offset :], view.shape, strides, writeable=False)
    return to_float32(np.array(array), view.storage.dtype)
