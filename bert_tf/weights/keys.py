"""One table of the keys of a JSON file: used, harmless, or changing answers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple


class Keys(NamedTuple):
    """What is known of a file's keys.

    Args:
        used: what they say is followed.
        harmless: what they say changes no answer here.
        changing: what they say is not followed, and would change answers -> the values under which it does not.
    """

    used: Collection[str]
    harmless: Collection[str] = ()
    changing: Mapping[str, tuple[Any, ...]] = {}

    def not_followed(self, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Each key that changes answers, with a clause that says what it may be and what it is."""
        for key, neutral in self.changing.items():
            if key in raw and raw[key] not in neutral:
                choices = " or ".join(repr(value) for value in neutral)
                yield key, f"`{key}` must be {choices}. Received: {str(raw[key])[:80]!r}"

    def unknown(self, raw: Mapping[str, Any]) -> list[str]:
        """Keys that are in no row."""
        return sorted(set(raw) - {*self.used, *self.harmless, *self.changing})
