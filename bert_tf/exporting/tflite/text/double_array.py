"""A trie as an array of 32-bit units, in the form of the darts-clone library, which tensorflow_text's kernels read.

A unit holds the label of the edge to its node (8 bits), whether the node has a value (bit 8) and where its children are
(bits 10 to 30): the node's number exclusive-or that offset, exclusive-or a child's label is the child's number. Label 0
is that of the unit with the value, whose highest bit is set.
Reference: https://github.com/s-yata/darts-clone
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

BLOCK = 256  # the children of a node differ in the lowest 8 bits of their numbers only
HAS_VALUE, VALUE = 1 << 8, 1 << 31
LARGEST_OFFSET = 1 << 21
RECENT_BLOCKS, FULL = 8, 16  # how many blocks are searched for room, and from how little left on none is

Node = tuple[int | None, tuple[tuple[int, int], ...]]  # its value, and label and number of each child


def double_array(entries: Mapping[bytes, int]) -> np.ndarray:
    """uint32 units of a trie with these keys and values; equal branches are stored once.

    Args:
        entries: one or more; none of the keys is empty or has a zero byte; values are in [0, 2**31).
    Raises: ValueError for a key or value that cannot be stored.
    """
    if not entries:
        raise ValueError("`entries` must be one or more. Received: none")
    for key, value in entries.items():
        if not key or 0 in key or not 0 <= value < VALUE:
            raise ValueError(f"`entries` must map bytes other than 0 to [0, 2**31). Received: {key!r}: {value}")
    nodes, root = _shared(entries)
    return _Placer(nodes).place(root)


def _shared(entries: Mapping[bytes, int]) -> tuple[list[Node], int]:
    """The different nodes, children before parents, and the number of the root."""
    nodes: list[Node] = []
    numbers: dict[Node, int] = {}

    def number_of(items: list[tuple[bytes, int]], depth: int) -> int:
        value = None
        branches: dict[int, list[tuple[bytes, int]]] = {}
        for key, item in items:
            if len(key) == depth:
                value = item
            else:
                branches.setdefault(key[depth], []).append((key, item))
        node = (value, tuple((label, number_of(below, depth + 1)) for label, below in sorted(branches.items())))
        if node not in numbers:
            numbers[node] = len(nodes)
            nodes.append(node)
        return numbers[node]

    root = number_of(list(entries.items()), 0)
    return nodes, root


class _Placer:
    """Gives every node's children a place of their own."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes
        self.units: list[int] = []
        self.free: list[dict[int, None]] = []  # of each block, in order
        self.open: list[int] = []  # the blocks where there may be room
        self.taken: set[int] = set()  # bases: no two nodes may have the same
        self.bases: dict[int, int] = {}

    def place(self, root: int) -> np.ndarray:
        self._add_block()
        del self.free[0][0]  # unit 0 is the root's
        for number in range(len(self.nodes)):
            self.bases[number] = self._base(number)
        for number, (value, children) in enumerate(self.nodes):
            base = self.bases[number]
            if value is not None:
                self.units[base] = VALUE | value
            for label, child in children:
                self.units[base ^ label] = self._unit(base ^ label, label, child)
        self.units[0] = self._unit(0, 0, root)
        return np.array(self.units, np.uint32)

    def _unit(self, place: int, label: int, node: int) -> int:
        offset = place ^ self.bases[node]
        if offset >= LARGEST_OFFSET:
            raise ValueError(f"`entries` must fit into {LARGEST_OFFSET} units. Received: {len(self.units)} units")
        return offset << 10 | (HAS_VALUE if self.nodes[node][0] is not None else 0) | label

    def _base(self, number: int) -> int:
        """A number such that it, exclusive-or each label, is free; and takes those."""
        value, children = self.nodes[number]
        labels = [*([0] if value is not None else []), *(label for label, _ in children)]
        for block in (*self.open, None):
            if block is None:
                block = self._add_block()
            free = self.free[block]
            for place in free:
                low = place ^ labels[0]
                base = block * BLOCK + low
                if base not in self.taken and all(low ^ label in free for label in labels):
                    for label in labels:
                        del free[low ^ label]
                    self.taken.add(base)
                    if len(free) < FULL:
                        self.open.remove(block)
                    return base
        raise AssertionError("a new block has room for every node")

    def _add_block(self) -> int:
        self.free.append(dict.fromkeys(range(BLOCK)))
        self.units.extend([0] * BLOCK)
        self.open = [*self.open[-RECENT_BLOCKS:], len(self.free) - 1]
        return len(self.free) - 1
