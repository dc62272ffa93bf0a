"""Which code points are letters, numbers and white space to the pattern that splits words: \\p{L}, \\p{N} and \\s."""

from __future__ import annotations

import functools
import pathlib

import numpy as np

BREAK, LETTER, NUMBER, OTHER, BLANK, SPACE = range(6)
"""BREAK: between texts, of no code point; BLANK: white space; SPACE: U+0020 alone."""
LIMIT, PAGE_BITS = 0x110000, 8
FILE = pathlib.Path(__file__).with_name("classes.npz")


@functools.cache
def load_classes() -> np.ndarray:
    """uint8 [1114112], the class of each code point."""
    with np.load(FILE) as file:
        return np.repeat(file["classes"], np.diff([*file["starts"], LIMIT]))


@functools.cache
def load_pages() -> tuple[np.ndarray, np.ndarray]:
    """The same in pages of 256, equal ones once: int32 [4352], where the page of each code point begins, and uint8
    entries."""
    entries, pages = np.unique(load_classes().reshape(-1, 1 << PAGE_BITS), axis=0, return_inverse=True)
    return (pages.ravel() << PAGE_BITS).astype(np.int32), entries.ravel()
