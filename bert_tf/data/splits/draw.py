"""Which rows are put aside for validation: drawn with a seed, alike in every class, copies on one side."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from itertools import islice
from typing import Any

EVERY_LABEL = 2
"""Rows of a label that training must have before one of them may be put aside: one stays."""
NO_LABEL = None
"""Stands for the label of rows that have none."""
LOOKED_AT = 20  # keys of a label, of which the one is taken whose other labels are owed most


def drawn(
    keys: Sequence[Hashable], labels: Sequence[Sequence[Hashable]] | None = None, *, share: float, seed: int = 1
) -> list[bool]:
    """Whether each row is put aside.

    Rows with the same key go to the same side. Each label gives about its share, and of every label one row at
    least stays. Which rows are drawn depends on the seed and on their keys, not on their order.

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
    held = {key: _labels_of(rows, labels) for key, rows in members.items()}
    total = Counter(label for found in held.values() for label in found)
    of_label: dict[Hashable, list[Hashable]] = defaultdict(list)
    strata: dict[tuple[Hashable, ...], list[Hashable]] = defaultdict(list)
    for key in sorted(members, key=lambda key: _digest(key, seed)):
        strata[held[key]].append(key)
        for label in held[key]:
            of_label[label].append(key)

    aside: set[Hashable] = set()
    left = Counter(total)
    owed = {label: share * count for label, count in total.items()}
    wanted = max(1, round(share * len(members)))

    def may(key: Hashable) -> bool:
        needed = (left[label] < EVERY_LABEL for label in held[key] if label is not NO_LABEL)
        return key not in aside and len(aside) + 1 < len(members) and not any(needed)

    def take(key: Hashable) -> None:
        aside.add(key)
        for label in held[key]:
            left[label] -= 1
            if label in owed:
                owed[label] -= 1

    # What each combination owes in whole keys; then, one after another, keys of the label that is owed most.
    for stratum in strata.values():
        for key in stratum[: int(share * len(stratum))]:
            if may(key):
                take(key)
    names = {label: _digest(label, seed) for label in owed}
    while len(aside) < wanted and owed:
        label = max(owed, key=lambda label: (owed[label], names[label]))
        free = list(islice(filter(may, of_label[label]), LOOKED_AT))
        if free:
            take(max(free, key=lambda key: sum(min(owed.get(label, 0), 1) for label in held[key])))
        else:
            del owed[label]
    return [key in aside for key in keys]


def _labels_of(rows: Sequence[int], labels: Sequence[Sequence[Hashable]] | None) -> tuple[Hashable, ...]:
    found = {label for row in rows for label in labels[row]} if labels is not None else ()
    return tuple(sorted(found, key=repr)) or (NO_LABEL,)


def text_key(value: Any) -> Any:
    """What tells texts apart: neither case nor the number of spaces."""
    return " ".join(value.casefold().split()) if isinstance(value, str) else repr(value)


def _digest(key: Hashable, seed: int) -> bytes:
    return hashlib.blake2b(f"{seed}:{key!r}".encode(errors="surrogateescape"), digest_size=8).digest()
