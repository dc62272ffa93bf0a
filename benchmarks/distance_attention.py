"""What attention to vectors of distances costs: time and memory of a training step and of a pass.

Of the same encoder without them (`plain`), with them (`moved`: the scores of every distance, moved to where their pairs
stand), and with each pair's score looked up (`looked_up`), as other libraries do it.

    python -m benchmarks.distance_attention [--shapes=32x128,8x512] [--ways=plain,moved,looked_up] [--work=train,infer]

Three blocks of width 256 with 4 heads, 256 buckets of each sign as DeBERTa v3 has, random weights, no dropout. Each
number is of a process of its own: the median of the repetitions, and how much the process grew over what it had when
the model was made. The ways take turns.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from typing import Any

from benchmarks.long_attention import SIZES, peak_mib

REPETITIONS, ROUNDS = 7, 3
DEFAULT = {"shapes": "32x128,8x512", "ways": "plain,moved,looked_up", "work": "train,infer"}


def main() -> int:
    """Prints a row for each shape, work and way."""
    parser = argparse.ArgumentParser(description="Time and memory of attention to distances.")
    for name, usual in DEFAULT.items():
        parser.add_argument(f"--{name}", default=usual)
    parser.add_argument("--xla", action="store_true", help="compile the step with XLA")
    parser.add_argument("--one", help="for this command itself")
    flags = parser.parse_args()
    if flags.one is not None:
        print(json.dumps(measured(**json.loads(flags.one))))
        return 0
    print(f"{'texts x tokens':>15} {'work':>6} {'way':>10} {'seconds':>9} {'MiB':>8}")
    for shape in flags.shapes.split(","):
        for work in flags.work.split(","):
            ways = flags.ways.split(",")
            found: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
            for way in ways * ROUNDS:
                asked = json.dumps({"shape": shape, "work": work, "way": way, "xla": flags.xla})
                command = [sys.executable, "-m", "benchmarks.distance_attention", f"--one={asked}"]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                found[way].append(json.loads(done.stdout.splitlines()[-1]))
            for way, each in found.items():
                seconds, mib = (statistics.median(one[name] for one in each) for name in ("seconds", "mib"))
                print(f"{shape:>15} {work:>6} {way:>10} {seconds:9.3f} {mib:8.0f}", flush=True)
    return 0


def looked_up(q: Any, k: Any, distances: Any, keys: Any, queries: Any, *, first: bool = False) -> Any:
    """Scores of each pair, looked up in those of every vector; of queries that are the keys."""
    import numpy as np
    from keras import ops

    assert not first
    length = k.shape[1]
    place = np.arange(length)
    rows = ops.take(distances.rows, length - 1 - (place[:, None] - place[None]), axis=0)  # [T, S]
    rows = ops.broadcast_to(rows, (k.shape[0], k.shape[2], length, length))
    of_queries = ops.matmul(ops.transpose(q, (0, 2, 1, 3)), ops.transpose(keys, (1, 2, 0)))  # [B, N, T, R]
    of_keys = ops.matmul(ops.transpose(k, (0, 2, 1, 3)), ops.transpose(queries, (1, 2, 0)))  # [B, N, S, R]
    found = ops.take_along_axis(of_keys, ops.transpose(rows, (0, 1, 3, 2)), axis=-1)
    return ops.take_along_axis(of_queries, rows, axis=-1) + ops.transpose(found, (0, 1, 3, 2))


def measured(*, shape: str, work: str, way: str, xla: bool) -> dict[str, float]:
    """Seconds of one repetition, and by how many MiB the process grew."""
    import numpy as np
    import tensorflow as tf

    from bert_tf.layers import self_attention
    from bert_tf.models import BertTagger, size_config

    if way == "looked_up":
        self_attention.distance_scores = looked_up
    still = {**SIZES, "intermediate_dim": 1024, "hidden_dropout": 0.0, "attention_dropout": 0.0}
    model = BertTagger(size_config("base" if way == "plain" else "deberta-v3-base", **still), 3)
    rows, length = map(int, shape.split("x"))
    ids = np.random.default_rng(0).integers(5, 1000, (rows, length)).astype("int32")
    inputs = {"token_ids": tf.constant(ids), "padding_mask": tf.ones_like(ids)}

    def train() -> Any:
        with tf.GradientTape() as tape:
            loss = model.compute(inputs, labels=tf.zeros_like(ids), training=True)["loss"]
        weights = [weight.value for weight in model.trainable_variables]
        return loss, [tf.reduce_sum(tf.convert_to_tensor(x)) for x in tape.gradient(loss, weights)]

    step = tf.function(train if work == "train" else lambda: model(inputs), jit_compile=xla, autograph=False)
    before = peak_mib()
    step()
    times: list[float] = []
    for _ in range(REPETITIONS):
        start = time.perf_counter()
        tf.nest.map_structure(lambda x: x.numpy(), step())
        times.append(time.perf_counter() - start)
    return {"seconds": statistics.median(times), "mib": peak_mib() - before}


if __name__ == "__main__":
    sys.exit(main())
