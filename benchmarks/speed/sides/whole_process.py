"""Whole processes, from the command to its end: seconds, and the most memory that they held."""

from __future__ import annotations

import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
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
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        if os.waitstatus_to_exitcode(status):
            errors.seek(0)
            raise RuntimeError(f"{' '.join(command)} failed: {errors.read()[-500:]}")
    return Repetition(seconds, {"peak_mb": _megabytes(usage)})


def _megabytes(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)


def workers(*, data: str, count: int) -> Work:
    """Real tokens a second of all workers together, each a process with a core of its own; by the runs' own meter."""

    def once() -> Repetition:
        folder = tempfile.mkdtemp(prefix="bert_tf-speed-")
        places = [f"localhost:{_free_port()}" for _ in range(count)]
        processes = []
        for index in range(count):
            task = {"cluster": {"worker": places}, "task": {"type": "worker", "index": index}}
            own = {"TF_CONFIG": json.dumps(task)} if count > 1 else {}
            processes.append(_worker(data, folder, index, own))
        ended = [process.wait() for process in processes]
        if any(ended):
            raise RuntimeError(f"workers ended with {ended}")
        result = json.loads((Path(folder) / "result.json").read_text(encoding="utf-8"))
        shutil.rmtree(folder)
        return Repetition(result["train_tokens_per_second"])

    return Work(once)


def _worker(data: str, folder: str, core: int, variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
    settings = {
        "training.strategy": "multi_worker" if variables else "one_device",
        "training.max_steps": WORKER_UPDATES,
        "training.evaluate_every_steps": 10 * WORKER_UPDATES,
        "evaluation.report": "false",
    }
    command = [sys.executable, "-m", "bert_tf.train", "--task=sst2", f"--data={data}", f"--run={folder}", "--set",
               *(f"{key}={value}" for key, value in settings.items())]  # fmt: skip
    return subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        env={**os.environ, **variables},
        preexec_fn=lambda: os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[core]}),
    )


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        return listener.getsockname()[1]
