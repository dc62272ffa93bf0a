"""What long texts cost a ModernBERT: time and memory of a training step and of a pass.

With local attention in bands and global attention in chunks, and with the scores of all pairs of tokens at once.

    python -m benchmarks.long_attention [--lengths=512,2048,4096,8192] [--ways=parts,whole] [--work=train,infer] [--xla]

One text a batch, three blocks of which two are local, random weights. Each number is of a process of its own: the
median of the repetitions, and how much the process grew over what it had when the model was made.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIZES = {"hidden_dim": 256, "num_layers": 3, "num_heads": 4, "intermediate_dim": 384, "vocabulary_size": 1000}
REPETITIONS, SECONDS = 5, 12.0  # most of either


def main() -> int:
    """Prints a row for each length, way and work."""
    parser = argparse.ArgumentParser(description="Time and memory of long texts.")
    parser.add_argument("--lengths", default="512,2048,4096,8192")
    parser.add_argument("--ways", default="parts,whole")
    parser.add_argument("--work", default="train,infer")
    parser.add_argument("--xla", action="store_true", help="compile the step with XLA")
    parser.add_argument("--one", help="for this command itself")
    flags = parser.parse_args()
    if flags.one is not None:
        print(json.dumps(measured(**json.loads(flags.one))))
        return 0
    print(f"{'tokens':>7} {'work':>6} {'way':>6} {'seconds':>9} {'MiB':>8}")
    for length in map(int, flags.lengths.split(",")):
        for work in flags.work.split(","):
            for way in flags.ways.split(","):
                asked = json.dumps({"length": length, "work": work, "way": way, "xla": flags.xla})
                command = [sys.executable, "-m", "benchmarks.long_attention", f"--one={asked}"]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                said = f"{'-':>9} {'-':>8}  ended by {done.returncode}"
                if done.returncode == 0:
                    found = json.loads(done.stdout.splitlines()[-1])
                    said = f"{found['seconds']:9.3f} {found['mib']:8.0f}"
                print(f"{length:7} {work:>6} {way:>6} {said}", flush=True)
    return 0


def measured(*, length: int, work: str, way: str, xla: bool) -> dict[str, float]:
    """Seconds of one repetition, and by how many MiB the process grew."""
    import numpy as np
    import tensorflow as tf

    from bert_tf.layers import self_attention
    from bert_tf.models import BertClassifier, size_config

    if way == "whole":
        as_one: Any = lambda self, q, k, v, sight, rate, seed: self_attention._attend(  # noqa: E731
            q, k, v, sight.bias(self.reach), rate=rate, seed=seed
        )
        self_attention.SelfAttention._by_length = as_one
    model = BertClassifier(size_config("modernbert-base", **SIZES), 3)
    ids = np.random.default_rng(0).integers(5, 1000, (1, length)).astype("int32")
    inputs = {"token_ids": tf.constant(ids), "padding_mask": tf.ones_like(ids)}

    def train() -> Any:
        with tf.GradientTape() as tape:
            loss = model.compute(inputs, labels=tf.constant([1]), training=True)["loss"]
        weights = [weight.value for weight in model.trainable_variables]
        return loss, [tf.reduce_sum(tf.convert_to_tensor(x)) for x in tape.gradient(loss, weights)]

    chosen: Callable[[], Any] = train if work == "train" else lambda: model(inputs)
    step = tf.function(chosen, jit_compile=xla, autograph=False)
    before = peak_mib()
    step()
    times: list[float] = []
    began = time.perf_counter()
    while len(times) < REPETITIONS and (not times or time.perf_counter() - began < SECONDS):
        start = time.perf_counter()
        tf.nest.map_structure(lambda x: x.numpy(), step())
        times.append(time.perf_counter() - start)
    return {"seconds": statistics.median(times), "mib": peak_mib() - before}


def peak_mib() -> float:
    """Most memory that the process has had."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    sys.exit(main())
