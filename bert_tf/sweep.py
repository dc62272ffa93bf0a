"""Train with several settings and seeds, side by side: python -m bert_tf.sweep --task=sst2 --set 'seed=[1,2,3]'

An array lists what to try; several arrays, all that they make together. It always does: of a key that is a list itself,
such as training.class_weights, give an array of lists, [[1, 2], [1, 1]]. Other flags are those of bert_tf.train.

Each run has a folder of its own below --run. The same command again leaves out runs that are finished and resumes the
one that was cut off. sweep.json and sweep.csv hold what they gave; `tensorboard --logdir=DIR` shows them side by side.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import math
import re
import shlex
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bert_tf import train
from bert_tf.command_line import Parser, check_writable, run_command, say, train_parser
from bert_tf.config import override_layer
from bert_tf.errors import UserError
from bert_tf.training.held import held

if TYPE_CHECKING:
    from bert_tf.kinds.base import Kind

PROG = "python -m bert_tf.sweep"
GROUPS = {
    "what is tried": ("--set", "--seeds"),
    "where it goes": ("--run",),
}
EXAMPLES = {
    "--task=sst2 --data=sample --set 'training.learning_rate=[1e-4,3e-4]' --seeds=3": "two rates, three seeds each",
    "--task=sst2 --set 'training.learning_rate=[1e-4,3e-4]' 'training.epochs=[1,2]'": "all four together",
    "--kind=classification --data=train.csv --text=message --label=category --seeds=5": "how far seeds alone differ",
}
LONGEST_NAME = 80


@dataclass
class Combination:
    """One combination of settings.

    Args:
        settings: key -> value.
        runs: seed -> what its run gave, or why it failed.
    """

    settings: dict[str, Any]
    runs: dict[int, dict[str, Any]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """A folder's name: the settings, by the last part of each key."""
        parts = [f"{key.rpartition('.')[2]}={_text(value)}" for key, value in self.settings.items()]
        return re.sub(r"[^\w.,=+-]", "_", ",".join(parts))[:LONGEST_NAME] or "as_it_is"

    def scores(self, metric: str) -> list[float]:
        """The metric of the runs that have one."""
        found = [run.get("metrics", {}).get(metric) for run in self.runs.values()]
        return [value for value in found if value is not None]

    def summary(self, metric: str) -> dict[str, Any]:
        """As sweep.json holds it."""
        scores = self.scores(metric)
        return {
            "settings": self.settings,
            "mean": statistics.fmean(scores) if scores else None,
            "standard_deviation": statistics.stdev(scores) if len(scores) > 1 else None,
            "runs": list(self.runs.values()),
        }


def main(argv: Sequence[str] | None = None) -> None:
    parser = Parser(PROG, __doc__, groups=GROUPS, examples=EXAMPLES)
    parser.add_argument("--set", metavar="KEY=VALUES", dest="settings", action="extend", nargs="+", default=[],
                        help="any key of a recipe; an array lists the values to try")  # fmt: skip
    parser.add_argument("--seeds", metavar="N", type=int, default=1, help="seeds of each, from 1 on; default: 1")
    parser.add_argument("--run", metavar="DIR", default="runs/sweep", help="folder of the runs; default: runs/sweep")
    flags, rest = parser.parse_known_args(argv)
    folder = Path(flags.run).expanduser()
    combinations, fixed = combinations_of(flags.settings)
    seeds = _seeds(flags.seeds, [*flags.settings])
    check_writable(folder, "--run")

    # What is asked of each run, and whether it can be, before the first.
    kind: Any = None
    runs: list[tuple[Combination, int, list[str]]] = []
    for combination, seed in itertools.product(combinations, seeds):
        run_folder = folder / combination.name / f"seed_{seed}"
        settings = [*fixed, *(f"{key}={_toml(value)}" for key, value in combination.settings.items())]
        runs.append((combination, seed, [*rest, f"--run={run_folder}", "--set", *settings, f"seed={seed}"]))
        kind, _ = train.asked(_flags(runs[-1][2]), tell=_nothing if len(runs) > 1 else say)

    with held(folder):
        for number, (combination, seed, command) in enumerate(runs, start=1):
            say(f"[{number} of {len(runs)}] {combination.name}, seed {seed}")
            combination.runs[seed] = _run(command) | {"seed": seed, "command": _command(command)}
            _write(folder, combinations, kind)
    report = _report(combinations, kind)
    lines = f"{table(combinations, kind.main_metric)}\n{_best(report)}"
    if sys.stdout.isatty():
        print(lines)
    else:
        say(lines)
        print(json.dumps(report))


def combinations_of(settings: Sequence[str]) -> tuple[list[Combination], list[str]]:
    """The combinations of all arrays, in their order, and the settings that are no array, as they are.

    Raises: UserError for an empty array, and a setting that is not of the form key=value.
    """
    fixed: list[str] = []
    axes: dict[str, list[Any]] = {}
    for setting in settings:
        ((key, value),) = _flat(override_layer([setting]).values)
        if not isinstance(value, list):
            fixed.append(setting)
        elif not value:
            raise UserError(f"--set {setting}: expected an array of values to try. Received: an empty one")
        elif key != "seed":
            axes[key] = value
    combinations = [Combination(dict(zip(axes, values, strict=True))) for values in itertools.product(*axes.values())]
    names = [combination.name for combination in combinations]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"--set: expected different values. Received: {twice} more than once")
    return combinations, fixed


