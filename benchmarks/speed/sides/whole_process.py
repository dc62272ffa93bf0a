"""Whole processes, from the command to its end: seconds, and the most memory that they held."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.speed.work import Repetition, Work

SENTENCE = "A joy from start to end."
WORKER_UPDATES = 60


def predict(*, run: str, texts: str | None = None) -> Work:
    """The command, on a file or on one text."""
    asked = [f"--text={SENTENCE}"] if texts is None else [f"--input={texts}", "--input-format=lines"]
    command = [sys.executable, "-m", "bert_tf.predict", f"--run={run}", *asked]
    return Work(lambda: timed(command))


def transformers(*, folder: str, texts: str | None = None) -> Work:
    """A loop by hand, batches of similar lengths, bfloat16."""
    command = [sys.executable, "-m", "benchmarks.speed.sides.transformers_answers", folder, *([texts] if texts else [])]
    return Work(lambda: timed(command))


def openvino(*, folder: str, texts: str, models: str) -> Work:
    """The same with OpenVINO, from a model that is converted already."""
    command = [sys.executable, "-m", "benchmarks.speed.sides.runtimes", folder, texts, models]
    return Work(lambda: timed(command))


def timed(command: Sequence[str]) -> Repetition:
    """Seconds of a command, and `peak_mb`."""
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, env=_with_bytecode())
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        if os.waitstatus_to_exitcode(status):
            errors.seek(0)
            raise RuntimeError(f"{' '.join(command)} failed: {errors.read()[-500:]}")
    return Repetition(seconds, {"peak_mb": _megabytes(usage)})


def _with_bytecode() -> dict[str, str]:
    """The environment, in which Python keeps the bytecode of what it compiles, as it does for installed packages."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _megabytes(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)


def workers(*, data: str, count: int) -> Work:
    """Real tokens a second of all workers together, each with a core and 32 examples of an update; by the run's own
    meter, which leaves out the start."""
    settings = {
        "training.batch_examples": 32 * count,
        "training.max_steps": WORKER_UPDATES,
        "training.evaluate_every_steps": 10 * WORKER_UPDATES,
        "evaluation.report": "false",
        "evaluation.train_examples": 0,
        "evaluation.diagnosed_examples": 0,
    }
    cores = sorted(os.sched_getaffinity(0))[:count]

    def once() -> Repetition:
        with tempfile.TemporaryDirectory(prefix="bert_tf-speed-") as folder:
            run = Path(folder) / "run"
            command = [sys.executable, "-m", "bert_tf.launch", f"--workers={count}",
                       f"--cores={','.join(map(str, cores))}", "--", "train", "--task=sst2", f"--data={data}",
                       f"--run={run}", "--set", *(f"{key}={value}" for key, value in settings.items())]  # fmt: skip
            done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
            if done.returncode:
                raise RuntimeError(f"the workers ended with {done.returncode}: {done.stderr[-500:]}")
            result = json.loads((run / "result.json").read_text(encoding="utf-8"))
        return Repetition(result["train_tokens_per_second"], {"padding_share": result["padding_share"]})

    return Work(once)
