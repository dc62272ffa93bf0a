"""Kills a small training with SIGKILL at random moments until it is done, and compares what it leaves.

    python -m benchmarks.kill_runs OUT --runs=30 --seed=1
    python -m benchmarks.kill_runs OUT --runs=10 --workers=2 --kills=2

Each run is killed --kills times: at any moment, while a checkpoint is being written, or while model/ is. After each
of them the same command is started again. At the end the weights must be those of a run that nobody disturbed, byte for
byte, and metrics and reported losses must be equal. OUT/kills.jsonl has a line a run; runs that stand in it are not
repeated.
Of several workers one is killed, the first one and the others in turn. The rest have to end by themselves, with the
status that says "run me again"; then all are started again.
Each try is a process of its own, forked from one that has imported TensorFlow and not used it, which saves seconds.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

from bert_tf.errors import RUN_AGAIN
from bert_tf.launch.workers import free_ports

PATIENCE_SECONDS = 120.0  # until workers that have lost one must have ended
MOMENTS = {"any": "", "checkpoint": ".ckpt-*.writing-*", "model": ".model.writing-*"}
SETTINGS = (
    *("training.max_steps=48", "training.evaluate_every_steps=6", "training.checkpoint_every_steps=4"),
    *("training.batch_examples=4", "training.deterministic=true", "training.learning_rate=1e-3"),
    *("evaluation.diagnosed_examples=0", "evaluation.report=false", "data.sequence_length=24"),
    "training.worker_seconds=60",  # one that is killed before it has joined is waited for
)
RATES = ("seconds", "examples_per_second", "tokens_per_second", "padding_share", "model_flops_utilization",
         "peak_memory_bytes")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--kills", type=int, default=3, help="of each run")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--set", nargs="+", default=[], help="further settings of the training")
    flags = parser.parse_args()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras
    import tensorflow_text

    assert keras.backend.backend() == "tensorflow"
    assert tensorflow_text.__name__ in sys.modules

    flags.out.mkdir(parents=True, exist_ok=True)
    calm = flags.out / "undisturbed"
    if not (calm / "result.json").exists():
        began = time.monotonic()
        status = finish(start(calm, flags.set, flags.workers))
        assert status == 0, status
        (flags.out / "seconds").write_text(str(time.monotonic() - began))
    seconds, wanted = float((flags.out / "seconds").read_text()), left(calm)
    results = flags.out / "kills.jsonl"
    done = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    for number in range(1, flags.runs + 1):
        if any(row["run"] == number for row in done):
            continue
        folder = flags.out / f"run_{number}"
        shutil.rmtree(folder, ignore_errors=True)
        draws = random.Random(flags.seed * 1000 + number)
        kills = []
        for i in range(flags.kills):
            started = start(folder, flags.set, flags.workers)
            kills.append(kill(folder, started, (number + i) % flags.workers, draws, seconds))
        status = finish(start(folder, flags.set, flags.workers))
        found = left(folder) if status == 0 else {}
        differs = sorted(name for name in wanted if wanted[name] != found.get(name))
        stray = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if "writing" in path.name)
        row = {
            "run": number,
            "kills": [said for said in kills if said],
            "status": status,
            "differs": differs,
            "stray": stray,
        }
        with results.open("a") as file:
            file.write(json.dumps(row) + "\n")
        done.append(row)
        print(json.dumps(row), flush=True)
        if status == 0 and not differs and not stray:
            shutil.rmtree(folder)
    killed = sum(len(row["kills"]) for row in done)
    same = sum(row["status"] == 0 and not row["differs"] and not row["stray"] for row in done)
    print(f"{same} of {len(done)} runs are equal to the undisturbed one, after {killed} kills")
    sys.exit(same != len(done))


def start(folder: Path, settings: list[str], workers: int) -> list[Any]:
    """A training, each worker in a process of its own, the first one first."""
    addresses = [f"127.0.0.1:{port}" for port in free_ports(workers)]
    processes = []
    for index in range(workers):
        cluster = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        process = multiprocessing.get_context("fork").Process(target=_train, args=(folder, settings, cluster))
        process.start()
        processes.append(process)
    return processes


def finish(processes: list[Any]) -> int:
    """The first status that is not 0, of all that have to end."""
    for process in processes:
        process.join()
    return next((process.exitcode for process in processes if process.exitcode), 0)


def kill(folder: Path, processes: list[Any], victim: int, draws: random.Random, seconds: float) -> str | None:
    """Kills a training's worker. Returns: where it stood then, and how the others ended; None: it was done before."""
    moment = draws.choice(list(MOMENTS))
    number, wait, late = draws.randint(1, 6), draws.uniform(0.0, seconds), draws.uniform(0.0, 0.02)
    process, began, seen = processes[victim], time.monotonic(), set()
    while process.is_alive():
        if moment == "any":
            time.sleep(0.002)
            if time.monotonic() - began > wait:
                break
        else:  # in the middle of the number-th write of this kind
            place = folder / "checkpoints" if moment == "checkpoint" else folder
            seen |= {path.name for path in place.glob(MOMENTS[moment]) if path.is_dir()}
            if len(seen) >= number:
                time.sleep(late)
                break
    if not process.is_alive():
        finish(processes)
        return None
    os.kill(process.pid, signal.SIGKILL)
    for each in processes:
        each.join(PATIENCE_SECONDS)
    ends = {i: each.exitcode for i, each in enumerate(processes) if i != victim}
    assert set(ends.values()) <= {0, RUN_AGAIN}, ends
    for each in processes:
        each.kill()
        each.join()
    there = sorted(int(path.name.split("-")[1]) for path in folder.glob("checkpoints/ckpt-*"))
    half = [path.name.partition(".writing-")[0] for path in folder.rglob("*.writing-*") if path.is_dir()]
    others = f", worker {victim} killed, the others' statuses {ends}" if ends else ""
    return f"{moment}: checkpoints {there}, half-written {half}{others}"


def left(folder: Path) -> dict[str, Any]:
    """What is compared: the model's bytes, and all that is reported but for rates."""
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    events = [{name: value for name, value in line.items() if name not in RATES} for line in lines]
    result = json.loads((folder / "result.json").read_text())
    return {
        **{f"model/{path.name}": path.read_bytes() for path in sorted((folder / "model").iterdir())},
        "metrics.jsonl": sorted(events, key=lambda event: (event["step"], event["event"])),
        **{name: result[name] for name in ("metrics", "validation_loss", "kept_step", "steps")},
        "checkpoints": sorted(path.name for path in (folder / "checkpoints").iterdir()),
    }


def _train(folder: Path, settings: list[str], cluster: dict[str, Any]) -> None:
    log = os.open(folder.with_name(f"{folder.name}.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if len(cluster["cluster"]["worker"]) > 1:
        os.environ["TF_CONFIG"] = json.dumps(cluster)
    from bert_tf import train
    from bert_tf.command_line import run_command

    sys.argv = ["train", "--task=sst2", "--data=sample", "--backbone=tiny", f"--run={folder}"]
    sys.argv += ["--set", *SETTINGS, *settings]
    run_command("train", train.main)


if __name__ == "__main__":
    main()
