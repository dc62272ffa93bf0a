"""What was measured before, a line of JSON for each row of each run, and whether it was better."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LOOKED_AT = 5  # earlier lines of a row


def read(path: Path) -> list[dict[str, Any]]:
    """All lines, the oldest first; none where there is no file."""
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def append(path: Path, line: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")


def newest(lines: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The last line of each row, by its name; those with other libraries before those without."""
    found: dict[str, Mapping[str, Any]] = {}
    for line in sorted(lines, key=lambda line: bool(line.get("peers"))):
        found[line["row"]] = line
    return found


def slower(
    line: Mapping[str, Any], earlier: Sequence[Mapping[str, Any]], *, more_is_better: bool, ours: Sequence[str]
) -> list[str]:
    """What is worse than before by more than the spread: a median outside the whole range of the last runs.

    Args:
        line: what was measured now.
        earlier: lines of before, of any row and machine; the last five of this row and machine count.
        ours: the sides that are looked at.
    Returns: a sentence for each such side.

    >>> def line(low, median, high):
    ...     return {"row": "train", "machine": "m", "sides": {"bert_tf": {"low": low, "median": median, "high": high}}}
    >>> slower(line(7, 8, 11), [line(9, 10, 12)], more_is_better=True, ours=["bert_tf"])
    ['train, bert_tf: 8, before 10 (9 to 12)']
    >>> slower(line(7, 10, 11), [line(9, 10, 12)], more_is_better=True, ours=["bert_tf"])
    []
    """
    found = []
    same = [one for one in earlier if (one["row"], one["machine"]) == (line["row"], line["machine"])][-LOOKED_AT:]
    for name in ours:
        now = line["sides"].get(name, {})
        before = [one["sides"][name] for one in same if "median" in one["sides"].get(name, {})]
        before = [one for one in before if not one.get("disturbed")]
        if not before or "median" not in now:
            continue
        low, high = min(one["low"] for one in before), max(one["high"] for one in before)
        if now["median"] < low if more_is_better else now["median"] > high:
            was = statistics.median(one["median"] for one in before)
            found.append(f"{line['row']}, {name}: {number(now['median'])}, before {number(was)} "
                         f"({number(low)} to {number(high)})")  # fmt: skip
    return found


def number(value: float) -> str:
    """With as many digits as are worth reading.

    >>> number(5901.4), number(13.24), number(0.6231)
    ('5,901', '13.2', '0.623')
    """
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
