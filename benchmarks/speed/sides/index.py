"""An index of many vectors: this library's, and faiss used directly.

As a program, one build: python -m benchmarks.speed.sides.index WAY VECTORS OUT
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.sides.whole_process import timed
from benchmarks.speed.work import Repetition, Work, call_ms

WIDTH, GROUPS, CHUNK = 384, 10_000, 10_000
QUERIES, TOP, CALLS = 200, 10, 10
FAISS = "faiss"  # else a precision of ours


def make_vectors(file: str, count: str) -> None:
    """Writes an array [N, D] of vectors in groups, as those of texts are, of the length 1."""
    rng = np.random.default_rng(1)
    middles = rng.normal(size=(GROUPS, WIDTH)).astype(np.float32)
    found = np.lib.format.open_memmap(file, "w+", np.float32, (int(count), WIDTH))
    for start in range(0, len(found), CHUNK):
        part = found[start : start + CHUNK]
        part[:] = middles[rng.integers(GROUPS, size=len(part))] + rng.normal(size=part.shape, scale=0.7)
        part /= np.linalg.norm(part, axis=1, keepdims=True)


def build(*, way: str, vectors: str) -> Work:
    """Seconds of a whole process that reads the vectors and writes an index, with its peak memory."""

    def once() -> Repetition:
        with tempfile.TemporaryDirectory(prefix="bert_tf-speed-") as folder:
            return timed([sys.executable, "-m", "benchmarks.speed.sides.index", way, vectors, f"{folder}/index"])

    return Work(once)


def query(*, way: str, vectors: str) -> Work:
    """Milliseconds of a search for the ten nearest of one query; the share of them that are the true ones."""
    import faiss

    given = np.load(vectors, mmap_mode="r")
    folder = Path(tempfile.mkdtemp(prefix="bert_tf-speed-")) / "index"
    write(way, vectors, str(folder))
    index: Any
    if way == FAISS:
        index = faiss.read_index(str(folder))
    else:
        from bert_tf.inference.vector_index import VectorIndex

        index = VectorIndex.load(folder)
    rng = np.random.default_rng(2)
    queries = given[:: len(given) // QUERIES][:QUERIES] + rng.normal(size=(QUERIES, WIDTH), scale=0.02)
    queries = (queries / np.linalg.norm(queries, axis=1, keepdims=True)).astype(np.float32)
    found, wanted = index.search(queries, TOP)[1], nearest(given, queries)
    recall = float(np.mean([len(set(a) & set(b)) / TOP for a, b in zip(found.tolist(), wanted.tolist(), strict=True)]))
    shutil.rmtree(folder.parent)  # what is mapped stays
    turns = iter(range(1 << 30))

    def once() -> Repetition:
        seen = call_ms(lambda: index.search(queries[next(turns) % QUERIES][None], TOP), CALLS, warm=1)
        return Repetition(seen.value, {"recall_at_10": recall})

    return Work(once)


def nearest(vectors: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """The numbers of the nearest vectors by products in float64, int64 [Q, 10], in no order."""
    scores = np.full((len(queries), 0), 0.0)
    numbers = np.zeros((len(queries), 0), np.int64)
    for start in range(0, len(vectors), CHUNK):
        part = queries.astype(np.float64) @ vectors[start : start + CHUNK].astype(np.float64).T
        scores = np.concatenate([scores, part], axis=1)
        numbers = np.concatenate([numbers, np.broadcast_to(np.arange(part.shape[1]) + start, part.shape)], axis=1)
        best = np.argpartition(-scores, TOP - 1, axis=1)[:, :TOP]
        scores, numbers = (np.take_along_axis(array, best, axis=1) for array in (scores, numbers))
    return numbers


def write(way: str, vectors: str, out: str) -> None:
    """One index, with numbers for texts."""
    given = np.load(vectors, mmap_mode="r")
    if way == FAISS:
        import faiss

        index = faiss.IndexFlatIP(WIDTH)
        index.add(np.ascontiguousarray(given))
        faiss.write_index(index, out)
        return
    from bert_tf.inference.vector_index import VectorIndex

    numbers = [str(number) for number in range(len(given))]
    VectorIndex(numbers, numbers, Parts(vectors, len(given)), about={}, precision=way).save(out)


class Parts:
    """An array on disk that is opened for each part, as what is mapped counts as this process's memory."""

    def __init__(self, file: str, count: int) -> None:
        self.file, self.count = file, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, rows: slice) -> np.ndarray:
        return np.array(np.load(self.file, mmap_mode="r")[rows])


if __name__ == "__main__":
    write(*sys.argv[1:])
