"""What Unicode's canonical composition (NFC) knows of code points, as arrays."""

from __future__ import annotations

import functools
import pathlib
from typing import NamedTuple

import numpy as np

LIMIT = 0x110000
# Of Hangul's syllables, 21 of 28 for each first letter, all is computed: https://www.unicode.org/versions/latest, 3.12
SYLLABLES, FIRSTS, VOWELS, LASTS = 0xAC00, 0x1100, 0x1161, 0x11A7
FILE = pathlib.Path(__file__).with_name("compositions.npz")


class Tables(NamedTuple):
    """
    Args:
        split, lengths, parts: code points that are decomposed, int32 [D]; how many parts each has, [D]; and all parts,
            one after the other.
        marks, classes: code points that combine, int32 [M], and the rank of their combining class, from 1 on.
        pairs: int32 [K, 3], two code points that compose, and what they become.
    """

    split: np.ndarray
    lengths: np.ndarray
    parts: np.ndarray
    marks: np.ndarray
    classes: np.ndarray
    pairs: np.ndarray


@functools.cache
def load_tables() -> Tables:
    """The tables of compositions.npz, with Hangul's syllables."""
    with np.load(FILE) as file:
        stored = Tables(*(file[name].astype(np.int32) for name in Tables._fields))
    split, lengths, parts, pairs = hangul()
    return stored._replace(
        split=np.concatenate([stored.split, split]),
        lengths=np.concatenate([stored.lengths, lengths]),
        parts=np.concatenate([stored.parts, parts]),
        pairs=np.concatenate([stored.pairs, pairs]),
    )


def hangul() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """`split`, `lengths`, `parts` and `pairs` of Hangul's syllables."""
    number = np.arange(19 * 21 * 28)
    last, vowel, first = number % 28, number // 28 % 21, number // (28 * 21)
    columns = np.stack([FIRSTS + first, VOWELS + vowel, LASTS + last], axis=1)
    has_last = last > 0
    whole, without = SYLLABLES + number, SYLLABLES + number - last
    pairs = np.where(has_last[:, None], np.stack([without, LASTS + last, whole], axis=1),
                     np.stack([FIRSTS + first, VOWELS + vowel, whole], axis=1))  # fmt: skip
    kept = np.stack([np.ones_like(has_last), np.ones_like(has_last), has_last], axis=1)
    return tuple(x.astype(np.int32) for x in (whole, 2 + has_last, columns[kept], pairs))  # pyright: ignore[reportReturnType]


@functools.cache
def load_rare() -> np.ndarray:
    """bool [1114112]: code points that a text may not have for being composed as it is without a closer look."""
    tables, rare = load_tables(), np.zeros(LIMIT, bool)
    composed = set(tables.pairs[:, 2].tolist())
    rare[[point for point in tables.split.tolist() if point not in composed]] = True  # never what is composed
    rare[tables.marks] = True
    rare[tables.pairs[:, 1]] = True
    return rare
