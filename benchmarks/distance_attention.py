"""What attention to vectors of distances costs: time and memory of a training step and of a pass.

Of the same encoder without them (`plain`), with them (`moved`: the scores of every distance, moved to where their pairs
stand), and with each pair's score looked up (`looked_up`), as other libraries do it.

    python -m benchmarks.distance_attention [--shapes=8x128,2x512] [--work=train,infer] [--xla]

Three blocks of width 256 with 4 heads, 256 buckets of each sign as DeBERTa v3 has, random weights, no dropout. Times
are of one process in which the ways take turns: the least of the repetitions, as other work can only add to it. By how
much a process grew over what it had when the model was made is of a process of each way.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from typing import Any

from benchmarks.long_attention import SIZES, peak_mib

REPETITIONS = 15
WAYS = ("plain", "moved", "looked_up")


def main() -> int:
    """Prints a row for each shape, work and way."""
    parser = argparse.ArgumentParser(description="Time and memory of attention to distances.")
    parser.add_argument("--shapes", default="8x128,2x512")
    parser.add_argument("--work", default="train,infer")
    parser.add_argument("--xla", action="store_true", help="compile the step with XLA")
    parser.add_argument("--one", help="for this command itself")
    flags = parser.parse_args()
    if flags.one is not None:
        print(json.dumps(measured(**json.loads(flags.one))))
        return 0
    print(f"{'texts x tokens':>15} {'work':>6} {'way':>10} {'seconds':>9} {'MiB':>8}")
    for shape in flags.shapes.split(","):
        for work in flags.work.split(","):
            asked = {"shape": shape, "work": work, "xla": flags.xla}
            seconds = of_process({**asked, "ways": WAYS})["seconds"]
            for way in WAYS:
                mib = of_process({**asked, "ways": [way], "repetitions": 1})["mib"]
                print(f"{shape:>15} {work:>6} {way:>10} {seconds[way]:9.3f} {mib:8.0f}", flush=True)
    return 0


def of_process(asked: dict[str, Any]) -> dict[str, Any]:
    """What `measured` gives in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.distance_attention", f"--one={json.dumps(asked)}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


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


def measured(*, shape: str, work: str, ways: list[str], xla: bool, repetitions: int = REPETITIONS) -> dict[str, Any]:
    """Seconds of one repetition of each way, and by how many MiB the process grew."""
    import tensorflow as tf

    steps = {way: step_of(shape, work, way, xla) for way in ways}
    before, times = peak_mib(), {way: [] for way in ways}
    for step in steps.values():
        step()
    grown = peak_mib() - before
    for _ in range(repetitions):
        for way, step in steps.items():
            start = time.perf_counter()
            tf.nest.map_structure(lambda x: x.numpy(), step())
            times[way].append(time.perf_counter() - start)
    return {"seconds": {way: min(each) for way, each in times.items()}, "mib": grown}


def step_of(shape: str, work: str, way: str, xla: bool) -> Any:
    """A training step or a pass as a function of nothing, traced when it is first called."""
    import numpy as np
    import tensorflow as tf

    from bert_tf.layers import self_attention
    from bert_tf.models import BertTagger, size_config

    moved = self_attention.distance_scores
    still = {**SIZES, "intermediate_dim": 1024, "hidden_dropout": 0.0, "attention_dropout": 0.0}
    model = BertTagger(size_config("base" if way == "plain" else "deberta-v3-base", **still), 3)
    rows, length = map(int, shape.split("x"))
    ids = np.random.default_rng(0).integers(5, 1000, (rows, length)).astype("int32")
    inputs = {"token_ids": tf.constant(ids), "padding_mask": tf.ones_like(ids)}

    def infer() -> Any:
        self_attention.distance_scores = looked_up if way == "looked_up" else moved
        return model(inputs)

    def train() -> Any:
        self_attention.distance_scores = looked_up if way == "looked_up" else moved
        with tf.GradientTape() as tape:
            loss = model.compute(inputs, labels=tf.zeros_like(ids), training=True)["loss"]
        weights = [weight.value for weight in model.trainable_variables]
        return loss, [tf.reduce_sum(tf.convert_to_tensor(x)) for x in tape.gradient(loss, weights)]

    return tf.function(train if work == "train" else infer, jit_compile=xla, autograph=False)


if __name__ == "__main__":
    sys.exit(main())
