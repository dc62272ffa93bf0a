"""A training step and a pass of the same model on an accelerator: ours on Keras's JAX backend, and Transformers'.

    python -m benchmarks.gpu --torch-python=PYTHON [--model=FOLDER | --size=base] [--batch=64] [--length=128]

This Python needs JAX with the plugin for the accelerator (pip install "jax[cuda12]"), PYTHON torch and transformers.
Both run in bfloat16 and compiled (XLA; torch.compile with scaled dot-product attention), each in a process of its own,
in turn. Before that the logits of both, in float32, are compared; the exit status is 1 where they differ by more than
--tolerance. On a machine without an accelerator everything runs on the CPU, which is said: a check of this program with
`--size=tiny --batch=4 --length=16`, no measurement.

It has run on CPUs alone so far: no accelerator was to hand.
"""

from __future__ import annotations

import argparse
import ast
import statistics
import subprocess
import sys
import tempfile

import numpy as np

from benchmarks.speed.history import number
from benchmarks.speed.process import REPOSITORY, Process

OURS, PEER = "bert_tf on JAX", "Transformers, compiled"
# Both share one accelerator's memory, so none takes all of it at once.
VARIABLES = {"KERAS_BACKEND": "jax", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
DEVICE = "import jax; print(jax.devices()[0].device_kind, jax.default_backend())"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torch-python", required=True, help="a Python that has torch and transformers")
    parser.add_argument("--model", help="a folder of Transformers with a classifier; default: random weights")
    parser.add_argument("--size", default="base", help="of the random weights: tiny, ..., base, large")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--length", type=int, default=128, help="tokens of a row, of which half to all are real")
    parser.add_argument("--steps", type=int, default=50, help="in a repetition")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tolerance", type=float, default=1e-3, help="of a logit in float32, where GPUs round to TF32")
    flags = parser.parse_args()

    device = subprocess.run([sys.executable, "-c", DEVICE], capture_output=True, text=True, check=True).stdout.split()
    print(f"on {' '.join(device[:-1])}" + ("; no accelerator, so this measures nothing" if device[-1] == "cpu" else ""))
    with tempfile.TemporaryDirectory() as made:
        folder = flags.model or made
        if flags.model is None:
            code = "import sys; from benchmarks.speed.sides.jax_steps import make_folder; make_folder(*sys.argv[1:])"
            command = [sys.executable, "-c", code, folder, flags.size]
            subprocess.run(command, check=True, cwd=REPOSITORY, env=Process.variables(VARIABLES))
        apart = differences(folder, flags, "float32")
        print(f"float32: logits differ by {apart:.1e} at most")
        for job, what in (("inference", "a pass"), ("training", "a training step")):
            found = timed(job, folder, flags)
            ratios = [ours / theirs for ours, theirs in zip(found[OURS], found[PEER], strict=True)]
            print(f"\n{what}, bfloat16, {flags.batch} x {flags.length} tokens: examples/s, median (range)")
            for name, values in found.items():
                print(f"  {name:24} {number(statistics.median(values)):>9} ({number(min(values))} to "
                      f"{number(max(values))})")  # fmt: skip
            print(
                f"  {'ratio':24} {statistics.median(ratios):9.2f} ({min(ratios):.2f} to {max(ratios):.2f})", flush=True
            )
    return int(apart > flags.tolerance)


def sides(job: str, folder: str, flags: argparse.Namespace, precision: str) -> dict[str, Process]:
    shape = {"folder": folder, "batch": flags.batch, "length": flags.length, "steps": flags.steps}
    shape |= {"precision": precision}
    running = {
        OURS: Process(OURS, sys.executable, f"jax_steps.{job}", shape, VARIABLES),
        PEER: Process(PEER, flags.torch_python, f"torch_steps.{job}", shape),
    }
    for side in running.values():
        side.wait()
    return running


def differences(folder: str, flags: argparse.Namespace, precision: str) -> float:
    """The largest difference of a logit."""
    running = sides("inference", folder, flags, precision)
    ours, theirs = (np.array([ast.literal_eval(row) for row in side.ask("answers")]) for side in running.values())
    for side in running.values():
        side.close()
    return float(np.abs(ours - theirs).max())


def timed(job: str, folder: str, flags: argparse.Namespace) -> dict[str, list[float]]:
    """Examples a second of each round."""
    running = sides(job, folder, flags, "bfloat16")
    found: dict[str, list[float]] = {name: [] for name in running}
    for _ in range(flags.rounds):
        for name, side in running.items():
            found[name].append(side.once()["value"])
    for side in running.values():
        side.close()
    return found


if __name__ == "__main__":
    sys.exit(main())
