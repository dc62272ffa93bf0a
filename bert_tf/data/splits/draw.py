"""Which rows are put aside for validation: drawn with a seed, alike in every class, copies on one side."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from typing import Any

EVERY_LABEL = 2
"""Rows of a label that training must have before one of them may be put aside: one stays."""


def drawn(
    keys: Sequence[Hashable], labels: Sequence[Sequence[Hashable]] | None = None, *, share: float, seed: int = 1
) -> list[bool]:
    """Whether each row is put aside.

    Rows with the same key go to the same side. Each combination of labels gives its share, and of every label one row
    at least stays. Which rows are drawn depends on the seed and on their keys, not on their order.

    Args:
        keys: what each row [E] is known by, such as its text.
        labels: the labels of each row [E], none or more; None: rows have none.
        share: of the keys, about how many are put aside, in (0, 1).
    Returns: bool [E]; none is true where no row can be spared.

    >>> drawn(["a", "b", "a", "c", "d"], [["x"], ["x"], ["x"], ["y"], ["y"]], share=0.5)
    [False, True, False, True, False]
    """
    members: dict[Hashable, list[int]] = defaultdict(list)
    for row, key in enumerate(keys):
        members[key].append(row)
    held = {
        key: tuple(sorted({label for row in rows for label in labels[row]}, key=repr)) if labels is not None else ()
        for key, rows in members.items()
    }
    left: Counter[Hashable] = Counter(label for found in held.values() for label in found)
    strata: dict[tuple[Hashable, ...], list[Hashable]] = defaultdict(list)
    for key in sorted(members, key=lambda key: _digest(key, seed)):
        strata[held[key]].append(key)

    aside: set[Hashable] = set()

    def take(key: Hashable) -> bool:
        if any(left[label] < EVERY_LABEL for label in held[key]) or len(aside) + 1 >= len(members):
            return False
        aside.add(key)
        left.subtract(held[key])
        return True

    # What each combination owes in whole keys; then, one a combination, those that are owed the most of a key more.
    for stratum in strata.values():
        for key in stratum[: int(share * len(stratum))]:
            take(key)
    wanted = max(1, round(share * len(members)))
    in_need = sorted(strata, key=lambda labels: (-(share * len(strata[labels]) % 1), _digest(labels, seed)))
    rest = {labels: iter([key for key in strata[labels] if key not in aside]) for labels in in_need}
    while len(aside) < wanted and rest:
        for found in [labels for labels in in_need if labels in rest]:
            if len(aside) == wanted:
                break
            if not any(take(key) for key in rest[found]):
                del rest[found]
    return [key in aside for key in keys]


def text_key(value: Any) -> Any:
    """What tells texts apart: neither case nor the number of spaces."""
    return " ".join(value.casefold().split()) if isinstance(value, str) else repr(value)


def _digest(key: Hashable, seed: int) -> bytes:
    return hashlib.blake2b(f"{seed}:{key!r}".encode(errors="surrogateescape"), digest_size=8).digest()
