"""Many keys at once: which of them begin at each place of texts, by a trie whose edges lie in arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

LIMIT = 0x110000  # code points, and what stands for more than one, are below and from this on
PAGE_BITS = 8
ALONE = 8  # nodes with more children than this are placed one by one
SEED = 7  # of the places that are tried, so that the same keys give the same arrays


class Matches(NamedTuple):
    """starts, lengths, values int32 [M]: a key of that value stands at places [start, start + length)."""

    starts: Any
    lengths: Any
    values: Any


class Pages(NamedTuple):
    """A number for each code point: numbers[pages[point >> PAGE_BITS] << PAGE_BITS | the rest of its bits]."""

    pages: np.ndarray
    numbers: np.ndarray

    @classmethod
    def of(cls, points: np.ndarray, numbers: np.ndarray) -> Pages:
        """`numbers` of `points`, and 0 of all others. What is no code point, from LIMIT on, has 0 too."""
        size = 1 << PAGE_BITS
        table = np.zeros((LIMIT // size + 1, size), np.int32)
        table.reshape(-1)[points] = numbers
        rows, pages = {np.zeros(size, np.int32).tobytes(): 0}, np.zeros(len(table), np.int32)
        for number in np.flatnonzero(table.any(axis=1)).tolist():  # Equal pages are kept once.
            pages[number] = rows.setdefault(table[number].tobytes(), len(rows))
        return cls(pages, np.frombuffer(b"".join(rows), np.int32))


class PointNumbers:
    """A number for each code point, in TensorFlow ops: int32 [N] -> int32 [N]."""

    def __init__(self, pages: Pages):
        self.pages, self.numbers = tf.constant(pages.pages), tf.constant(pages.numbers)

    def __call__(self, points):
        points = tf.minimum(points, LIMIT)
        page = tf.gather(self.pages, tf.bitwise.right_shift(points, PAGE_BITS))
        within = tf.bitwise.bitwise_and(points, (1 << PAGE_BITS) - 1)
        return tf.gather(self.numbers, tf.bitwise.left_shift(page, PAGE_BITS) + within)


class Trie:
    """Finds keys in texts of code points, in the TensorFlow ops of a graph.

    A node is a place in two arrays: of its child for a character of code c, the place is `base[node] + c`, if `parent`
    there is the node.

    Args:
        keys: K texts, none of them empty.
        values: an int of 0 or more for each; of a key that occurs again, the last one counts.
        unrolled: how many levels are operators one behind the other, which take less time than a loop where there are
            few characters.
    """

    def __init__(self, keys: Sequence[str], values: Sequence[int], *, unrolled: int = 1):
        points, lengths = _points_of(keys)
        self.longest = int(lengths.max())
        self.unrolled = min(unrolled, self.longest)
        alphabet, counts = np.unique(points, return_counts=True)
        alphabet = alphabet[np.argsort(-counts, kind="stable")]  # Codes of frequent characters lie close together.
        order = np.argsort(alphabet)
        codes = order[np.searchsorted(alphabet, points, sorter=order)] + 1
        parents, edges, nodes = _nodes_of(codes, lengths, width=len(alphabet) + 1)
        base, places = _place(parents, edges, width=len(alphabet) + 1)
        parent, number = (np.full(len(base), -1, np.int32) for _ in range(2))
        parent[places[1:]] = places[parents]
        number[places[nodes]] = np.arange(len(keys))  # NumPy keeps the last of several.
        self.codes = PointNumbers(Pages.of(alphabet, np.arange(1, len(alphabet) + 1)))
        self.base, self.parent, self.number = (tf.constant(array) for array in (base, parent, number))
        self.first = int(base[0])
        self.lengths, self.values = (tf.constant(np.asarray(column, np.int32)) for column in (lengths, values))

    def __call__(self, points) -> Matches:
        """All keys at all places. No key goes over a place whose character is in none, such as one beyond LIMIT.

        Args:
            points: int32 [N]; the last is of no key.
        """
        codes = self.codes(points)

        def kept(places, parents, nodes):
            """What is left where `nodes` are children of `parents`: what is in no key has the code 0, of no child."""
            fits = tf.where(tf.gather(self.parent, nodes) == parents)[:, 0]
            return tf.gather(places, fits), tf.gather(nodes, fits)

        def further(depth, places, nodes):
            return kept(places, nodes, tf.gather(self.base, nodes) + tf.gather(codes, places + depth))

        levels = [kept(tf.range(tf.size(codes)), 0, self.first + codes)]
        while len(levels) < self.unrolled:
            levels.append(further(len(levels), *levels[-1]))
        if self.longest > self.unrolled:
            levels.append(self._deeper(further, *levels[-1]))
        places, nodes = (tf.concat(column, axis=0) for column in zip(*levels, strict=True))
        numbers = tf.gather(self.number, nodes)
        ends = tf.where(numbers >= 0)[:, 0]
        numbers = tf.gather(numbers, ends)
        return Matches(tf.gather(places, ends), tf.gather(self.lengths, numbers), tf.gather(self.values, numbers))

    def _deeper(self, further, places, nodes):
        """Places and nodes, int32 [M], of all levels behind the ones that are unrolled."""

        def step(depth, places, nodes, at, found):
            places, nodes = further(depth, places, nodes)
            return (
                depth + 1,
                places,
                nodes,
                at.write(depth - self.unrolled, places),
                found.write(depth - self.unrolled, nodes),
            )

        one, any_shape = tf.TensorShape([None]), tf.TensorShape(None)
        # At least one step: of no arrays there is no whole.
        *_, at, found = tf.while_loop(
            lambda depth, places, *_: (depth == self.unrolled) | (tf.size(places) > 0), step,
            (tf.constant(self.unrolled), places, nodes, lot(tf.int32), lot(tf.int32)),
            shape_invariants=(tf.TensorShape([]), one, one, any_shape, any_shape),
        )  # fmt: skip
        return at.concat(), found.concat()


def lot(kind):
    """An array of tensors [N] of unlike sizes."""
    return tf.TensorArray(kind, 0, dynamic_size=True, infer_shape=False, element_shape=[None])


def _points_of(keys: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The code points of all keys, end to end, and the length of each."""
    joined = "".join(keys).encode("utf-32-le", "surrogatepass")
    return np.frombuffer(joined, np.uint32).astype(np.int64), np.array([len(key) for key in keys], np.int64)


