"""The normalisation table: what BERT's reference normaliser does to each Unicode code point, as arrays.

The reference works on one code point at a time (only canonical reordering looks further), so all of it fits in a
table. An entry is an int32: `delta << 11 | combining class << 3 | kind`. Code point + delta is the replacement, or, for
`EXPANDS`, the row of the expansions. Entries lie in pages of 256, and equal pages are stored once.
"""

from __future__ import annotations

import dataclasses
import functools
import pathlib

import numpy as np

PLAIN, ISOLATED, CJK, SPACE, REMOVED, MARK, EXPANDS = range(7)  # MARK: removed too, but only after reordering
KIND_BITS, CLASS_BITS, PAGE_BITS = 3, 8, 8
FILE = pathlib.Path(__file__).with_name("normalization.npz")


@dataclasses.dataclass(frozen=True, kw_only=True)
class NormalizationTable:
    """pages int32 [4352]; entries int32 [256 * number of pages]; an expansion e is
    expansion_points[expansion_splits[e]:expansion_splits[e + 1]], int32 code points, each with its
    combining class in expansion_classes, int32. spaced, bool as entries: what the reference puts spaces around."""

    pages: np.ndarray
    entries: np.ndarray
    spaced: np.ndarray
    expansion_splits: np.ndarray
    expansion_points: np.ndarray
    expansion_classes: np.ndarray


def mode_name(lowercase: bool, strip_accents: bool):
    return ("lower" if lowercase else "cased") + ("_stripped" if strip_accents else "")


@functools.lru_cache(maxsize=8)
def load_table(lowercase: bool, strip_accents: bool, split_cjk: bool) -> NormalizationTable:
    mode = mode_name(lowercase, strip_accents)
    with np.load(FILE) as file:
        entries = file[f"{mode}_entries"].copy()
        cjk = (entries & (1 << KIND_BITS) - 1) == CJK
        entries[cjk] += (ISOLATED if split_cjk else PLAIN) - CJK
        return NormalizationTable(
            pages=file[f"{mode}_pages"].astype(np.int32),
            entries=entries,
            spaced=cjk & split_cjk,
            expansion_splits=np.concatenate([[0], np.cumsum(file["expansion_lengths"])]).astype(np.int32),
            expansion_points=file["expansion_points"],
            expansion_classes=file["expansion_classes"].astype(np.int32),
        )


@functools.cache
def load_runs(name: str) -> np.ndarray:
    """int32, where runs of code points begin and end, in turn: "word", what continues a single word; or "space"."""
    with np.load(FILE) as file:
        return file[f"{name}_runs"]
