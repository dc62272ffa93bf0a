"""Tables of 64-bit keys in constants alone, so that every graph shares them and a SavedModel needs no resources."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

FEWEST_SLOTS = 16
PER_BUCKET = 4  # keys that share a multiplier, about
TRIES = 10_000


class KeyTable:
    """The number of each of K different keys: a perfect hash, found with two multiplications and three gathers.

    A key's first product picks a bucket, whose own multiplier takes each of its keys to a slot of its own ("hash and
    displace"). Products are modulo 2**64, of which the highest bits count.

    Args:
        keys: int64 [K], all different.
    Raises: ValueError if two keys are the same.
    Reference: Belazzougui, Botelho and Dietzfelbinger, 2009, https://doi.org/10.1007/978-3-642-04128-0_61
    """

    def __init__(self, keys: np.ndarray) -> None:
        keys = np.asarray(keys, np.int64)
        if len(np.unique(keys)) < len(keys):
            raise ValueError(
                f"`keys` must be different. Received: {len(keys)}, {len(np.unique(keys))} of them different"
            )
        # Every product of 0 is 0, which may be taken: a key is moved away from there.
        self.moved = 0 if 0 not in keys else next(n for n in range(1, len(keys) + 2) if -n not in keys)
        held_keys, keys = keys, keys + self.moved
        slots = max(1 << (2 * len(keys)).bit_length(), FEWEST_SLOTS)
        buckets = max(slots // (2 * PER_BUCKET), 2)
        self.slot_shift, self.bucket_shift = 65 - slots.bit_length(), 65 - buckets.bit_length()
        self.slot_mask, self.bucket_mask = slots - 1, buckets - 1
        rng = np.random.default_rng(0)
        self.first = int(rng.integers(-(2**63), 2**63, dtype=np.int64)) | 1
        with np.errstate(over="ignore"):
            picked = (keys * np.int64(self.first)).view(np.uint64) >> np.uint64(self.bucket_shift)
        multipliers, numbers = np.ones(buckets, np.int64), np.full(slots, -1, np.int32)
        candidates = rng.integers(-(2**63), 2**63, TRIES, dtype=np.int64) | 1
        order = np.argsort(picked, kind="stable")
        bounds = np.searchsorted(picked[order], np.arange(buckets + 1, dtype=np.uint64))
        sizes = np.diff(bounds)
        plain, tried = candidates.view(np.uint64).tolist(), candidates.tolist()
        unsigned, free = keys.view(np.uint64).tolist(), bytearray(b"\1") * slots
        shift, whole = self.slot_shift, 2**64 - 1
        for bucket in np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes)].tolist():  # the fullest first
            members = order[bounds[bucket] : bounds[bucket + 1]].tolist()
            for signed, multiplier in zip(tried, plain, strict=True):
                places = [(unsigned[member] * multiplier & whole) >> shift for member in members]
                if len(set(places)) == len(places) and all(free[place] for place in places):
                    multipliers[bucket] = signed
                    for place, member in zip(places, members, strict=True):
                        free[place], numbers[place] = 0, member
                    break
            else:
                raise RuntimeError(f"no multiplier keeps {len(members)} keys apart")
        held = np.where(numbers >= 0, held_keys[np.maximum(numbers, 0)] if len(keys) else 0, 0)
        self.multipliers, self.keys, self.numbers = (tf.constant(array) for array in (multipliers, held, numbers))

    def __call__(self, keys: Any) -> Any:
        """int64 [N] -> int32 [N], -1 for what is no key."""
        moved = keys + self.moved if self.moved else keys
        bucket = _high(moved * self.first, self.bucket_shift, self.bucket_mask)
        slot = _high(moved * tf.gather(self.multipliers, bucket), self.slot_shift, self.slot_mask)
        return tf.where(tf.gather(self.keys, slot) == keys, tf.gather(self.numbers, slot), -1)


def _high(products, shift: int, mask: int):
    """The highest bits of 64."""
    return tf.bitwise.bitwise_and(tf.bitwise.right_shift(products, tf.constant(shift, tf.int64)), mask)
