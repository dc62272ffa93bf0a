"""Starts the processes of a column, which train rows of the table one after another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bert_tf.launch.workers import free_ports
from tests.conftest import REPOSITORY
from tests.training import tiny_run
from tests.training.equality.rows import COLUMNS


def make_folder(folder: Path) -> Path:
    """What the rows need: a corpus and two backbones."""
    tiny_run.make_corpus(folder / "corpus")
    tiny_run.make_backbone(folder / "backbone")
    tiny_run.make_backbone(folder / "electra", model_type="electra", embedding_dim=6)
    return folder


def train_column(folder: Path, column: str, rows: Sequence[str], *, fault: str = "", seconds: float = 3600.0) -> None:
    """Trains rows as a column says, in processes of their own, to FOLDER/COLUMN/ROW.

    Args:
        fault: one of `trained.FAULTS`; "": none.
    Raises: AssertionError with what a process printed, where one fails.
    """
    jobs = [(job, index) for job, count in COLUMNS[column].jobs.items() for index in range(count)]
    waited_for = [name for name in jobs if name[0] == "chief"] or jobs
    ports = iter(free_ports(len(jobs)))
    cluster: dict[str, list[str]] = {}
    for job, _ in jobs:
        cluster.setdefault(job, []).append(f"127.0.0.1:{next(ports)}")
    processes: dict[tuple[str, int], subprocess.Popen[bytes]] = {}
    logs = folder / "logs" / column
    logs.mkdir(parents=True, exist_ok=True)
    arguments = json.dumps({"folder": str(folder), "column": column, "rows": list(rows), "fault": fault})
    try:
        for job, index in jobs or [("", 0)]:
            environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "CUDA_VISIBLE_DEVICES": ""}
            environment.pop("TF_CONFIG", None)
            if job:
                environment["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": {"type": job, "index": index}})
            with (logs / f"{job}{index}").open("wb") as log:
                processes[job, index] = subprocess.Popen(
                    [sys.executable, "-m", "tests.training.equality.trained", arguments],
                    env=environment, stdout=log, stderr=subprocess.STDOUT, cwd=REPOSITORY,
                )  # fmt: skip
        for job, index in waited_for or [("", 0)]:
            status = processes[job, index].wait(timeout=seconds)
            said = (logs / f"{job}{index}").read_text(encoding="utf-8", errors="replace")
            assert status == 0, f"{column}, {job} {index}: {said[-4000:]}"
    finally:
        for process in processes.values():
            process.kill()
            process.wait()
