"""Places in a text that are counted otherwise than in characters."""

from __future__ import annotations

import pytest

from bert_tf.data.rows.units import characters_before, other_units

TEXT = "a\U0001f600é\r\nb"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_every_character_is_found_in_its_units(encoding):
    size = {"utf-8": lambda c: len(c.encode()), "utf-16-le": lambda c: len(c.encode("utf-16-le")) // 2}[encoding]
    units = [sum(map(size, TEXT[:i])) for i in range(len(TEXT) + 1)]
    assert [characters_before(TEXT, unit, size) for unit in units] == list(range(len(TEXT) + 1))
    within = set(range(units[-1] + 3)) - set(units)  # inside a character, or behind the end
    assert within
    assert {characters_before(TEXT, unit, size) for unit in within} == {-1}


def test_units_are_named_where_they_may_differ():
    assert [how for how, _ in other_units("plain", 1, "context")] == [
        "was counted without the white space before the context"
    ]
    assert dict(other_units(TEXT, 6)) == {
        "was counted without the white space before the text": 6,
        "was counted with line ends of one character": -1,
        "was counted in units of UTF-16": 5,
        "was counted in bytes": -1,
    }
