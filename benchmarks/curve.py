"""Draws a pre-training run's curves: the loss, and how many hidden tokens it and the simple baselines guess.

    pip install matplotlib
    python -m benchmarks.curve --run=runs/pretrain_tiny --out=benchmarks/pictures/pretrain_tiny.svg

The run's metrics.jsonl has all of it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

LOSS, ACCURACY = "masked_lm_loss", "masked_lm_accuracy"
BASELINES = {"bigram_accuracy": "bigrams", "most_frequent_accuracy": "the most frequent token"}


def read(run: Path) -> tuple[list[dict[str, float]], list[dict[str, float]]]:
    """What the run noted of training and of evaluations, a dict for each."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    scored = [line for line in lines if ACCURACY in line]
    return [line for line in lines if "loss" in line and ACCURACY not in line], scored


def draw(run: Path, out: Path) -> None:
    import matplotlib

    matplotlib.use("agg")
    matplotlib.rcParams["svg.hashsalt"] = "bert_tf"  # the same picture from the same run
    from matplotlib import pyplot

    training, scored = read(run)
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    left.plot(*_columns(training, "loss"), color="0.75", linewidth=0.8, label="training, 50 updates")
    left.plot(*_columns(scored, LOSS), color="tab:blue", marker=".", label="held-out book")
    left.set(xlabel="updates", ylabel="masked-word loss, nats")
    steps, accuracy = _columns(scored, ACCURACY)
    right.plot(steps, [100 * value for value in accuracy], color="tab:blue", marker=".", label="the model")
    for (name, label), style in zip(BASELINES.items(), ("--", ":"), strict=True):
        right.axhline(100 * scored[-1][name], color="0.4", linestyle=style, label=label)
    right.set(xlabel="updates", ylabel="hidden tokens guessed, %", ylim=(0, None))
    for axes in (left, right):
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, metadata={"Date": None})


def _columns(lines: list[dict[str, float]], name: str) -> tuple[list[float], list[float]]:
    return [line["step"] for line in lines], [line[name] for line in lines]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path, help="an .svg or .png")
    flags = parser.parse_args()
    draw(flags.run, flags.out)


if __name__ == "__main__":
    main()
