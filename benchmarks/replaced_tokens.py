"""Pre-training by replaced tokens compared with pre-training by masked tokens, in as many minutes of one core.

    python -m benchmarks.replaced_tokens --data=FOLDER --out=FOLDER [--minutes=2 | --updates 4689 3200] [--seeds 1 2 3]

FOLDER has gutenberg/*.txt, sst2/ and banking77/, as published. Both sides pre-train the two layers of
configs/pretrain_tiny.toml from random weights, with a vocabulary that is learnt from the same books. They run at once,
each on a core of its own, so that other work on the machine slows both. How many updates fit in the minutes is found
first, from the time of the processor that short runs take, or said by --updates. Then each model, and one of random
weights, is probed with the same settings: fine-tuned, or ("frozen") as it is, with a linear layer solved for on the
mean of its last vectors. Runs that are finished are not repeated; OUT/table.md has what came of it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HELD_OUT, WORDS = "austen-persuasion.txt", 8000
SHORT, LONG = 20, 120  # updates of the runs that are timed
REPLACED = {"pretraining.objective": "replaced_tokens"}
SIDES: dict[str, dict[str, Any]] = {"masked": {}, "replaced": REPLACED}
# Smaller batches than the recipe's, since there are fewer minutes.
PRETRAINING: dict[str, Any] = {
    "pretraining.validation": HELD_OUT,
    "pretraining.validation_examples": 500,
    "training.batch_examples": 16,
    "training.learning_rate": 1e-3,
    "training.warmup_steps": "none",
    "training.warmup_share": 0.06,
    "training.evaluate_first": False,
    "training.keep": "last",
    "training.threads_per_operation": 1,
    "evaluation.report": False,
    "evaluation.diagnosed_examples": 0,
}
PROBE: dict[str, Any] = {
    "training.batch_examples": 32,
    "training.threads_per_operation": 1,
    "evaluation.report": False,
    "evaluation.diagnosed_examples": 0,
}
FINE_TUNED: dict[str, Any] = {
    "training.learning_rate": 5e-4,
    "training.layer_decay": 1.0,
    "training.warmup_share": 0.1,
    "training.weight_decay": 0.01,
    "training.keep": "last",
    "training.evaluate_every_steps": 100_000,
    "model.hidden_dropout": 0.1,
    "model.attention_dropout": 0.1,
}
FROZEN: dict[str, Any] = {"training.mode": "frozen"}
PROBES: dict[str, tuple[str, dict[str, Any]]] = {
    "sst2": ("sst2", {**FINE_TUNED, "training.epochs": 1}),
    "banking77": ("banking77", {**FINE_TUNED, "training.epochs": 6}),
    "banking77_frozen": ("banking77", FROZEN),
}


class Bench:
    """The runs of a table.

    Args:
        data: the folder of the sets' folders.
        out: where runs and the table go.
        cores: numbers of two cores.
        designs: side -> its settings besides those of all.
    """

    def __init__(self, data: Path, out: Path, cores: Sequence[int], designs: dict[str, dict[str, Any]]) -> None:
        self.data, self.out, self.cores, self.designs = data, out, cores, designs
        out.mkdir(parents=True, exist_ok=True)

    def words(self) -> Path:
        """The vocabulary, learnt from the books that are trained on."""
        words, books = self.out / "words", sorted((self.data / "gutenberg").glob("*.txt"))
        if not (words / "vocab.txt").exists():
            asked = ["--input", *(str(book) for book in books if book.name != HELD_OUT), f"--size={WORDS}"]
            flags = [*asked, "--lowercase", "--skip-bad-rows", f"--output={words}"]
            subprocess.run([sys.executable, "-m", "bert_tf.vocabulary", *flags], check=True)
        return words

    def at_once(self, jobs: Sequence[tuple[Path, list[str], dict[str, Any]]]) -> list[dict[str, Any]]:
        """Trains runs, as many at once as there are cores: folder, flags and settings of each -> its result, with
        `cpu_minutes`, those of the processor that its process took. A finished run is read.
        """
        waiting, running = list(enumerate(jobs)), {}
        free, found = list(self.cores), [{} for _ in jobs]
        while waiting or running:
            while waiting and free:
                number, (folder, flags, settings) = waiting.pop(0)
                cost = folder.with_name(f"{folder.name}.cost.json")
                if cost.exists():
                    found[number] = json.loads((folder / "result.json").read_text()) | json.loads(cost.read_text())
                    continue
                core = free.pop(0)
                running[self._start(folder, flags, settings, core)] = (number, folder, core)
            if not running:
                continue
            process, status, usage = os.wait4(-1, 0)
            number, folder, core = running.pop(process)
            if status:
                raise SystemExit(f"{folder.with_name(f'{folder.name}.log')} says why it failed: status {status}")
            minutes = {"cpu_minutes": (usage.ru_utime + usage.ru_stime) / 60}
            folder.with_name(f"{folder.name}.cost.json").write_text(json.dumps(minutes))
            found[number] = json.loads((folder / "result.json").read_text()) | minutes
            free.append(core)
            print(f"{time.strftime('%H:%M:%S')} {folder.name}: {minutes['cpu_minutes']:.2f} minutes", file=sys.stderr)
        return found

    def _start(self, folder: Path, flags: list[str], settings: dict[str, Any], core: int) -> int:
        """Starts a training on a core. Returns: the process's number."""
        asked = [
            f"{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in settings.items()
        ]
        command = [sys.executable, "-m", "bert_tf.train", f"--run={folder}", *flags, "--set", *asked]
        with folder.with_name(f"{folder.name}.log").open("w") as log:
            return subprocess.Popen(
                command, stdout=log, stderr=log, preexec_fn=lambda: os.sched_setaffinity(0, {core})
            ).pid

    def pretraining(self, side: str, name: str, steps: int, seed: int = 1) -> tuple[Path, list[str], dict[str, Any]]:
        flags = ["--task=pretrain", "--config=pretrain_tiny", f"--data={self.data}/gutenberg/*.txt", "--skip-bad-rows"]
        length = {"training.max_steps": steps, "training.evaluate_every_steps": steps, "seed": seed}
        settings = {**PRETRAINING, **self.designs[side], **length, "vocabulary": self.words()}
        return self.out / name, flags, settings

    def steps(self, minutes: float) -> dict[str, int]:
        """Updates of each side in so many minutes of one core."""
        sides = list(self.designs)
        costs = {}
        self.at_once([self.pretraining(sides[0], "first", 2)])  # which tokenises the books for all
        for steps in (SHORT, LONG):
            found = self.at_once([self.pretraining(side, f"timed_{side}_{steps}", steps) for side in sides])
            costs |= {(side, steps): run["cpu_minutes"] for side, run in zip(sides, found, strict=True)}
        taken = {}
        for side in sides:
            each = (costs[side, LONG] - costs[side, SHORT]) / (LONG - SHORT)
            taken[side] = int((minutes - costs[side, SHORT]) / each) + SHORT
        return taken

    def probe(self, probe: str, backbone: str, name: str, seed: int) -> tuple[Path, list[str], dict[str, Any]]:
        task, own = PROBES[probe]
        settings = {**PROBE, **own, "seed": seed}
        if not Path(backbone).exists():
            settings |= {"vocabulary": self.words()}
        return self.out / name, [f"--task={task}", f"--data={self.data / task}", f"--backbone={backbone}"], settings

    def table(self, steps: dict[str, int], seeds: Sequence[int], probes: Sequence[str], with_random: bool) -> list[str]:
        """The table's lines."""
        sides = list(self.designs)
        backbones = dict.fromkeys(sides, "{out}/{side}_{seed}/model") | ({"random": "tiny"} if with_random else {})
        runs: dict[tuple[str, int], dict[str, Any]] = {}
        scores: dict[tuple[str, str, int], float] = {}
        for seed in seeds:
            jobs = [self.pretraining(side, f"{side}_{seed}", steps[side], seed) for side in sides]
            runs |= {(side, seed): run for side, run in zip(sides, self.at_once(jobs), strict=True)}
            asked = [(side, probe) for probe in probes for side in backbones]
            places = {side: place.format(out=self.out, side=side, seed=seed) for side, place in backbones.items()}
            found = self.at_once(
                [self.probe(probe, places[side], f"{side}_{seed}_{probe}", seed) for side, probe in asked]
            )
            for (side, probe), run in zip(asked, found, strict=True):
                scores[side, probe, seed] = 100 * run["metrics"]["accuracy"]
        lines = [f"| | updates | minutes | {' | '.join(probes)} |", f"|---|---|---|{'---|' * len(probes)}"]
        for side in backbones:
            told = ["", ""]
            if side in sides:
                told = [f"{steps[side]:,}", _listed([runs[side, seed]["cpu_minutes"] for seed in seeds], 2)]
            cells = [_listed([scores[side, probe, seed] for seed in seeds], 2) for probe in probes]
            lines.append(f"| {side} | {' | '.join([*told, *cells])} |")
        for side in sides:
            names = ("masked_lm_accuracy", "replaced_token_f1", "replaced_token_share")
            kept = {name: [runs[side, seed]["metrics"].get(name) for seed in seeds] for name in names}
            lines += [f"{side}: {name} {values}" for name, values in kept.items() if values[0] is not None]
        return lines


