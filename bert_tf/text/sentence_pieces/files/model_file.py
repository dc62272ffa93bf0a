"""A SentencePiece model's file, such as spiece.model: a protocol buffer, of which the fields that count are read.

Reference: https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bert_tf.errors import UserError
from bert_tf.guard import read_bytes

UNIGRAM, BPE = 1, 2
KINDS = {1: "unigram", 2: "bpe", 3: "word", 4: "char"}
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # how a field is written
MOST_PIECES = 1 << 22
# The numbers of fields.
PIECES, TRAINER, NORMALIZER = 1, 2, 3
PIECE, SCORE, TYPE = 1, 2, 3
MODEL_TYPE, SUFFIX, BYTE_FALLBACK, UNK_ID = 3, 24, 35, 40
CHARSMAP, DUMMY_PREFIX, REMOVE_EXTRA, ESCAPE = 2, 3, 4, 5


class Piece(NamedTuple):
    """text, its score, and what it is: NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED or BYTE."""

    text: str
    score: float
    kind: int


class ModelFile(NamedTuple):
    """What a model's file says.

    Args:
        pieces: in the order of their ids.
        model_type: UNIGRAM, BPE, or another of `KINDS`.
        charsmap: the map of characters, bytes; empty where texts are not normalised.
    """

    pieces: tuple[Piece, ...]
    model_type: int
    unk_id: int
    byte_fallback: bool
    whitespace_suffix: bool
    charsmap: bytes
    add_dummy_prefix: bool
    remove_extra_whitespaces: bool
    escape_whitespaces: bool


def read_model(path: Path) -> ModelFile:
    """Raises: UserError for a file that is none, or of more than MOST_PIECES pieces."""
    content = read_bytes(path)
    pieces, trainer, normalizer = [], {}, {}
    try:
        for number, value in _fields(content):
            if number == PIECES:
                pieces.append(_piece(value))
                if len(pieces) > MOST_PIECES:
                    raise ValueError(f"more than {MOST_PIECES:,} pieces")
            elif number == TRAINER:
                trainer = dict(_fields(value))
            elif number == NORMALIZER:
                normalizer = dict(_fields(value))
        if not pieces:
            raise ValueError("no pieces")
        return ModelFile(
            pieces=tuple(pieces),
            model_type=_int(trainer, MODEL_TYPE, UNIGRAM),
            unk_id=_int(trainer, UNK_ID, 0),
            byte_fallback=bool(_int(trainer, BYTE_FALLBACK, 0)),
            whitespace_suffix=bool(_int(trainer, SUFFIX, 0)),
            charsmap=bytes(normalizer.get(CHARSMAP, b"")),
            add_dummy_prefix=bool(_int(normalizer, DUMMY_PREFIX, 1)),
            remove_extra_whitespaces=bool(_int(normalizer, REMOVE_EXTRA, 1)),
            escape_whitespaces=bool(_int(normalizer, ESCAPE, 1)),
        )
    except (ValueError, TypeError, struct.error, UnicodeDecodeError) as error:
        raise UserError(f"{path}: expected a model of SentencePiece. Received: {error}") from None


def _piece(content: bytes) -> Piece:
    fields = dict(_fields(content))
    return Piece(
        bytes(fields.get(PIECE, b"")).decode("utf-8"), float(fields.get(SCORE, 0.0)), _int(fields, TYPE, NORMAL)
    )


def _int(fields: dict[int, Any], number: int, default: int) -> int:
    value = fields.get(number, default)
    if not isinstance(value, int):
        raise ValueError(f"field {number} that is no number")
    return value - (1 << 64) if value >= 1 << 63 else value


def _fields(content: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a message, as they follow each other: number, and an int, a float or bytes."""
    place, size = 0, len(content)

    def varint() -> int:
        nonlocal place
        value = shift = 0
        while True:
            if place >= size or shift > 63:
                raise ValueError(f"a number that does not end, at byte {place:,} of {size:,}")
            byte = content[place]
            place += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    while place < size:
        key = varint()
        kind = key & 7
        if kind == VARINT:
            yield key >> 3, varint()
            continue
        length = {FIXED64: 8, FIXED32: 4}.get(kind)
        length = varint() if kind == BYTES else length
        if length is None or length > size - place:
            raise ValueError(f"a field of kind {kind} that does not end, at byte {place:,} of {size:,}")
        value: Any = content[place : place + length]
        place += length
        if kind == FIXED32:
            (value,) = struct.unpack("<f", value)
        yield key >> 3, value
