"""What a side of a row gives to the process that asks it for repetitions: standard library alone, for every Python."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

PAUSE_SECONDS = 0.3  # the threads of the side that had the turn before keep waiting busily for a while


@dataclass(frozen=True)
class Repetition:
    """One repetition.

    Args:
        value: in the row's unit.
        more: what else was seen: `flops_per_second`, `peak_mb`.
    """

    value: float
    more: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Work:
    """A side that is ready.

    Args:
        once: makes one repetition.
        answers: what it answered, one string a text, to be compared with the other sides' answers; None: not compared.
    """

    once: Callable[[], Repetition]
    answers: Callable[[], Sequence[str]] | None = None


def rate(work: Callable[[], Any], amount: float) -> Repetition:
    """`amount` of something a second."""
    began = time.perf_counter()
    work()
    return Repetition(amount / (time.perf_counter() - began))


def call_ms(work: Callable[[], Any], calls: int, *, warm: int = 5) -> Repetition:
    """Milliseconds of a call, the median of `calls`; the first ones are not counted."""
    for _ in range(warm):
        work()
    times = []
    for _ in range(calls):
        began = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - began))
    return Repetition(sorted(times)[calls // 2])
