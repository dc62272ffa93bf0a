"""What a run tells while it works: a progress bar or plain lines, TensorBoard, metrics.jsonl."""

from __future__ import annotations

import importlib.metadata
import json
import math
import platform
import resource
import sys
import time
from pathlib import Path
from typing import Any, TextIO

import tensorflow as tf
from tqdm import tqdm

PLAIN_SECONDS = 15.0


class Progress:
    """A bar on a terminal; elsewhere a line every 15 seconds. Both show rate, loss and time left, on stderr.

    Args:
        total: number of steps.
        start: how many of them are behind already.
        stream: where to write; None: stderr.
        shown: False writes nothing at all.
    """

    def __init__(self, total: int, *, start: int, stream: TextIO | None = None, shown: bool = True) -> None:
        self.stream, self.shown = stream or sys.stderr, shown
        self.total, self.start, self.done = total, start, start
        self.began = self.printed = time.monotonic()
        self.first = start
        self.bar = None
        if shown and self.stream.isatty():
            self.bar = tqdm(total=total, initial=start, unit="step", file=self.stream, dynamic_ncols=True)

    def update(self, done: int, *, loss: float) -> None:
        """`done` steps of all are behind."""
        if self.bar is not None:
            self.bar.set_postfix(loss=f"{loss:.4f}", refresh=False)
            self.bar.update(done - self.done)
        now = time.monotonic()
        if self.done == self.start:  # the first call was spent on tracing: it says nothing about the rate
            self.began, self.first = now, done
        self.done = done
        if self.bar is None and (now - self.printed >= PLAIN_SECONDS or done == self.total):
            self.printed = now
            rate = (done - self.first) / max(now - self.began, 1e-9)
            left = (self.total - done) / rate if rate else float("inf")
            self.line(f"step {done}/{self.total}, {rate:.2f} steps/s, loss {loss:.4f}, {_clock(left)} left")

    def line(self, text: str) -> None:
        """A line of its own, above the bar if there is one."""
        if self.bar is not None:
            self.bar.write(text, file=self.stream)
        elif self.shown:
            print(text, file=self.stream, flush=True)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


def _clock(seconds: float) -> str:
    if seconds == float("inf"):
        return "?"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"


class Log:
    """metrics.jsonl and TensorBoard scalars of a run; writes nothing where `folder` is None (not the chief).

    Args:
        resumed_at, evaluated_at: what follows these steps is forgotten: a resumed run reports and evaluates it again.
            -1 forgets everything: the run starts from its beginning.
    """

    def __init__(self, folder: Path | None, *, resumed_at: int = -1, evaluated_at: int = -1) -> None:
        self.folder = folder
        self.scores: dict[int, dict[str, float | None]] = {}
        if folder is None:
            return
        self.path = folder / "metrics.jsonl"
        self._forget_after({"train": resumed_at, "evaluation": evaluated_at})
        boards = folder / "tensorboard"
        for name, last in (("train", resumed_at), ("evaluation", evaluated_at)):
            _forget_events(boards / name, last + 1)
        self.train_writer = tf.summary.create_file_writer(str(boards / "train"))
        self.evaluation_writer = tf.summary.create_file_writer(str(boards / "evaluation"))

    def _forget_after(self, last: dict[str, int]) -> None:
        """Steps that a resumed run takes again would otherwise stand in the file twice."""
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        kept = []
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:  # cut off when the process was killed
                continue
            if event["step"] <= last[event["event"]]:
                kept.append(line)
                if event["event"] == "evaluation":
                    self.scores[event["step"]] = _scores(event)
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text("".join(f"{line}\n" for line in kept))
        temporary.replace(self.path)

    def write(self, event: str, step: int, values: dict[str, float]) -> None:
        """One line and one point a value; null and no point for what is not a number. `event` is `train` or
        `evaluation`.
        """
        known: dict[str, float | None] = {name: None if math.isnan(value) else value for name, value in values.items()}
        if event == "evaluation":
            self.scores[step] = known
        if self.folder is None:
            return
        with self.path.open("a") as file:
            file.write(json.dumps({"event": event, "step": step, **known}) + "\n")
        writer = self.train_writer if event == "train" else self.evaluation_writer
        with writer.as_default():
            for name, value in known.items():
                if value is not None:
                    tf.summary.scalar(name, value, step=step)
        writer.flush()

    def scores_at(self, step: int) -> dict[str, float | None]:
        """What the evaluation after `step` updates gave, in this process or before an interruption."""
        return self.scores.get(step, {})


def _forget_events(folder: Path, step: int) -> None:
    """Takes what stands at `step` and later out of TensorBoard's files.

    Not all of its readers heed the event that says so (a session's start): for values as TensorFlow 2 writes them,
    `EventAccumulator` does not.
    """
    for path in sorted(folder.glob("events.out.tfevents.*")):
        kept, dropped = [], False
        records = iter(tf.data.TFRecordDataset(str(path)))
        while True:
            try:
                record = next(records).numpy()
            except (StopIteration, tf.errors.DataLossError):  # the end, or cut off when the process was killed
                break
            event = tf.compat.v1.Event.FromString(record)
            if event.HasField("summary") and event.step >= step:
                dropped = True
            else:
                kept.append(record)
        if dropped:
            temporary = path.with_name("rewritten.tmp")  # a name that no reader takes for events
            with tf.io.TFRecordWriter(str(temporary)) as writer:
                for record in kept:
                    writer.write(record)
            temporary.replace(path)


def _scores(event: dict[str, Any]) -> dict[str, float | None]:
    return {name: value for name, value in event.items() if name not in ("event", "step")}


def peak_memory_bytes() -> int:
    """The most memory in use so far: of the GPU if there is one, else the process's resident set."""
    if tf.config.list_physical_devices("GPU"):
        return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(kilobytes) if sys.platform == "darwin" else int(kilobytes) * 1024


def versions() -> dict[str, str]:
    """Of Python and the libraries that the numbers depend on."""
    found = {}
    for name in ("bert_tf", "tensorflow", "tensorflow-text", "keras", "numpy"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:  # a checkout that is not installed
            found[name] = "not installed"
    return {"python": platform.python_version(), **found}


def write_result(folder: Path, result: dict[str, Any]) -> None:
    """result.json, whole or not at all."""
    write_whole(folder / "result.json", json.dumps(result, indent=2, ensure_ascii=False) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Writes a file whole or not at all."""
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
