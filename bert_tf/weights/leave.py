"""What the caller asks to leave out of a file although the answers may change by it."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterable

from bert_tf.guard.shown import MOST


class Leave:
    """Names to leave out: keys of config.json, names or patterns (`*`) of tensors, or a file's name.

    Args:
        patterns: as the caller gave them.
    """

    def __init__(self, patterns: Collection[str] = ()) -> None:
        if isinstance(patterns, str) or not all(isinstance(pattern, str) for pattern in patterns):
            raise ValueError(f"`ignore` must be a list of names. Received: ignore={patterns!r}")
        self.patterns = tuple(patterns)
        self._met: set[str] = set()

    def __contains__(self, name: str) -> bool:
        met = {pattern for pattern in self.patterns if pattern == name or fnmatch.fnmatchcase(name, pattern)}
        self._met |= met
        return bool(met)

    def without(self, names: Iterable[str]) -> list[str]:
        """Those of `names` that stay."""
        return [name for name in names if name not in self]

    @property
    def unmet(self) -> tuple[str, ...]:
        """Patterns that nothing was found for: probably not what the caller wants."""
        return tuple(pattern for pattern in self.patterns if pattern not in self._met)


def how_to_ignore(*names: str) -> str:
    """How a caller leaves `names` out, from Python and from the command line, for the end of an error.

    A name that no line has room for is cut: it is a file's, and nobody's that would be typed.
    """
    listed = ", ".join(f'"{name:.{MOST}}"' for name in names)
    return f"to load without it: ignore=[{listed}], or --set model.ignore='[{listed}]'"
