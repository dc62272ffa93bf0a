"""Sides as processes that take turns, and how busy the machine was with other things meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
LAST_LINES = 3


class SideError(Exception):
    """A side ended, or could not begin; says why."""


class Process:
    """A side, started; `wait` until it is ready.

    Args:
        name: of the side, for messages.
        python: the interpreter that has its library.
        place: the function of `benchmarks.speed.sides` that prepares it, MODULE.FUNCTION.
        arguments: of that function.
        variables: of the environment, further ones.
    """

    def __init__(
        self,
        name: str,
        python: str,
        place: str,
        arguments: Mapping[str, Any],
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.name, self.errors = name, tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        command = [python, "-m", "benchmarks.speed.side", place, json.dumps(dict(arguments))]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            cwd=REPOSITORY,
            env=self.variables(variables or {}),
        )
        self.versions: dict[str, str] = {}

    def wait(self) -> None:
        """Until it is ready. Raises: SideError with the last lines that it wrote."""
        self.versions = self._reply()

    @staticmethod
    def variables(more: Mapping[str, str]) -> dict[str, str]:
        """The environment of a side."""
        return {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "TOKENIZERS_PARALLELISM": "true", **more}

    def once(self) -> dict[str, Any]:
        """A repetition: `value`, `more`, and `other_load`, the share of the machine that others had (None: unknown)."""
        before = _used(self.process.pid)
        reply = self.ask("once")
        return reply | {"other_load": other_load(before, _used(self.process.pid), processors=os.cpu_count() or 1)}

    def ask(self, line: str) -> Any:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise self._failed() from None
        return self._reply()

    def close(self) -> None:
        assert self.process.stdin is not None
        if self.process.stdin.closed:
            return
        self.process.stdin.close()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._close_files()

    def _reply(self) -> Any:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("= "):
                return json.loads(line.removeprefix("= "))
        raise self._failed()

    def _close_files(self) -> None:
        for file in (self.process.stdin, self.process.stdout, self.errors):
            assert file is not None
            file.close()

    def _failed(self) -> SideError:
        status = self.process.wait()
        self.errors.seek(0)
        lines = [line.strip() for line in self.errors if line.strip()]
        self._close_files()
        return SideError(f"{self.name} ended with status {status}: {' | '.join(lines[-LAST_LINES:])}")


Used = tuple[float, float, float]
"""Seconds: on the clock, of all processors in use, and of these what a process, its children and we ourselves used."""


def _used(pid: int) -> Used | None:
    """None where the machine does not tell."""
    try:
        machine = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]
        busy = sum(int(value) for place, value in enumerate(machine) if place not in (3, 4))  # not idle, nor waiting
        ticks = sum(_ticks(process) for process in (pid, os.getpid()))
    except OSError:
        return None
    per_second = os.sysconf("SC_CLK_TCK")
    return time.perf_counter(), busy / per_second, ticks / per_second


def _ticks(pid: int) -> int:
    """User and system time of a process and of its children that have ended."""
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return sum(int(value) for value in after_name[11:15])


def other_load(before: Used | None, after: Used | None, *, processors: int) -> float | None:
    """The share of the machine that others had in between.

    >>> other_load((0.0, 10.0, 5.0), (10.0, 30.0, 24.0), processors=2)
    0.05
    """
    if before is None or after is None or after[0] == before[0]:
        return None
    clock, busy, own = (late - early for early, late in zip(before, after, strict=True))
    return min(1.0, max(0.0, busy - own) / (clock * processors))
