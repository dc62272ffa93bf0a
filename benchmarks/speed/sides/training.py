"""This library's training steps, as `bert_tf.train` takes them: its set-up, its loop's steps, its own meter."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.speed.work import Repetition, Work
from bert_tf.config import Layer
from bert_tf.kinds.definitions import asked_run
from bert_tf.training.interruption import Interruption
from bert_tf.training.loop import Loop
from bert_tf.training.setup import set_up


def train(*, task: str, data: str, backbone: str, length: int, batch: int, updates: int) -> Work:
    """Real tokens a second in `updates` updates of a task."""
    values = {
        "backbone": backbone,
        "data": {"sequence_length": length, "skip_bad_rows": True},  # as the other side's batches
        "training": {
            "batch_examples": batch,
            "max_steps": 20_000,
            "epochs": 1_000,
            "warmup_steps": 100,
            "precision": "auto",  # as every recipe has it, and the other side
        },
    }
    kind, config = asked_run(task, None, [Layer(origin="benchmark", values=values)])
    folder = Path(tempfile.mkdtemp(prefix="bert_tf-speed-"))
    loop = Loop(set_up(config, kind, folder, data=data), folder, Interruption(), resumed=False, progress=False)

    def once() -> Repetition:
        for _ in range(updates):
            loop.take_steps()
        _, tokens, _, flops, seconds = loop.meter.since_report.tolist()
        loop.meter.report()  # which sets it back to 0
        return Repetition(tokens / seconds, {"flops_per_second": flops / seconds})

    for _ in range(3):  # the first traces
        loop.take_steps()
    loop.meter.report()
    return Work(once)
