"""flax_model.msgpack, which the Flax classes of Transformers (before version 5) wrote, under the names of PyTorch's.

A tree of dicts in MessagePack, its arrays as extension type 1: MessagePack again, of shape, dtype and bytes. An array
of more than 2^30 bytes is a dict of flat pieces. Nothing in such a file is ever executed. Kernels are [in, out], where
PyTorch has [out, in].

Reference: https://github.com/google/flax, `flax/serialization.py`
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bert_tf.errors import UserError
from bert_tf.guard import WRONG, check_regular, short
from bert_tf.weights.checkpoint import Tensor
from bert_tf.weights.readers.pointer import check_fetched
from bert_tf.weights.readers.safe import to_float32

ARRAY, SCALAR = 1, 3  # codes of extension types
DTYPES = {
    "float64": "<f8", "float32": "<f4", "float16": "<f2", "bfloat16": "<u2",
    "int64": "<i8", "int32": "<i4", "int16": "<i2", "int8": "i1",
    "uint64": "<u8", "uint32": "<u4", "uint16": "<u2", "uint8": "u1", "bool": "?",
}  # fmt: skip
CHUNKED = "__msgpack_chunked_array__"
WEIGHTS = {"kernel": "weight", "embedding": "weight", "scale": "weight"}
DEEPEST = 64


def read_flax(path: Path) -> dict[str, Tensor]:
    """The tensors of one file, whole or a shard, by PyTorch's names and in PyTorch's layout.

    Raises: UserError naming the file and what is wrong with it, or the package that is missing.
    """
    try:
        import msgpack
    except ImportError:
        raise UserError(f"{path} needs msgpack to be read: pip install 'bert_tf[flax]'") from None
    check_fetched(path)
    try:
        check_regular(path)
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    try:
        tree = msgpack.unpackb(data)  # it holds every length inside to that of the file
        if not isinstance(tree, dict):
            raise ValueError(f"it holds a {type(tree).__name__}, not a tree of tensors")
        tensors = dict(_tensors(path, tree, ()))
    except (*WRONG, msgpack.UnpackException) as error:
        raise UserError(f"{path} is truncated or no Flax file: {str(error) or type(error).__name__}") from error
    if not tensors:
        raise UserError(f"{path} holds no tensors")
    return tensors


def torch_name(name: str) -> str:
    """PyTorch's name of the array at `name`, the keys on the way to it with slashes between them."""
    *above, last = name.removeprefix("params/").split("/")
    return ".".join([*above, WEIGHTS.get(last, last)])


def _tensors(path: Path, tree: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[tuple[str, Tensor]]:
    if len(above) > DEEPEST:
        raise ValueError(f"more than {DEEPEST} levels")
    for key, value in tree.items():
        parts = (*above, key)
        if isinstance(value, dict) and CHUNKED not in value:
            yield from _tensors(path, value, parts)
            continue
        name = "/".join(parts)
        array, dtype = _joined(value) if isinstance(value, dict) else _array(value)
        array = np.transpose(array) if key == "kernel" else array
        # Arrays are views of the file's bytes, and become float32 one at a time.
        mark = "BF16" if dtype == "bfloat16" else ""
        yield torch_name(name), Tensor(name, array.shape, lambda array=array, mark=mark: to_float32(array, mark))


def _joined(chunked: Mapping[str, Any]) -> tuple[np.ndarray, str]:
    shape, pieces = chunked["shape"], chunked["chunks"]
    arrays, dtypes = zip(*(_array(pieces[str(i)]) for i in range(len(pieces))), strict=True)
    return np.concatenate(arrays).reshape([shape[str(i)] for i in range(len(shape))]), dtypes[0]


def _array(value: Any) -> tuple[np.ndarray, str]:
    """An array as it lies in the file, and the name of its dtype; of bfloat16 the bits."""
    import msgpack

    if not isinstance(value, msgpack.ExtType) or value.code not in (ARRAY, SCALAR):
        raise ValueError(f"expected an array. Received: {type(value).__name__}")
    shape, dtype, data = msgpack.unpackb(value.data)
    if dtype not in DTYPES:
        raise ValueError(f"an array is of type {short(dtype)}; known types: {', '.join(DTYPES)}")
    if any(not isinstance(length, int) or length < 0 for length in shape):
        raise ValueError(f"an array has the shape {short(shape)}")
    if math.prod(shape) * np.dtype(DTYPES[dtype]).itemsize != len(data):
        raise ValueError(f"an array of {dtype} {list(shape)} has {len(data)} bytes")
    return np.frombuffer(data, DTYPES[dtype]).reshape(shape), dtype
