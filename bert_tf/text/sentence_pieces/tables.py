"""What Unicode says of each code point, as the `tokenizers` library reads it: arrays of tables.npz."""

from __future__ import annotations

import functools
import pathlib

import numpy as np

from bert_tf.text.sentence_pieces.trie import LIMIT, Pages, PointNumbers
from bert_tf.text.wordpiece.tables import load_runs

FILE = pathlib.Path(__file__).with_name("tables.npz")
SHARED = {"word": "word", "white": "space"}  # what WordPiece's table has too
JOINS, PREPENDS, CONTROL = 1, 2, 3
"""Of "clusters": what goes with the character before, or with the one behind; and what stands alone."""


@functools.cache
def _file() -> dict[str, np.ndarray]:
    with np.load(FILE) as file:
        return {name: file[name] for name in file.files}


@functools.cache
def mapping(name: str) -> dict[int, str]:
    """Code point -> what it becomes, of those that change."""
    file = _file()
    lengths, texts = file[f"{name}_lengths"], file[f"{name}_texts"].astype(np.uint32).tobytes().decode("utf-32-le")
    ends = np.cumsum(lengths).tolist()
    starts = [0, *ends[:-1]]
    return {int(p): texts[s:e] for p, s, e in zip(file[f"{name}_points"], starts, ends, strict=True)}


@functools.cache
def points(name: str) -> frozenset[int]:
    """The code points of a set."""
    return frozenset(_points(name).tolist())


def _points(name: str) -> np.ndarray:
    """The code points of a set, of which the places stand in the file where its runs begin and end, in turn."""
    runs = load_runs(SHARED[name]) if name in SHARED else _file()[f"{name}_runs"]
    runs = runs.reshape(-1, 2)
    return np.concatenate([np.arange(first, stop) for first, stop in runs])


@functools.cache
def combining() -> tuple[np.ndarray, np.ndarray]:
    """Code points that combine with what is before them, and the ranks of their classes, from 1 on."""
    return _file()["combining_points"].astype(np.int64), _file()["combining_classes"].astype(np.int64)


@functools.cache
def pairs() -> tuple[np.ndarray, np.ndarray]:
    """Two code points as first * LIMIT + second, and what they are together."""
    file = _file()
    firsts, seconds = file["pair_firsts"].astype(np.int64), file["pair_seconds"].astype(np.int64)
    return firsts * LIMIT + seconds, file["pair_composed"].astype(np.int64)


def numbers(name: str) -> PointNumbers:
    """1 for the code points of a set and 0 for others; of "clusters", what each is."""
    if name != "clusters":
        found = _points(name)
        return PointNumbers(Pages.of(found, np.ones(len(found), np.int64)))
    kinds = [
        (_points(kind), number) for kind, number in (("joins", JOINS), ("prepends", PREPENDS), ("control", CONTROL))
    ]
    return PointNumbers(
        Pages.of(np.concatenate([p for p, _ in kinds]), np.concatenate([np.full(len(p), n) for p, n in kinds]))
    )
