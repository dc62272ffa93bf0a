"""Protocol buffers by hand, for the few messages of TensorFlow Serving that are written here. Needs nothing."""

from __future__ import annotations


def field(number: int, content: bytes) -> bytes:
    """A field that holds bytes, a string, a message or packed numbers."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def number_field(number: int, value: int) -> bytes:
    """A field that holds a whole number of 0 or more, or an enum."""
    return varint(number << 3) + varint(value)


def varint(value: int) -> bytes:
    """A number of 0 or more, seven bits a byte, the lowest first."""
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])
