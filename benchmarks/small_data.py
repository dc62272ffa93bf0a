"""Are the settings found from the number of examples as good as the best of a grid?

    python -m benchmarks.small_data --data=FOLDER --out=results.jsonl --tasks sst2 stsb --examples 60 300

Fine-tunes MiniLM on small cuts of public sets: a grid of 12 settings (4 learning rates, 3 lengths) with seed 1, its
best 3 with seeds 2 and 3, and what the library finds by itself with seeds 1 to 3. Every run is scored once, at its end,
on the whole development set (banking77: the test set; SQuAD: every tenth paragraph), so none chooses among its weights.
Each run adds a line to --out, and what is there already is not run again: started again, it continues. --table prints
what the file holds.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.small_cuts import FOLDERS, write_cut
from bert_tf.config import Layer
from bert_tf.kinds.definitions import asked_run

LEARNING_RATES = (5e-5, 1e-4, 2e-4, 4e-4)
UPDATES = {60: (50, 100, 200), 300: (100, 200, 400), 1000: (150, 300, 600), 5000: (300, 600, 1200)}
BATCH_EXAMPLES = 16
SEEDS = (1, 2, 3)
BEST = 3
DEFAULT = "default"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the sets' folders")
    parser.add_argument("--out", type=Path, required=True, help="JSON lines")
    parser.add_argument("--tasks", nargs="+", choices=tuple(FOLDERS), default=tuple(FOLDERS))
    parser.add_argument("--examples", nargs="+", type=int, choices=tuple(UPDATES), default=tuple(UPDATES))
    parser.add_argument("--seeds", nargs="+", type=int, choices=SEEDS, default=SEEDS)
    parser.add_argument("--only", choices=("grid", "best", DEFAULT), help="a part of the protocol")
    extra = "further settings: rate, updates, batch and layer decay, '2e-4 x 100 x 16 x 0.8'"
    parser.add_argument("--extra", nargs="+", default=(), metavar="SETTING", help=extra)
    parser.add_argument("--check", action="store_true", help="one setting of the grid by bert_tf.train, too")
    parser.add_argument("--table", action="store_true", help="print what --out holds, and run nothing")
    flags = parser.parse_args()
    if flags.table:
        print(table(read(flags.out)))
        return
    for examples, task in itertools.product(flags.examples, flags.tasks):
        with tempfile.TemporaryDirectory(prefix="small_data_") as folder:
            there = write_cut(task, examples, flags.data, Path(folder) / "data")
            cut = Cut(task, examples, there, Path(folder), flags.out)
            cut.run_all(flags)


@dataclass(frozen=True)
class Cut:
    """A set's cut, in a folder, and the runs on it."""

    task: str
    examples: int
    rows: int
    folder: Path
    out: Path

    def run_all(self, flags: argparse.Namespace) -> None:
        """What is left of what is asked for."""
        grid = [f"{rate:g} x {steps}" for rate, steps in itertools.product(LEARNING_RATES, UPDATES[self.examples])]
        if flags.only is None or (flags.only == "grid" and not flags.extra):
            self.share(grid, seed=1)
        for seed in flags.seeds if flags.extra else ():
            self.share(flags.extra, seed=seed)
        if flags.check:
            self.train(grid[0], seed=1, name=f"{grid[0]}, bert_tf.train")
        if flags.only is None or flags.only == DEFAULT:
            for seed in flags.seeds:
                self.train(DEFAULT, seed=seed)
        if flags.only is None or flags.only == "best":
            first = {name: score for (name, seed), score in self.scores().items() if seed == 1 and name in grid}
            best = sorted(first, key=lambda name: -first[name])[:BEST] if len(first) == len(grid) else []
            for seed in set(flags.seeds) - {1}:
                self.share(best, seed=seed)

    def scores(self) -> dict[tuple[str, int], float]:
        return scores_of(read(self.out), self.task, self.examples)

    def share(self, settings: Sequence[str], *, seed: int) -> None:
        """Runs of the settings, with one graph."""
        left = [setting for setting in settings if (setting, seed) not in self.scores()]
        if not left:
            return
        from benchmarks.shared_runs import SharedRuns

        kind, config = asked_run(self.task, str(self.recipe()), self.layers(seed, {}))
        runs = SharedRuns(config, kind, self.folder / "shared")
        for setting in left:
            began = time.perf_counter()
            self.note(setting, seed, runs.scores(**numbers_of(setting)), began)

    def train(self, setting: str, *, seed: int, name: str = "") -> None:
        """A run by `bert_tf.train`, of a setting of the grid or of what the library finds by itself."""
        if (name or setting, seed) in self.scores():
            return
        import bert_tf

        training = {}
        if setting != DEFAULT:
            training = numbers_of(setting)
            training |= {"max_steps": training.pop("updates"), "epochs": 10_000.0}
        training |= {"precision": "auto", "keep": "last", "evaluate_every_steps": 1_000_000}
        began = time.perf_counter()
        place, run = self.folder / "data", self.folder / "run"
        done = bert_tf.train(
            self.task, config=self.recipe(), data=place, run=run, seed=seed, training=training, progress=False
        )
        self.note(name or setting, seed, done.metrics, began, steps=done.result["steps"])
        shutil.rmtree(run)

    def recipe(self) -> Path:
        """One that says nothing: named tasks have their own, for whole sets."""
        file = self.folder / "none.toml"
        file.write_text("")
        return file

    def layers(self, seed: int, training: dict[str, Any]) -> list[Layer]:
        training = {"precision": "auto", **training}
        values = {"seed": seed, "data": {"source": str(self.folder / "data")}, "training": training}
        return [Layer(origin="benchmark", values=values)]

    def note(self, setting: str, seed: int, metrics: Mapping[str, float | None], began: float, **more: Any) -> None:
        row = {"task": self.task, "examples": self.examples, "rows": self.rows, "setting": setting, "seed": seed}
        row |= {"score": next(iter(metrics.values())), "metrics": dict(metrics), **more}
        row["seconds"] = time.perf_counter() - began
        with self.out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)


