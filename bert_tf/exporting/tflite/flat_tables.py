"""FlatBuffers without generated code: tables whose fields stand by their number in the schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Table:
    """A table: its fields by number, counted from 0 in the order of the schema. A union has two numbers: type, value.

    A field is a str, a Table, a list of one of these, a NumPy array of numbers, or a NumPy scalar; None is left out.
    """

    fields: Mapping[int, Any] = field(default_factory=dict)


def pack(root: Table, *, identifier: bytes | None = None) -> bytes:
    """The buffer whose root is `root`. Raises: ValueError for a field of another type."""
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    builder.Finish(_table(builder, root), file_identifier=identifier)
    return bytes(builder.Output())


def _table(builder: Any, table: Table) -> int:
    numbers = {number: value for number, value in table.fields.items() if value is not None}
    written = {
        number: value if isinstance(value, np.generic) else _offset(builder, value) for number, value in numbers.items()
    }
    builder.StartObject(max(written, default=-1) + 1)
    for number, value in written.items():
        if isinstance(value, np.generic):
            _scalar(builder, number, value)
        else:
            builder.PrependUOffsetTRelativeSlot(number, value, 0)
    return builder.EndObject()


def _scalar(builder: Any, number: int, value: np.generic) -> None:
    add = {"b": builder.PrependInt8Slot, "B": builder.PrependUint8Slot, "?": builder.PrependBoolSlot,
           "i": builder.PrependInt32Slot}.get(value.dtype.char)  # fmt: skip
    if add is None:
        raise ValueError(f"a field must be a bool, or an integer of 8 or 32 bits. Received: {value.dtype}")
    add(number, value.item(), 0)


def _offset(builder: Any, value: Any) -> int:
    if isinstance(value, str):
        return builder.CreateString(value)
    if isinstance(value, Table):
        return _table(builder, value)
    if isinstance(value, np.ndarray):
        return builder.CreateNumpyVector(value)
    if isinstance(value, Sequence):
        offsets = [_offset(builder, item) for item in value]
        builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            builder.PrependUOffsetTRelative(offset)
        return builder.EndVector()
    raise ValueError(f"a field must be a str, a Table, a list of them, or NumPy's. Received: {type(value).__name__}")
