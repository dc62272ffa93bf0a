"""A file of faiss, read as data before faiss maps it: every size, and every link of a graph (HNSW).

faiss maps such a file into memory and believes its sizes and its links: where one is wrong, the process ends, or reads
what is not its own. So the file is walked here before, and leads nowhere but into itself.
Reference: the layout, faiss/impl/index_write.cpp of https://github.com/facebookresearch/faiss
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from bert_tf.errors import UserError
from bert_tf.guard import check_regular

FLAT, SCALED, GRAPH_OF = b"IxFI", b"IxSQ", {b"IHNf": b"IxFI", b"IHNs": b"IxSQ"}
"""The indexes that are written here: vectors float32, or in 8 bits; and graphs over either."""
HEAD = struct.Struct("<4siqqqBi")  # which index, width of vectors, their number, unused twice, trained, metric
INNER_PRODUCT = 0
SIZE = struct.Struct("<Q")
QUANTIZER = struct.Struct("<iifQQ")  # type, how ranges are found, its argument, width, bytes of a vector
EIGHT_BITS = 0
SEARCH = struct.Struct("<iiiii")  # entry point, its highest level, depth of building, depth of searching, unused
DEEPEST = 1 << 20
AT_ONCE = 1 << 16  # vectors whose links are looked at together


def check_faiss_file(path: Path, documents: int, dimensions: int | None) -> None:
    """Raises: UserError for a file of other vectors than the index says, of another size, or with links out of it;
    OSError for none."""
    size = check_regular(path)
    try:
        if size < HEAD.size + SIZE.size:
            raise _Broken("is none of faiss, or cut")
        file = _File(np.memmap(path, np.uint8, "r"))
        kind, width, count = file.head()
        if kind not in (FLAT, SCALED, *GRAPH_OF):
            raise _Broken("is none of faiss, or cut")
        bytes_each = width * (4 if GRAPH_OF.get(kind, kind) == FLAT else 1)
        if count < 0 or width < 1 or width != (dimensions or width) or count * bytes_each > size:
            came = f"{path.name} of {size:,} bytes states {count} vectors of {width} numbers"
            raise UserError(
                f"{path.parent}: expected {documents} vectors of {dimensions or width} numbers. Received: {came}"
            )
        if kind in GRAPH_OF:
            _check_graph(file, count)
            if file.head() != (GRAPH_OF[kind], width, count):
                raise _Broken("has a graph over other vectors")
        _check_vectors(file, GRAPH_OF.get(kind, kind), width, count)
        if file.left:
            raise _Broken(f"of {size:,} bytes has {file.left:,} more than it states")
    except _Broken as error:
        raise UserError(f"{path.parent}: expected a whole index. Received: {path.name} {error}") from None


class _Broken(Exception):  # noqa: N818  # said of the file
    """What the file is or has, after its name."""


class _File:
    """What is left to read of a file's bytes."""

    def __init__(self, content: np.ndarray) -> None:
        self.content, self.place = content, 0

    @property
    def left(self) -> int:
        return len(self.content) - self.place

    def take(self, size: int) -> np.ndarray:
        if size > self.left:
            raise _Broken(f"of {len(self.content):,} bytes states more than it has")
        self.place += size
        return self.content[self.place - size : self.place]

    def numbers(self, form: struct.Struct) -> tuple[int, ...]:
        return form.unpack(self.take(form.size).tobytes())

    def vector(self, dtype: type, count: int | None = None) -> np.ndarray:
        """As many numbers as it states. Raises: _Broken where that is another `count`."""
        (stated,) = self.numbers(SIZE)
        if count is not None and stated != count:
            raise _Broken(f"states {stated:,} numbers where {count:,} belong")
        return self.take(stated * np.dtype(dtype).itemsize).view(dtype)

    def head(self) -> tuple[bytes, int, int]:
        kind, width, count, _, _, is_trained, metric = HEAD.unpack(self.take(HEAD.size).tobytes())
        if is_trained != 1 or metric != INNER_PRODUCT:
            raise _Broken("compares vectors in another way than by the cosine")
        return kind, width, count


def _check_vectors(file: _File, kind: bytes, width: int, count: int) -> None:
    if kind == FLAT:
        file.vector(np.float32, count * width)
        return
    quantizer, _, _, of_width, code_bytes = file.numbers(QUANTIZER)
    if (quantizer, of_width, code_bytes) != (EIGHT_BITS, width, width):
        raise _Broken("keeps its vectors in another way than in 8 bits")
    file.vector(np.float32, 2 * width)
    file.vector(np.uint8, count * width)


def _check_graph(file: _File, count: int) -> None:
    """Every link leads to a vector that is there, and that has the level on which the link lies."""
    file.vector(np.float64)  # how likely each level is, for vectors that are added
    ends = file.vector(np.int32).astype(np.int64)  # [L + 1]: where the links of each level end among a vector's own
    levels = file.vector(np.int32, count)  # [N]: on how many levels a vector is
    offsets = file.vector(np.uint64, count + 1)  # [N + 1]: where its links begin
    links = file.vector(np.int32)
    entry, top, *depths, _ = file.numbers(SEARCH)
    highest = len(ends) - 1
    if highest < 1 or ends[0] != 0 or (np.diff(ends) < 1).any():
        raise _Broken("has a graph without levels")
    if not 0 <= entry < count or not 0 <= top < levels[entry] <= highest:
        raise _Broken("has a graph that begins nowhere")
    if not all(1 <= depth <= DEEPEST for depth in depths):
        raise _Broken(f"has a graph that is searched deeper than {DEEPEST:,}")
    if offsets[0] != 0 or offsets[-1] != len(links):
        raise _Broken("has links that belong to no vector")
    for start in range(0, count, AT_ONCE):
        _check_links(slice(start, min(start + AT_ONCE, count)), ends, levels, offsets, links)


def _check_links(rows: slice, ends: np.ndarray, levels: np.ndarray, offsets: np.ndarray, links: np.ndarray) -> None:
    """Those of some vectors, which lie one after another."""
    own, begins = levels[rows], offsets[rows.start : rows.stop + 1].astype(np.int64)
    if own.min() < 1 or own.max() >= len(ends) or (np.diff(begins) != ends[own]).any():
        raise _Broken("has links that belong to no vector")
    found = links[begins[0] : begins[-1]]
    if found.min() < -1 or found.max() >= len(levels):
        raise _Broken("has links to vectors that are not there")
    for level in range(1, own.max()):
        first = begins[:-1][own > level] + ends[level]
        found = links[first[:, None] + np.arange(ends[level + 1] - ends[level])]
        if (levels[found[found >= 0]] <= level).any():
            raise _Broken("has links to vectors that are not on their level")