def numbers_of(setting: str) -> dict[str, Any]:
    """`2e-4 x 100 x 16 x 0.8`: rate, updates, batch, layer decay."""
    rate, updates, *rest = setting.split(" x ")
    return {
        "learning_rate": float(rate),
        "updates": int(updates),
        "batch_examples": int(rest[0]) if rest else BATCH_EXAMPLES,
        "warmup_share": 0.1,
        "layer_decay": float(rest[1]) if len(rest) > 1 else 1.0,
    }


def read(out: Path) -> list[dict[str, Any]]:
    """The rows so far."""
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()] if out.is_file() else []


def scores_of(rows: list[dict[str, Any]], task: str, examples: int) -> dict[tuple[str, int], float]:
    """(setting, seed) -> the main metric."""
    return {
        (row["setting"], row["seed"]): row["score"]
        for row in rows
        if (row["task"], row["examples"]) == (task, examples)
    }


def table(rows: list[dict[str, Any]]) -> str:
    """A line for each cut: the best of the grid with its spread, the default with its own, and the difference."""
    lines = ["| set | examples | best of the grid (mean of seeds) | its setting | found by itself | difference |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    for task, examples in itertools.product(FOLDERS, UPDATES):
        scores = scores_of(rows, task, examples)
        of: dict[str, list[float]] = {}
        for (setting, _), score in sorted(scores.items()):
            of.setdefault(setting, []).append(100 * score)
        own = of.pop(DEFAULT, [])
        if not of and not own:
            continue
        most = max(map(len, of.values()), default=0)
        best = max((name for name in of if len(of[name]) == most), key=lambda name: _mean(of[name]), default="")
        difference = f"{_mean(own) - _mean(of[best]):+.1f}" if own and best else ""
        lines.append(
            f"| {task} | {examples} | {_with_spread(of.get(best, []))} | {best} | {_with_spread(own)} | {difference} |"
        )
    return "\n".join(lines)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _with_spread(values: list[float]) -> str:
    if not values:
        return ""
    each = f" ({', '.join(f'{value:.1f}' for value in values)})" if len(values) > 1 else ", 1 seed"
    return f"{_mean(values):.1f}{each}"


if __name__ == "__main__":
    main()
