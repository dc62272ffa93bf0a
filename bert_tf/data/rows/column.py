"""A column of more values than should be held: written to a file one after another, and read from there."""

from __future__ import annotations

import contextlib
import pickle
import weakref
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import IO, Any, overload

BLOCK = 1024  # values that are written, and read again, in one go
KEPT_BLOCKS = 4


@dataclass(frozen=True)
class Spill:
    """When the columns of a table leave memory, and where to.

    Args:
        rows: so many values of a column are held at most.
        characters: of its texts together, so many.
        open_file: gives an empty file, to write to and to read from, which nobody else sees.
        writing: is entered whenever something is written there, so that it can say what is wrong with the disk.
    """

    rows: int
    characters: int
    open_file: Callable[[], IO[bytes]]
    writing: Callable[[], contextlib.AbstractContextManager[Any]] = contextlib.nullcontext


_SPILL: ContextVar[Spill | None] = ContextVar("bert_tf_spill", default=None)


@contextlib.contextmanager
def spilled(spill: Spill | None) -> Iterator[None]:
    """Tables that are read meanwhile hold no more than `spill` says; None: they hold all."""
    token = _SPILL.set(spill)
    try:
        yield
    finally:
        _SPILL.reset(token)


class Column(Sequence[Any]):
    """Values that are appended first and read afterwards, best in their order; most lie in a file.

    The file is this process's own and has no name, so that what it holds can be pickles.

    >>> import tempfile
    >>> column = Column(Spill(rows=2, characters=1000, open_file=tempfile.TemporaryFile))
    >>> for word in ("a", "b", "c"):
    ...     column.append(word)
    >>> len(column), column[0], column[1:], list(column), column.is_on_disk
    (3, 'a', ['b', 'c'], ['a', 'b', 'c'], True)
    """

    def __init__(self, spill: Spill) -> None:
        self._spill = spill
        self._file: IO[bytes] | None = None
        self._ends = array("q", [0])  # where each block ends in the file
        self._tail: list[Any] = []  # what is not in the file yet
        self._characters = 0
        self._read: dict[int, list[Any]] = {}

    @property
    def is_on_disk(self) -> bool:
        return self._file is not None

    def append(self, value: Any) -> None:
        self._tail.append(value)
        if self._file is not None:
            if len(self._tail) == BLOCK:
                self._write(self._tail)
                self._tail = []
            return
        if isinstance(value, str):
            self._characters += len(value)
        if len(self._tail) > self._spill.rows or self._characters > self._spill.characters:
            with self._spill.writing():
                self._file = self._spill.open_file()
            weakref.finalize(self, self._file.close)
            full = len(self._tail) // BLOCK * BLOCK
            for start in range(0, full, BLOCK):
                self._write(self._tail[start : start + BLOCK])
            self._tail = self._tail[full:]

    def in_memory(self) -> list[Any] | Column:
        """A list where nothing had to leave memory, else itself."""
        return self if self.is_on_disk else self._tail

    def __len__(self) -> int:
        return BLOCK * self._blocks + len(self._tail)

    @overload
    def __getitem__(self, at: int) -> Any: ...
    @overload
    def __getitem__(self, at: slice) -> list[Any]: ...

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            start, stop, step = at.indices(len(self))
            if step != 1:
                return [self._value(number) for number in range(start, stop, step)]
            found: list[Any] = []
            for block in range(start // BLOCK, min(self._blocks, -(-stop // BLOCK))):
                before = block * BLOCK
                found += self._block(block)[max(start - before, 0) : max(stop - before, 0)]
            before = BLOCK * self._blocks
            return found + self._tail[max(start - before, 0) : max(stop - before, 0)]
        number = int(at)
        number += len(self) if number < 0 else 0
        if not 0 <= number < len(self):
            raise IndexError(f"expected a number below {len(self)}. Received: {at}")
        return self._value(number)

    def __iter__(self) -> Iterator[Any]:
        for block in range(self._blocks):
            yield from self._block(block)
        yield from self._tail

    @property
    def _blocks(self) -> int:
        return len(self._ends) - 1

    def _value(self, number: int) -> Any:
        block, at = divmod(number, BLOCK)
        return self._block(block)[at] if block < self._blocks else self._tail[number - BLOCK * self._blocks]

    def _block(self, number: int) -> list[Any]:
        found = self._read.get(number)
        if found is None:
            assert self._file is not None
            start, end = self._ends[number : number + 2]
            self._file.seek(start)
            found = pickle.loads(self._file.read(end - start))  # which `_write` has written
            self._read[number] = found
            if len(self._read) > KEPT_BLOCKS:
                del self._read[next(iter(self._read))]
        return found

    def _write(self, values: list[Any]) -> None:
        assert self._file is not None
        content = pickle.dumps(values, pickle.HIGHEST_PROTOCOL)
        with self._spill.writing():
            self._file.seek(self._ends[-1])
            self._file.write(content)
            self._file.flush()
        self._ends.append(self._ends[-1] + len(content))


class Chosen(Sequence[Any]):
    """Some values of a column, by their numbers, looked up when they are asked for.

    >>> list(Chosen("abcd", array("q", [0, 2])))
    ['a', 'c']
    """

    is_on_disk = True

    def __init__(self, values: Sequence[Any], numbers: array[int]) -> None:
        self.values, self.numbers = values, numbers

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, at: int) -> Any: ...
    @overload
    def __getitem__(self, at: slice) -> list[Any]: ...

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self.values[number] for number in self.numbers[at]]
        return self.values[self.numbers[int(at)]]


def new_column(first: Any) -> Any:
    """What the values of a column are to be appended to: a list, but where they may have to leave memory.

    Args:
        first: its first value; numbers are so small that they stay.
    """
    spill = _SPILL.get()
    return [] if spill is None or first is None or isinstance(first, int | float) else Column(spill)


def new_numbers() -> Any:
    """The same for whole numbers that no column has, such as those of lines."""
    return [] if _SPILL.get() is None else array("q")


def settled(values: Any) -> Any:
    """What has been appended to, once that is over."""
    return values.in_memory() if isinstance(values, Column) else values


def taken(values: Any, numbers: Sequence[int]) -> Any:
    """Some of a column's values, by their numbers: a list, or on a disk where the column is and they are many."""
    if isinstance(values, array):
        return array(values.typecode, (values[number] for number in numbers))
    spill = _SPILL.get()
    if spill is not None and is_on_disk(values) and len(numbers) > spill.rows:
        return Chosen(values, array("q", numbers))
    return [values[number] for number in numbers]


def is_on_disk(values: object) -> bool:
    """Whether a column is read from a file."""
    return bool(getattr(values, "is_on_disk", False))
