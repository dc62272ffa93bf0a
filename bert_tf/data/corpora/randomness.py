"""Random numbers by their place: what is drawn for a token depends on its numbers, not on what was drawn before."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

GAMMA = np.uint64(0x9E3779B97F4A7C15)
CHUNK = 1 << 14


def mixed(x: np.ndarray) -> np.ndarray:
    """uint64 -> uint64: the output function of SplitMix64 (Steele, Lea and Flood, 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def keys(numbers: np.ndarray, *key: int) -> np.ndarray:
    """A uint64 for each of the numbers, by `key`."""
    state = np.zeros(1, np.uint64)
    for part in key:
        state = mixed(state * GAMMA + np.uint64(part + 1))
    return mixed(state + (np.asarray(numbers).astype(np.uint64) + np.uint64(1)) * GAMMA)


def uniform(bits: np.ndarray) -> np.ndarray:
    """uint64 -> float64 in [0, 1)."""
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


class Draws:
    """A stream of random numbers by `key`, from raw Philox output, so the same in every NumPy."""

    def __init__(self, *key: int) -> None:
        self._generator = np.random.Philox(np.random.SeedSequence(key))
        self._raw = self._stream()

    def _stream(self) -> Iterator[int]:
        while True:
            yield from self._generator.random_raw(CHUNK).tolist()

    def share(self) -> float:
        """A float in [0, 1)."""
        return (next(self._raw) >> 11) * 2.0**-53

    def below(self, size: int) -> int:
        """An integer in [0, size)."""
        return (next(self._raw) * size) >> 64

    def heads(self, throws: int) -> int:
        """How often a fair coin shows heads."""
        found = 0
        while throws > 0:
            found += (next(self._raw) & ((1 << min(throws, 64)) - 1)).bit_count()
            throws -= 64
        return found
