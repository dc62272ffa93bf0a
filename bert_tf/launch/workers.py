"""Processes that are started together, followed, and ended together."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import IO

from bert_tf.errors import RUN_AGAIN, UserError
from bert_tf.machine.cores import share_of

LAST_LINES = 5
PATIENCE_SECONDS = 10.0
"""How long the others may take to end by themselves once one has failed: in a training each sees it, and says so."""
GRACE_SECONDS = 10.0
POLL_SECONDS = 0.1
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@dataclass(frozen=True)
class Failed:
    """Why the workers have ended.

    Args:
        worker: the one that failed, and not because another one did.
        status: its own; of one that a signal ended 128 and the signal's number, as shells have it.
        lines: the last ones that it wrote.
    """

    worker: int
    status: int
    lines: tuple[str, ...]

    @property
    def message(self) -> str:
        """In words, with the lines."""
        how = f"ended with status {self.status}"
        if self.status > 128:
            with contextlib.suppress(ValueError):
                how = f"was ended by {signal.Signals(self.status - 128).name}"
        said = ". Its last lines:\n" + "\n".join(f"  {line}" for line in self.lines) if self.lines else ""
        return f"worker {self.worker} {how}{said}"


def run_workers(command: Sequence[str], *, workers: int, cores: Sequence[int] | None = None) -> Failed | int:
    """Runs a command in several workers, to the end of all.

    What they write to stderr is shown there, each line after the worker's number; of what they write to stdout that of
    the first worker as it is, as a training's result.

    Args:
        command: a program and its arguments.
        workers: how many.
        cores: which they share; None: all that this process may use.
    Returns: why they failed; otherwise 0, or, where this process was asked to end by a signal, the status with which a
        worker answered it, or 128 and the signal's number.
    Raises: UserError if the command cannot be started.
    """
    addresses = [f"127.0.0.1:{port}" for port in free_ports(workers)]
    with _passed_on() as passed:
        started: list[_Worker] = []
        try:
            for number in range(workers):
                started.append(_Worker(command, number, addresses, _bound(cores, number, workers)))
                passed.to(started[-1].process)
            found = _followed(started, passed)
        finally:
            for worker in started:
                worker.end()
    return found if isinstance(found, int) else Failed(found.number, found.status() or 0, tuple(found.lines))


def cannot_start(program: str, error: OSError) -> UserError:
    """What is said of a command that is none."""
    return UserError(f"{program} cannot be started: {error.strerror}")


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens at, as the system gives them out."""
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(socket.socket()) for _ in range(count)]
        for listener in listeners:
            listener.bind(("127.0.0.1", 0))
        return [listener.getsockname()[1] for listener in listeners]


class _Worker:
    """A process and the threads that follow what it writes."""

    def __init__(self, command: Sequence[str], number: int, addresses: Sequence[str], cores: Sequence[int]) -> None:
        self.number, self.lines = number, deque[str](maxlen=LAST_LINES)
        environment = dict(os.environ)
        if len(addresses) > 1:
            task = {"type": "worker", "index": number}
            environment["TF_CONFIG"] = json.dumps({"cluster": {"worker": list(addresses)}, "task": task})
        try:
            with _on(cores):  # a process has the cores of the one that starts it
                self.process = subprocess.Popen(
                    command,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    errors="replace",
                    start_new_session=True,  # so that Ctrl-C reaches it once, from here
                )
        except OSError as error:
            raise cannot_start(command[0], error) from None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.threads = [
            threading.Thread(target=self._follow, args=(self.process.stdout, number > 0), daemon=True),
            threading.Thread(target=self._follow, args=(self.process.stderr, True), daemon=True),
        ]
        for thread in self.threads:
            thread.start()

    def status(self) -> int | None:
        """None while it runs."""
        found = self.process.poll()
        return 128 - found if found is not None and found < 0 else found

    def end(self) -> None:
        """Ends it with all that it has started, and waits for its last lines."""
        if self.process.poll() is None:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(GRACE_SECONDS)
        self._signal(signal.SIGKILL)
        self.process.wait()
        for thread in self.threads:
            thread.join(GRACE_SECONDS)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def _follow(self, stream: IO[str], numbered: bool) -> None:
        target = sys.stderr if numbered else sys.stdout
        with stream:
            for line in stream:
                self.lines.append(line.rstrip("\n"))
                with contextlib.suppress(OSError, ValueError):  # whoever reads our output has gone
                    target.write(f"[{self.number}] {line}" if numbered else line)
                    target.flush()


class _Passed:
    """Passes signals on to processes, each signal once."""

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[str]] = []
        self.received: list[int] = []

    def to(self, process: subprocess.Popen[str]) -> None:
        self.processes.append(process)
        for number in self.received:
            process.send_signal(number)

    def handle(self, number: int, frame: FrameType | None) -> None:
        self.received.append(number)
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(number)


@contextlib.contextmanager
def _passed_on() -> Iterator[_Passed]:
    passed = _Passed()
    if threading.current_thread() is not threading.main_thread():
        yield passed
        return
    before = {number: signal.signal(number, passed.handle) for number in SIGNALS}
    try:
        yield passed
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _followed(workers: Sequence[_Worker], passed: _Passed) -> _Worker | int:
    """Until all have ended, or one has failed and the others had time to see it. Returns: that one, or a status."""
    deadline = float("inf")
    while any(worker.status() is None for worker in workers) and time.monotonic() < deadline:
        if any(worker.status() for worker in workers) and deadline == float("inf") and not passed.received:
            deadline = time.monotonic() + PATIENCE_SECONDS
        time.sleep(POLL_SECONDS)
    failed = [worker for worker in workers if worker.status()]
    if passed.received:
        return (failed[0].status() if failed else None) or 128 + passed.received[-1]
    if not failed:
        return 0
    # Those that another's end has ended say so by their status: the other one is the cause.
    return min(failed, key=lambda worker: worker.status() == RUN_AGAIN)


def _bound(cores: Sequence[int] | None, number: int, workers: int) -> list[int]:
    """The cores of one worker; none where the system cannot bind."""
    if not hasattr(os, "sched_getaffinity"):
        return []
    usable = sorted(os.sched_getaffinity(0))
    unusable = [core for core in cores or () if core not in usable]
    if unusable:
        raise UserError(f"--cores: expected some of {usable}, which this process may use. Received: {unusable[0]}")
    return share_of(list(cores or usable), number, workers)


@contextlib.contextmanager
def _on(cores: Sequence[int]) -> Iterator[None]:
    """This thread, and so what it starts meanwhile, on these cores; as it is, if there are none."""
    if not cores:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
