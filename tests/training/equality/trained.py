"""Trains rows of the table, and says how far two trainings are apart.

As a process of its own, `python -m tests.training.equality.trained '{"folder": ..., "column": ..., "rows": [...]}'`,
since the devices and the workers of TensorFlow can be set once a process. Each row's run goes to FOLDER/COLUMN/ROW;
FOLDER has corpus/, backbone/ and electra/.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from bert_tf.config import Layer, RunConfig, override_layer, resolve
from tests.training.equality.rows import BASE, COLUMNS, ROWS
from tests.training.equality.tasks import TASKS, data_of

ONE_DEVICE = "one_device"
# Of a run and its machine, not of the model.
NOT_COMPARED = {
    "event",
    "step",
    "seconds",
    "examples_per_second",
    "tokens_per_second",
    "model_flops_utilization",
    "peak_memory_bytes",
    "padding_share",  # it leaves out the first call, which may be of several updates
}


def config_of(folder: Path, column: str, name: str) -> RunConfig:
    """The settings of a row, as the column says."""
    row = ROWS[name]
    strategy = {"training.strategy": ONE_DEVICE} if column == ONE_DEVICE else COLUMNS[column].settings
    settings = {**BASE, "pretraining.cache": str(folder / "cache"), **row.settings, **strategy}
    layers = [
        Layer(origin="test", values={"task": name, "backbone": str(folder / row.backbone)}),
        override_layer([f"{key}={json.dumps(value)}" for key, value in settings.items()]),
    ]
    return resolve(layers)


def train_row(folder: Path, column: str, name: str) -> None:
    """Trains a row as the column says; FOLDER/COLUMN/ROW then holds the run."""
    from bert_tf.training.loop import train

    run_folder = folder / column / name
    run_folder.mkdir(parents=True, exist_ok=True)
    config, task = config_of(folder, column, name), ROWS[name].task
    train(config, TASKS[task]().meant_by(config), run_folder, data=data_of(task, folder))


@dataclass(frozen=True)
class Outcome:
    """What a run has left.

    Args:
        weights: by file and name, of model/ and of models within it.
        numbers: (event, step, name) -> what was reported of updates and evaluations.
        result: result.json.
    """

    weights: Mapping[str, np.ndarray]
    numbers: Mapping[tuple[str, int, str], float | None]
    result: Mapping[str, Any]

    @staticmethod
    def of(run_folder: Path) -> Outcome:
        error = run_folder / "error.txt"
        assert not error.exists(), error.read_text(encoding="utf-8")
        lines = (run_folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        result = json.loads((run_folder / "result.json").read_text(encoding="utf-8"))
        numbers = {
            (event["event"], event["step"], name): value
            for event in map(json.loads, lines)
            for name, value in _flat(event)
        }
        kept = {**result["metrics"], "validation_loss": result["validation_loss"], "kept_step": result["kept_step"]}
        numbers |= {("result", result["steps"], name): value for name, value in kept.items()}
        files = sorted((run_folder / "model").rglob("model.safetensors"))
        assert files
        weights = {f"{file.parent.name}/{name}": array for file in files for name, array in load_file(file).items()}
        return Outcome(weights, numbers, result)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float | None]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif name not in NOT_COMPARED:
            yield prefix + name, value


@dataclass(frozen=True)
class Apart:
    """The largest differences of two runs: of a weight, and of a number that was reported (of one above 1, as a share
    of it), and where they are."""

    weights: float
    numbers: float
    where: tuple[str, tuple[str, int, str]]

    @staticmethod
    def of(found: Outcome, wanted: Outcome, *, leaves: tuple[str, ...] = ()) -> Apart:
        assert found.weights.keys() == wanted.weights.keys()
        assert found.numbers.keys() == wanted.numbers.keys()
        weights = {
            name: float(np.abs(found.weights[name].astype(np.float64) - array).max())
            for name, array in wanted.weights.items()
            if not name.endswith(leaves)
        }
        numbers = {key: _difference(found.numbers[key], value) for key, value in wanted.numbers.items()}
        where = max(weights, key=weights.__getitem__), max(numbers, key=numbers.__getitem__)
        return Apart(weights[where[0]], numbers[where[1]], where)


def _difference(found: float | None, wanted: float | None) -> float:
    if found is None or wanted is None:  # what is undefined stays so
        return 0.0 if found is wanted else np.inf
    return abs(found - wanted) / max(1.0, abs(wanted))


def _no_sum() -> None:
    """Each replica takes its own gradient, as if nothing were summed up."""
    from bert_tf.training.workers import reduction

    def alone(self: Any, context: Any, losses: Any, gradients: Any) -> Any:
        return losses, gradients

    for each in (reduction.Reduction, reduction.SharedReduction):
        each._sums = alone


def _second_worker_scores_otherwise() -> None:
    """The metrics of the second worker get better with each evaluation, whatever its model is worth."""
    from bert_tf.kinds import Classification

    if json.loads(os.environ["TF_CONFIG"])["task"]["index"] != 1:
        return
    measured = iter(range(1, 1000))

    def measure(self: Any, outputs: Any, features: Any, examples: Any) -> dict[str, float]:
        return {"accuracy": float(next(measured)), "f1": 0.5}

    Classification.measure = measure


FAULTS = {"no_sum": _no_sum, "second_worker_scores_otherwise": _second_worker_scores_otherwise}


def main(folder: Path, column: str, rows: list[str], *, fault: str = "") -> None:
    """Trains the rows. Where one fails, its folder has error.txt."""
    import tensorflow as tf

    if COLUMNS[column].devices > 1:
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * COLUMNS[column].devices
        )
    if fault:
        FAULTS[fault]()
    for name in rows:
        try:
            train_row(folder, column, name)
        except Exception:
            (folder / column / name).mkdir(parents=True, exist_ok=True)
            (folder / column / name / "error.txt").write_text(traceback.format_exc(), encoding="utf-8")


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    arguments = json.loads(sys.argv[1])
    main(Path(arguments.pop("folder")), **arguments)