def table(combinations: Sequence[Combination], metric: str) -> str:
    """A row a combination: its settings, the metric's mean and spread over seeds, and the number of runs."""
    keys = list(combinations[0].settings)
    head = [*(key.rpartition(".")[2] for key in keys), f"{metric}, mean", "deviation", "least", "most", "runs"]
    rows = [head]
    for combination in combinations:
        scores, summary = combination.scores(metric), combination.summary(metric)
        numbers = [
            summary["mean"],
            summary["standard_deviation"],
            *((min(scores), max(scores)) if scores else (None,) * 2),
        ]
        count = f"{len(scores)}" + (f" of {len(combination.runs)}" if len(scores) < len(combination.runs) else "")
        rows.append([*(_text(combination.settings[key]) for key in keys), *map(_number, numbers), count])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def _flags(command: list[str]) -> argparse.Namespace:
    return train_parser(train.PROG, None).parse_args(command)


def _run(command: list[str]) -> dict[str, Any]:
    """What a run gave; of one that failed in training, why. Raises: UserError if it could not begin."""
    flags = _flags(command)
    kind, config = train.asked(flags, tell=_nothing)
    found: dict[str, Any] = {"folder": flags.run}
    try:
        result = train.trained(flags, kind, config, tell=_nothing).result
    except UserError as error:
        if not (Path(flags.run) / "began.json").is_file():
            raise
        say(f"failed: {error}")
        return found | {"error": str(error)}
    return found | {name: result.get(name) for name in ("metrics", "steps", "seconds")}


def _nothing(message: str) -> None:
    """What each run would say of the task and its data was said once."""


def _seeds(count: int, settings: Sequence[str]) -> list[int]:
    """The seeds to try. Raises: UserError if they are given twice, or are none."""
    given = [dict(_flat(override_layer([setting]).values)) for setting in settings]
    own = [values["seed"] for values in given if "seed" in values]
    if own and count != 1:
        raise UserError(f"expected either --seeds or --set seed=... Received: --seeds={count} and seed={own[0]}")
    if count < 1:
        raise UserError(f"--seeds must be 1 or more. Received: {count}")
    if own:
        return own[-1] if isinstance(own[-1], list) else [own[-1]]
    return list(range(1, count + 1))


def _report(combinations: Sequence[Combination], kind: Kind) -> dict[str, Any]:
    """What sweep.json holds."""
    metric = kind.main_metric
    summaries = [combination.summary(metric) for combination in combinations if combination.runs]
    known = [summary for summary in summaries if summary["mean"] is not None]
    sign = 1 if kind.greater_is_better else -1
    best = max(known, key=lambda summary: sign * summary["mean"], default=None)
    report: dict[str, Any] = {"metric": metric, "combinations": summaries, "best": None}
    if best is not None:
        runs = [run for run in best["runs"] if run.get("metrics", {}).get(metric) is not None]
        report["best"] = max(runs, key=lambda run: sign * run["metrics"][metric]) | {
            "settings": best["settings"], "mean": best["mean"], "standard_deviation": best["standard_deviation"],
        }  # fmt: skip
        report["within_spread"] = [
            summary["settings"]
            for summary in known
            if summary is not best and abs(summary["mean"] - best["mean"]) <= (best["standard_deviation"] or 0.0)
        ]
    return report


def _best(report: Mapping[str, Any]) -> str:
    """The best in words, and how to repeat it."""
    best = report["best"]
    if best is None:
        raise UserError("no run has come to its end: see what each said above")
    settings = (
        ", ".join(f"{key}={_text(value)}" for key, value in best["settings"].items()) or "the settings as they are"
    )
    unsure = len(report["within_spread"])
    doubt = f"; {unsure} other{'s are' if unsure > 1 else ' is'} within one deviation of it" if unsure else ""
    score = best["metrics"][report["metric"]]
    return (
        f"best: {settings}: {report['metric']} {_number(best['mean'])} in the mean{doubt}\n"
        f"its best model: {best['folder']}/model, {report['metric']} {_number(score)}\nto repeat it: {best['command']}"
    )


def _write(folder: Path, combinations: Sequence[Combination], kind: Kind) -> None:
    """sweep.json and sweep.csv, each whole or not at all."""
    report = _report(combinations, kind)
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        {**{key: _text(value) for key, value in combination.settings.items()},
         "seed": run["seed"], **(run.get("metrics") or {}),
         "steps": run.get("steps"), "seconds": run.get("seconds"), "error": run.get("error"), "folder": run["folder"]}
        for combination in combinations
        for run in combination.runs.values()
    ]  # fmt: skip
    names = list(dict.fromkeys(name for row in rows for name in row))
    for name in ("sweep.json", "sweep.csv"):
        beside = folder / f".{name}.partial"
        with beside.open("w", encoding="utf-8", newline="") as file:
            if name == "sweep.json":
                file.write(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
            else:
                writer = csv.DictWriter(file, names)
                writer.writeheader()
                writer.writerows(rows)
        beside.replace(folder / name)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _command(flags: Sequence[str]) -> str:
    return shlex.join(["python", "-m", "bert_tf.train", *flags])


def _toml(value: Any) -> str:
    """A value as --set reads it."""
    return json.dumps(value, ensure_ascii=False)  # of what TOML's arrays hold, as TOML has it


def _text(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else _toml(value)


def _number(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.4f}"


if __name__ == "__main__":
    run_command(PROG, main)