def _nodes_of(codes: np.ndarray, lengths: np.ndarray, *, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The nodes of the trie: for each but the root, which is 0, its parent and the code of its edge, in the order of
    the parents; and the node of each key."""
    starts = np.cumsum(lengths) - lengths
    nodes, parents, edges, count = np.zeros(len(lengths), np.int64), [], [], 1
    for depth in range(lengths.max()):
        alive = np.flatnonzero(lengths > depth)
        pairs, of_key = np.unique(nodes[alive] * width + codes[starts[alive] + depth], return_inverse=True)
        parents.append(pairs // width)
        edges.append(pairs % width)
        nodes[alive] = count + of_key.ravel()
        count += len(pairs)
    return np.concatenate(parents), np.concatenate(edges), nodes


def _place(parents: np.ndarray, edges: np.ndarray, *, width: int) -> tuple[np.ndarray, np.ndarray]:
    """`base`, int32 [P], and each node's place in it: no two nodes have the same, and the children of a node stand
    where their codes say."""
    count = len(edges) + 1
    children = np.bincount(parents, minlength=count)
    first = np.cumsum(children) - children
    span = 2 * count + width
    taken, offsets, places = np.zeros(span + width, bool), np.zeros(count, np.int64), np.zeros(count, np.int64)
    taken[0] = True
    rng = np.random.default_rng(SEED)

    def settle(nodes, offset, codes):
        offsets[nodes] = offset
        where = offset[:, None] + codes
        places[first[nodes][:, None] + np.arange(codes.shape[1]) + 1] = where
        taken[where] = True

    for node in np.flatnonzero(children > ALONE)[np.argsort(-children[children > ALONE], kind="stable")]:
        codes = edges[first[node] : first[node] + children[node]]
        offset = 0
        while taken[offset + codes].any():
            offset = int(rng.integers(0, span))
        settle(np.array([node]), np.array([offset]), codes[None])
    for size in range(ALONE, 1, -1):
        todo = np.flatnonzero(children == size)
        while len(todo):
            codes = edges[first[todo][:, None] + np.arange(size)]
            tried = rng.integers(0, span, len(todo))
            where = tried[:, None] + codes
            free = ~taken[where].any(axis=1)
            _, claims = np.unique(where[free], return_index=True)  # The first to try a place has it.
            won = np.bincount(claims // size, minlength=free.sum()) == size
            settled = np.flatnonzero(free)[won]
            settle(todo[settled], tried[settled], codes[settled])
            todo = np.delete(todo, settled)
    todo = np.flatnonzero(children == 1)
    codes = edges[first[todo]]
    gaps = width + np.flatnonzero(~taken[width:])[: len(todo)]  # Beyond the largest code, so that no offset is below 0.
    settle(todo, gaps - codes, codes[:, None])
    base = np.zeros(int(places.max()) + width + 1, np.int32)
    base[places] = offsets
    return base, places
