"""The work itself: a changed copy a time, read under a limit of time, and what became of it."""

from __future__ import annotations

import contextlib
import logging
import resource
import shutil
import signal
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fuzz.mutations import changed_bytes
from benchmarks.fuzz.reader import Reader
from bert_tf.errors import UserError

LIMIT_SECONDS = 10  # of the processor's time
WAIT_SECONDS = 120  # in all: a reader may wait for what never comes, and other work may hold this process up


class TooLong(BaseException):
    """Raised in the midst of a reader that takes longer than it may."""


@dataclass
class Outcome:
    """What became of a reader's inputs.

    Args:
        foreign: each error that is not ours, by its kind and place -> the first seed that gave it, and how often.
    """

    reader: str
    inputs: int = 0
    answers: int = 0
    refused: int = 0
    slowest_seconds: float = 0.0
    grown_megabytes: float = 0.0
    foreign: dict[str, tuple[int, int]] = field(default_factory=dict)


def fuzzed(name: str, reader: Reader, *, inputs: int, seed: int = 0, keep: Path | None = None) -> Outcome:
    """Reads `inputs` changed copies of a reader's folder, input i changed by the seed (`seed`, i)."""
    outcome = Outcome(name)
    logging.disable(logging.ERROR)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="fuzz-") as place:
        valid, work = Path(place, "valid"), Path(place, "work")
        valid.mkdir()
        reader.make(valid)
        shutil.copytree(valid, work)
        reader.read(work)  # a valid one has to be read
        contents = {file: (valid / file).read_bytes() for file in reader.files}
        before = peak_megabytes()
        for number in range(inputs):
            rng = np.random.default_rng((seed, number))
            file = list(contents)[int(rng.integers(0, len(contents)))]
            change = reader.files[file]
            by_bytes = change is None or rng.random() < 0.25
            content = (changed_bytes if by_bytes else change)(contents[file], rng)  # pyright: ignore[reportOptionalCall]
            shutil.rmtree(work)
            shutil.copytree(valid, work)
            (work / file).write_bytes(content)
            _read(reader, work, number, outcome, keep)
        outcome.grown_megabytes = peak_megabytes() - before
    logging.disable(logging.NOTSET)
    return outcome


def _read(reader: Reader, work: Path, number: int, outcome: Outcome, keep: Path | None) -> None:
    started = time.process_time()
    outcome.inputs += 1
    try:
        with limited():
            reader.read(work)
        outcome.answers += 1
    except UserError as error:
        outcome.refused += 1
        if len(str(error)) > 1000:
            _note(outcome, f"a message of more than 1,000 characters: {str(error)[:80]}", number, work, keep)
    except (Exception, TooLong) as error:
        frame = next(
            (f for f in reversed(traceback.extract_tb(error.__traceback__)) if "/bert_tf/" in f.filename), None
        )
        place = (
            "?" if frame is None else f"{Path(frame.filename).parent.name}/{Path(frame.filename).name}:{frame.lineno}"
        )
        said = "" if isinstance(error, TooLong) else f" {str(error).splitlines()[0][:60] if str(error) else ''}"
        _note(outcome, f"{type(error).__name__} at {place}", number, work, keep, said)
    outcome.slowest_seconds = max(outcome.slowest_seconds, time.process_time() - started)


def _note(outcome: Outcome, what: str, number: int, work: Path, keep: Path | None, said: str = "") -> None:
    known = next((key for key in outcome.foreign if key.startswith(what)), None)
    if known is not None:
        seed, count = outcome.foreign[known]
        outcome.foreign[known] = (seed, count + 1)
        return
    outcome.foreign[what + said] = (number, 1)
    if keep is not None:
        shutil.copytree(work, keep / outcome.reader.replace(" ", "_") / str(number), dirs_exist_ok=True)


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Raises `TooLong` in what is done meanwhile if it takes too long."""

    def stop(*_: Any) -> None:
        raise TooLong

    timers = ((signal.SIGPROF, signal.ITIMER_PROF, LIMIT_SECONDS), (signal.SIGALRM, signal.ITIMER_REAL, WAIT_SECONDS))
    before = {number: signal.signal(number, stop) for number, _, _ in timers}
    for _, timer, seconds in timers:
        signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        for number, timer, _ in timers:
            signal.setitimer(timer, 0)
            signal.signal(number, before[number])


def peak_megabytes() -> float:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def row_of(outcome: Outcome) -> str:
    foreign = sum(count for _, count in outcome.foreign.values())
    return (
        f"{outcome.reader:28} {outcome.inputs:6,} inputs {outcome.answers:6,} read {outcome.refused:6,} refused "
        f"{foreign:5,} foreign  slowest {outcome.slowest_seconds:5.2f} s  memory +{outcome.grown_megabytes:.0f} MB"
    )
