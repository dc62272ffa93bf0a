"""Training examples per second, this library compared with Transformers, in one interleaved run.

    python -m benchmarks.training_speed --torch-python=.venv-parity/bin/python --data=../shared/data/sst2

Both fine-tune MiniLM on SST-2 at 32 examples an update, each in a process of its own that waits while the other works.
Transformers runs at its best setting on a CPU: bfloat16 autocast, examples grouped by length, fused AdamW. Rounds
alternate; the table gives each side's median and range, and the ratio round by round.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


class Side:
    """One library in a process of its own, told by a line when to take some updates."""

    def __init__(self, python: str, script: str, arguments: list[str]) -> None:
        self.name = script.rpartition("_")[0]
        command = [python, str(HERE / script), *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ask("ready")

    def ask(self, line: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        while answer and not answer.startswith("= "):
            answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"{self.name} ended with status {self.process.wait()}")
        return answer.removeprefix("= ").strip()

    def examples_per_second(self, updates: int) -> float:
        return float(self.ask(str(updates)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torch-python", required=True, help="a Python that has torch and transformers")
    parser.add_argument("--data", required=True, help="folder with SST-2's train.tsv")
    parser.add_argument("--backbone", default=None, help="a Hugging Face folder; default: MiniLM's")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument(
        "--updates", type=int, default=50, help="updates of each side in a round; Transformers' groups are of 50"
    )
    parser.add_argument("--dropout", type=float, default=0.1, help="hidden and attention dropout of both sides")
    parser.add_argument("--precision", default="bfloat16", choices=("bfloat16", "float32"))
    flags = parser.parse_args()

    from bert_tf.weights import resolve

    backbone = str(resolve(flags.backbone or "minilm"))
    given = [flags.data, backbone, str(flags.dropout), flags.precision]
    sides = [
        Side(sys.executable, "ours_training.py", given),
        Side(flags.torch_python, "transformers_training.py", given),
    ]
    found: dict[str, list[float]] = {side.name: [] for side in sides}
    for side in sides:
        side.examples_per_second(flags.updates)  # warm-up, not counted
    for _ in range(flags.rounds):
        for side in sides:
            found[side.name].append(side.examples_per_second(flags.updates))
    ours, theirs = found.values()
    print(f"\n{flags.precision}, dropout {flags.dropout}: {flags.rounds} rounds of {flags.updates} updates")
    for name, values in found.items():
        print(f"{name:14s} median {statistics.median(values):6.1f} examples/s ({min(values):.1f} to {max(values):.1f})")
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    print(f"{'ratio':14s} median {statistics.median(ratios):6.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