def _listed(values: Sequence[float], digits: int) -> str:
    """The mean, and each of several."""
    each = ", ".join(f"{value:.{digits}f}" for value in values)
    return each if len(values) == 1 else f"{statistics.mean(values):.{digits}f} ({each})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--minutes", type=float, default=2.0, help="of one core, for each pre-training")
    updates = "of masked tokens and of replaced tokens, instead of --minutes"
    parser.add_argument("--updates", type=int, nargs=2, help=updates)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--probes", nargs="+", default=list(PROBES), choices=list(PROBES))
    parser.add_argument("--cores", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--set", nargs="*", default=[], help="further settings of the replaced side")
    parser.add_argument("--of-all", nargs="*", default=[], help="further settings of both sides")
    parser.add_argument("--only", choices=list(SIDES), help="one side alone")
    parser.add_argument("--no-random", action="store_true", help="leave out the probes of random weights")
    flags = parser.parse_args()
    designs = {
        side: {**own, **dict(part.split("=", 1) for part in flags.of_all)}
        for side, own in SIDES.items()
        if flags.only in (None, side)
    }
    if "replaced" in designs:
        designs["replaced"] |= dict(part.split("=", 1) for part in flags.set)
    bench = Bench(flags.data.resolve(), flags.out.resolve(), flags.cores, designs)
    updates = dict(zip(SIDES, flags.updates, strict=True)) if flags.updates else bench.steps(flags.minutes)
    lines = bench.table(updates, flags.seeds, flags.probes, not flags.no_random)
    (bench.out / "table.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
