"""Reads a safetensors file: every length is checked before a tensor is touched, so that a broken file is named.

Format: 8 bytes little-endian length of the header, a JSON header, then the tensors one after the other without gaps.
Reference: https://huggingface.co/docs/safetensors
"""

from __future__ import annotations

import math
import operator
from pathlib import Path
from typing import Any

import numpy as np

from bert_tf.errors import UserError
from bert_tf.guard import check_regular, parse_json, short
from bert_tf.weights.checkpoint import Tensor

LARGEST_HEADER_BYTES = 100_000_000  # the format's own limit
MOST_AXES = 16
# bfloat16 is read as uint16, the upper half of a float32
DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?",
}  # fmt: skip


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors of one file, floats as float32.

    Raises: UserError naming the file and what is wrong with it.
    """
    try:
        size = check_regular(path)
        with path.open("rb") as file:
            start = file.read(8)
            if start == b"version ":
                raise UserError(
                    f"{path} is a Git LFS pointer, not the weights themselves: fetch it with `git lfs pull`"
                )
            header_bytes = int.from_bytes(start, "little")
            if len(start) == 8 and LARGEST_HEADER_BYTES < header_bytes <= size:
                raise UserError(
                    f"{path}: expected a header of at most {LARGEST_HEADER_BYTES:,} bytes. Received: {header_bytes:,}"
                )
            if len(start) < 8 or 8 + header_bytes > size:
                raise UserError(
                    f"{path} is truncated or no safetensors file: its header should be {header_bytes} bytes long, "
                    f"the whole file has {size}"
                )
            header = parse_json(file.read(header_bytes), f"{path} is corrupted: its header")
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    if not isinstance(header, dict):
        raise UserError(f"{path} is corrupted: its header is a JSON {type(header).__name__}, not an object")
    header.pop("__metadata__", None)
    _check_length(path, header, 8 + header_bytes, size)
    return {name: _tensor(path, name, entry, 8 + header_bytes) for name, entry in header.items()}


def to_float32(array: np.ndarray, dtype: str) -> np.ndarray:
    """Floats of any width as float32, exactly where float32 can hold them; `dtype` BF16 marks uint16 bits."""
    if dtype == "BF16":
        return (array.astype(np.uint32) << 16).view(np.float32)
    return array.astype(np.float32, copy=False) if array.dtype.kind == "f" else array


def _check_length(path: Path, header: dict[str, Any], data: int, size: int) -> None:
    """Tensors must follow each other without gap or overlap, fit their shapes, and end where the file ends."""
    end = 0
    try:
        for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
            dtype, (begin, stop) = entry["dtype"], map(operator.index, entry["data_offsets"])
            if len(entry["shape"]) > MOST_AXES:
                raise ValueError(f"a shape of {len(entry['shape']):,} axes")
            shape = [operator.index(length) for length in entry["shape"]]
            if dtype not in DTYPES:
                raise UserError(
                    f"{path}: tensor {name:.200} is of type {dtype!s:.40}; known types: {', '.join(DTYPES)}"
                )
            expected = math.prod(shape) * np.dtype(DTYPES[dtype]).itemsize
            if begin != end or stop - begin != expected or any(length < 0 for length in shape):
                raise UserError(
                    f"{path} is corrupted: tensor {name}, {dtype} {shape}, needs {expected} bytes from {end}, "
                    f"and its header gives it {begin} to {stop}"
                )
            end = stop
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is corrupted: an entry of its header is malformed ({short(str(error))})") from error
    if data + end != size:
        verdict = "truncated" if size < data + end else "corrupted"
        raise UserError(f"{path} is {verdict}: its header asks for {data + end} bytes, the file has {size}")


def _tensor(path: Path, name: str, entry: dict[str, Any], data: int) -> Tensor:
    shape, dtype = tuple(entry["shape"]), entry["dtype"]

    def read() -> np.ndarray:
        try:
            array = np.fromfile(path, DTYPES[dtype], math.prod(shape), offset=data + entry["data_offsets"][0])
            return to_float32(array.reshape(shape), dtype)
        except (OSError, ValueError) as error:  # the file changed after its header was read
            raise UserError(f"{path}: tensor {name} cannot be read: {error}") from error

    return Tensor(name, shape, read)
