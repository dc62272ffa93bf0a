"""A row measured: its sides take turns, each in a process of its own, and their numbers are summed up."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.speed.process import Process, SideError
from benchmarks.speed.rows import Row, Side

LEAST_QUIET = 3  # repetitions that must have had the machine to themselves, or a row is marked


def measure(
    row: Row,
    *,
    python_of: Callable[[bool], str],
    filled: Callable[[Mapping[str, Any]], dict[str, Any]],
    rounds: int,
    load_limit: float,
    peers: bool,
    quick: bool,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """One round after another, until each side was undisturbed in as many as are asked for, or three times as many.

    Args:
        python_of: the interpreter of this library (True), or of the peers.
        filled: the arguments of a side, with paths.
        rounds: repetitions of each side.
        load_limit: the share of the machine that other work may use during a repetition that counts.
        peers: whether other libraries take part.
        quick: whether sides that take long to be made ready are left out.
    Returns: for JSON: `sides`, name -> median, low, high, `repetitions`, `other_load`, `disturbed`, `more`, `versions`,
        `equal_answers`; or `failed`, why a side has no numbers.
    """
    sides = [*row.ours, *(row.peers if peers else [side for side in row.peers if side.here])]
    sides = [side for side in sides if not (quick and side.slow)]
    found: dict[str, Any] = {}
    running: dict[str, Process] = {}
    try:
        arguments = {side.name: filled(side.arguments) for side in sides}  # made before anything is started
        for side in sides:
            python = python_of(side in row.ours or side.here)
            running[side.name] = Process(side.name, python, side.place, arguments[side.name])
        for name, process in list(running.items()):
            try:
                process.wait()
            except SideError as error:
                found[name] = {"failed": str(error)}
                say(f"{row.name}: {error}")
                del running[name]
        seen: dict[str, list[dict[str, Any]]] = {name: [] for name in running}
        for number in range(3 * rounds):
            if number >= rounds and all(_quiet(some, load_limit) >= rounds for some in seen.values()):
                break
            for name, process in list(running.items()):
                try:
                    seen[name].append(process.once())
                except SideError as error:
                    found[name] = {"failed": str(error)}
                    say(f"{row.name}: {error}")
                    running.pop(name).close()
                    del seen[name]
        answers = {name: process.ask("answers") for name, process in running.items()}
        for name, repetitions in seen.items():
            found[name] = summary(repetitions, load_limit) | {"versions": running[name].versions}
    finally:
        for process in running.values():
            process.close()
    for name, share in equal_shares(sides, answers).items():
        found[name]["equal_answers"] = share
    return {"row": row.name, "unit": row.unit, "sides": found}


def summary(repetitions: Sequence[Mapping[str, Any]], load_limit: float) -> dict[str, Any]:
    """Median and range of the undisturbed repetitions; of all, and marked, where there are fewer than three.

    >>> seen = [{"value": value, "more": {}, "other_load": load} for value, load in ((9.0, 0.0), (4.0, 0.5))]
    >>> summary(seen * 3, 0.02)["median"], summary(seen, 0.02)["disturbed"]
    (9.0, True)
    """
    quiet = [one for one in repetitions if (one["other_load"] or 0.0) <= load_limit]
    disturbed = len(quiet) < min(LEAST_QUIET, len(repetitions))
    used = list(repetitions) if disturbed else quiet
    values = [one["value"] for one in used]
    loads = [one["other_load"] for one in used if one["other_load"] is not None]
    more = {name: statistics.median(one["more"][name] for one in used) for name in used[0]["more"]}
    return {
        "median": statistics.median(values),
        "low": min(values),
        "high": max(values),
        "repetitions": len(values),
        "other_load": round(max(loads), 3) if loads else None,
        "disturbed": disturbed,
        "more": more,
    }


def equal_shares(sides: Sequence[Side], answers: Mapping[str, Sequence[str] | None]) -> dict[str, float]:
    """For each side with answers the share that is the reference's; the first one's where none is marked."""
    given = {name: some for name, some in answers.items() if some is not None}
    marked = [side.name for side in sides if side.reference and side.name in given]
    if len(given) < 2 and not marked:
        return {}
    reference = given[marked[0] if marked else next(iter(given))]
    return {
        name: sum(a == b for a, b in zip(some, reference, strict=True)) / len(reference) for name, some in given.items()
    }


def _quiet(repetitions: Sequence[Mapping[str, Any]], load_limit: float) -> int:
    return sum((one["other_load"] or 0.0) <= load_limit for one in repetitions)
