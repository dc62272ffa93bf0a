"""The head of a file of faiss, held to what the index says of itself and to the file's size.

faiss maps such a file into memory and believes its sizes: where one is wrong, the process ends. So the first bytes are
read here before. Of a graph (HNSW) only they can be held to anything: its links are faiss's own.
"""

from __future__ import annotations

import struct
from pathlib import Path

from bert_tf.errors import UserError
from bert_tf.guard import check_regular

HEAD = struct.Struct("<4siq")  # which index, the width of vectors, how many there are
KINDS = {b"IxFI": 4, b"IxSQ": 1, b"IHNf": 4, b"IHNs": 1}
"""The indexes that are written here -> bytes of a number of a vector."""
FLAT, FLAT_SIZE = b"IxFI", struct.Struct("<Q")
FLAT_HEAD_BYTES = 45  # and all that follows are the vectors; the last 8 of these bytes say how many numbers


def check_faiss_file(path: Path, documents: int, dimensions: int | None) -> None:
    """Raises: UserError for a file of other vectors than the index says, or of another size; OSError for none."""
    size = check_regular(path)
    with path.open("rb") as file:
        head = file.read(FLAT_HEAD_BYTES)
    if len(head) < FLAT_HEAD_BYTES or head[:4] not in KINDS:
        raise UserError(f"{path.parent}: expected a whole index. Received: {path.name} is none of faiss, or cut")
    kind, width, count = HEAD.unpack_from(head)
    numbers = width * count
    if count < 0 or width < 1 or width != (dimensions or width) or numbers * KINDS[kind] > size:
        came = f"{path.name} of {size:,} bytes states {count} vectors of {width} numbers"
        raise UserError(
            f"{path.parent}: expected {documents} vectors of {dimensions or width} numbers. Received: {came}"
        )
    (stated,) = FLAT_SIZE.unpack_from(head, FLAT_HEAD_BYTES - FLAT_SIZE.size)
    if kind == FLAT and not (stated == numbers and size == FLAT_HEAD_BYTES + 4 * numbers):
        came = f"{path.name} of {size:,} bytes"
        raise UserError(
            f"{path.parent}: expected a whole index, {FLAT_HEAD_BYTES + 4 * numbers:,} bytes. Received: {came}"
        )
