"""The sum of arrays over the workers of one machine, in memory that they share. Needs no TensorFlow.

TensorFlow sends gradients between processes of a machine as it does between machines, in messages over the loopback
network: several copies, made by the very cores that compute.
"""

from __future__ import annotations

import mmap
import os
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bert_tf.training.workers.peers import Peers

FOLDER = Path("/dev/shm")  # a file there is memory; Linux has it
ALIGNED = 64  # bytes, so that TensorFlow takes an array as it lies
TOKEN_BYTES = 64


class SharedSum:
    """Sums of float32 arrays and of rows of tables, the same on all workers.

    Args:
        peers: the workers, all of this machine.
        memory: of `size_of(...)` bytes for each worker, and `TOKEN_BYTES` at its beginning.
        lengths: numbers in each array.
        tables: rows and width of each table.
    """

    def __init__(
        self, peers: Peers, memory: mmap.mmap, lengths: Sequence[int], tables: Sequence[tuple[int, int]]
    ) -> None:
        self.peers, self.count = peers, len(lengths)
        ends = np.cumsum([0, *(_room(4 * length) for length in lengths)])
        workers = len(peers.addresses)
        dense = np.frombuffer(memory, np.float32, workers * ends[-1] // 4, TOKEN_BYTES).reshape(workers, -1)
        self.dense = list(dense)
        self.own = [dense[peers.rank, first // 4 : first // 4 + n] for first, n in zip(ends, lengths, strict=False)]
        # What the sum is put into is this worker's alone: TensorFlow may write into what it is given.
        self.total = np.frombuffer(mmap.mmap(-1, max(ALIGNED, int(ends[-1]))), np.float32, ends[-1] // 4)
        self.parts = [self.total[first // 4 : first // 4 + n] for first, n in zip(ends, lengths, strict=False)]
        place = TOKEN_BYTES + dense.nbytes
        self.tables: list[list[_Table]] = [[] for _ in tables]
        for _ in range(workers):
            for found, (rows, width) in zip(self.tables, tables, strict=True):
                found.append(_Table(memory, place, rows, width))
                place += _Table.size(rows, width)

    @staticmethod
    def open(peers: Peers, lengths: Sequence[int], tables: Sequence[tuple[int, int]]) -> SharedSum | None:
        """Called by all workers at once; None on all of them where they have no memory that all can reach."""
        size = TOKEN_BYTES + len(peers.addresses) * (
            sum(_room(4 * length) for length in lengths) + sum(_Table.size(*table) for table in tables)
        )
        reserved = TOKEN_BYTES + len(peers.addresses) * sum(_room(4 * length) for length in lengths)
        created = _create(size, reserved) if peers.rank == 0 else None
        try:
            place = peers.gather(created and [str(created[0]), created[1]])[0]
            memory = None if place is None else _map(Path(place[0]), place[1], size)
            if not all(peers.gather(memory is not None)) or memory is None:
                return None
        finally:
            if created is not None:
                created[0].unlink()  # it lasts until the last worker ends
        return SharedSum(peers, memory, lengths, tables)

    def __call__(self, *arrays: np.ndarray) -> list[np.ndarray]:
        """Called by all workers with arrays of the same lengths.

        Args:
            arrays: float32, as many as there are lengths; then for each table the numbers of some of its rows, int64
                [R], and what is to be added to them, float32 [R, width].
        Returns: the sums of the arrays, flat; then for each table the numbers and rows of all workers, one worker's
            after another's. Valid until the next call.
        Raises: RunAgain if a worker is gone.
        """
        for own, array in zip(self.own, arrays, strict=False):
            np.copyto(own, array.reshape(-1))
        for k, table in enumerate(self.tables):
            table[self.peers.rank].write(*arrays[self.count + 2 * k : self.count + 2 * k + 2])
        self.peers.meet()
        np.add(self.dense[0], self.dense[1], out=self.total)
        for each in self.dense[2:]:
            np.add(self.total, each, out=self.total)
        rows = [part for table in self.tables for part in _joined(table)]
        self.peers.meet()  # from now on each may write into its own part again
        return [*self.parts, *rows]


class _Table:
    """Rows of a table that one worker has something to add to.

    Args:
        memory, place: where they lie.
        rows, width: of the whole table.
    """

    def __init__(self, memory: mmap.mmap, place: int, rows: int, width: int) -> None:
        self.count = np.frombuffer(memory, np.int64, 1, place)
        self.numbers = np.frombuffer(memory, np.int64, rows, place + ALIGNED)
        self.values = np.frombuffer(memory, np.float32, rows * width, place + ALIGNED + _room(8 * rows))
        self.values = self.values.reshape(rows, width)

    @staticmethod
    def size(rows: int, width: int) -> int:
        return ALIGNED + _room(8 * rows) + _room(4 * rows * width)

    def write(self, numbers: np.ndarray, values: np.ndarray) -> None:
        self.count[0] = len(numbers)
        self.numbers[: len(numbers)] = numbers
        self.values[: len(numbers)] = values


def _joined(table: Sequence[_Table]) -> tuple[np.ndarray, np.ndarray]:
    counts = [int(each.count[0]) for each in table]
    return (
        np.concatenate([each.numbers[:count] for each, count in zip(table, counts, strict=True)]),
        np.concatenate([each.values[:count] for each, count in zip(table, counts, strict=True)]),
    )


def _room(size: int) -> int:
    return -(-size // ALIGNED) * ALIGNED


def _create(size: int, reserved: int) -> tuple[Path, str] | None:
    """A new file of so many bytes, of which some are reserved, so that they are there when they are needed."""
    if not FOLDER.is_dir() or not hasattr(os, "posix_fallocate"):
        return None
    path = None
    try:
        file, name = tempfile.mkstemp(prefix="bert_tf-", dir=FOLDER)
        path, token = Path(name), secrets.token_hex(TOKEN_BYTES // 2)
        with os.fdopen(file, "r+b") as opened:
            opened.truncate(size)
            os.posix_fallocate(opened.fileno(), 0, reserved)
            opened.write(token.encode())
    except OSError:
        if path is not None:
            path.unlink(missing_ok=True)
        return None
    return path, token


def _map(path: Path, token: str, size: int) -> mmap.mmap | None:
    """The file, if it is the one that holds the token; of another machine, or container, it is not."""
    try:
        with path.open("r+b") as opened:
            if os.fstat(opened.fileno()).st_size == size and opened.read(TOKEN_BYTES) == token.encode():
                return mmap.mmap(opened.fileno(), size)
    except OSError:
        pass
    return None
