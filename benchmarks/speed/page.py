"""The table of the documents, made from the history: the newest measurement of each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.speed.history import newest, number
from benchmarks.speed.rows import ROWS, Row

HEAD = """# Speed

This library compared with others, each in a process of its own, taking turns within a row: `make bench` measures and
writes this page, `make bench-quick` looks at this library alone, says what has become slower than before, and takes
some minutes. Each number is the median of the repetitions of a row, with their range; a ratio is that of the best of
our ways to the best of the others', above 1 where ours is better. A row is marked ~ where other work used more than the
allowed share of the machine.
"""
COLUMNS = ("what", "unit", "this library", "others", "ratio", "goal")


def page(lines: Sequence[Mapping[str, Any]]) -> str:
    """The page, in Markdown.

    Args:
        lines: of the history.
    """
    found = newest(lines)
    peak = best_of(found.get("gemm"), more_is_better=True)
    parts = [HEAD, "|".join(["", *(f" {name} " for name in COLUMNS), ""]), "|---" * len(COLUMNS) + "|"]
    for row in ROWS:
        line = found.get(row.name, {"sides": {}})
        parts.append("|".join(["", *(f" {cell} " for cell in cells(row, line, peak)), ""]))
    return "\n".join(parts) + "\n\n" + notes(list(found.values()))


def cells(row: Row, line: Mapping[str, Any], peak: float | None) -> list[str]:
    """A line of the table. `peak`: of the machine, in GFLOP/s."""
    sides = line["sides"]
    ours = [_cell(side.name, sides[side.name], peak) for side in row.ours if side.name in sides]
    peers = [_cell(side.name, sides[side.name], None) for side in row.peers if side.name in sides]
    ratio = ratio_of(row, line)
    is_marked = any(side.get("disturbed") for side in sides.values())
    goal = "" if row.goal is None else f"{row.goal:g}"
    return [row.what + " ~" * is_marked, row.unit, "<br>".join(ours) or "not measured yet", "<br>".join(peers) or "-",
            "-" if ratio is None else f"{ratio:.2f}", goal]  # fmt: skip


def ratio_of(row: Row, line: Mapping[str, Any]) -> float | None:
    """Ours to the best of the others, above 1 where ours is better; None where one of them is not there."""
    ours, peers = (
        [line["sides"][side.name]["median"] for side in some if "median" in line["sides"].get(side.name, {})]
        for some in (row.ours, row.peers)
    )
    if not ours or not peers:
        return None
    return max(ours) / max(peers) if row.more_is_better else min(peers) / min(ours)


def best_of(line: Mapping[str, Any] | None, *, more_is_better: bool) -> float | None:
    """The best median of a row, whoever's."""
    values = [side["median"] for side in (line or {"sides": {}})["sides"].values() if "median" in side]
    return (max if more_is_better else min)(values) if values else None


def notes(lines: Sequence[Mapping[str, Any]]) -> str:
    """Where, when and with what: one sentence each."""
    machines = sorted({line["machine"] for line in lines})
    dates, commits = sorted({line["date"][:10] for line in lines}), sorted({line["commit"] for line in lines})
    versions: dict[str, set[str]] = {}
    for line in lines:
        for side in line["sides"].values():
            for name, version in side.get("versions", {}).items():
                versions.setdefault(name, set()).add(version)
    samples = sorted({name for line in lines for name in line.get("samples", [])})
    limits = sorted({f"{100 * line['load_limit']:.0f}" for line in lines})
    found = [
        f"Measured on {'; '.join(machines)}; {dates[0]}{'' if len(dates) == 1 else f' to {dates[-1]}'}, at "
        f"{', '.join(commits)}.",
        "Versions: " + ", ".join(f"{name} {'/'.join(sorted(some))}" for name, some in sorted(versions.items())) + ".",
        f"Other work may use {' or '.join(limits)} % of the machine in a repetition that counts.",
    ]
    if samples:
        found.append(f"On the bundled samples in place of published data: {', '.join(samples)}.")
    return "\n".join(found) + "\n"


def _cell(name: str, side: Mapping[str, Any], peak: float | None) -> str:
    if "median" not in side:
        return f"{name}: failed"
    text = f"{name} **{number(side['median'])}** ({number(side['low'])} to {number(side['high'])})"
    more = side.get("more", {})
    if peak and "flops_per_second" in more:
        text += f", {100 * more['flops_per_second'] / (1e9 * peak):.0f} % of the peak"
    if "recall_at_10" in more:
        text += f", recall@10 {more['recall_at_10']:.4f}"
    if "peak_mb" in more:
        text += f", {number(more['peak_mb'])} MB"
    if side.get("equal_answers", 1.0) < 1.0:
        text += f", {100 * side['equal_answers']:.2f} % of answers equal"
    return text
