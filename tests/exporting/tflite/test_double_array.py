from __future__ import annotations

import numpy as np
import pytest

from bert_tf.exporting.tflite.text.double_array import double_array


def lookup(units: np.ndarray, key: bytes) -> int | None:
    """As the kernel walks: from unit to unit by exclusive-or, minding the label of each."""

    def offset(unit: int) -> int:
        return (unit >> 10) << ((unit & 0x200) >> 6)

    place, unit = 0, int(units[0])
    for byte in key:
        place ^= offset(unit) ^ byte
        if place >= len(units):
            return None
        unit = int(units[place])
        if unit & 0x800000FF != byte:
            return None
    return int(units[place ^ offset(unit)]) & 0x7FFFFFFF if unit & 0x100 else None


def test_every_key_has_its_value_and_nothing_else_has_one():
    rng = np.random.default_rng(0)
    keys = {bytes(rng.integers(1, 256, rng.integers(1, 5), dtype=np.uint8)) for _ in range(3000)}
    entries = {key: int(rng.integers(0, 2**31)) for key in keys}
    units = double_array(entries)
    assert {key: lookup(units, key) for key in keys} == entries
    others = {bytes(rng.integers(1, 256, rng.integers(1, 5), dtype=np.uint8)) for _ in range(3000)} - keys
    assert {lookup(units, key) for key in others} == {None}
    assert {lookup(units, key[:1]) for key in keys if key[:1] not in keys} == {None}


def test_equal_branches_are_stored_once():
    same = {chr(point).encode(): 7 for point in range(0x10000, 0x20000)}
    units = double_array(same)
    assert len(units) <= 512
    assert {lookup(units, key) for key in same} == {7}


@pytest.mark.parametrize(
    ("entries", "named"),
    [({}, "none"), ({b"": 1}, "b''"), ({b"a\0": 1}, r"b'a\\x00': 1"), ({b"a": -1}, "-1"), ({b"a": 2**31}, str(2**31))],
)
def test_what_cannot_be_stored(entries, named):
    with pytest.raises(ValueError, match=f"`entries` must .*Received: .*{named}"):
        double_array(entries)
