"""This library's side of pretraining_speed.py: the training loop's own pipeline, step and optimizer."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from bert_tf.config import Layer, RunConfig, resolve
from bert_tf.data import plan_batches
from bert_tf.kinds.definitions import load_task
from bert_tf.models.pretrained import config_of
from bert_tf.training.engine import make_engine
from bert_tf.training.optimizers.adamw import AdamW
from bert_tf.training.optimizers.schedule import Schedule
from bert_tf.training.step import TrainStep
from bert_tf.training.strategy import make_placement
from bert_tf.training.threads import parts_at_once, set_threads
from bert_tf.training.trained_model import TrainedModel


def task_and_data(data: str, backbone: str, precision: str = "float32") -> tuple[RunConfig, Any, Any]:
    """The run, the task and its training text."""
    policy = "mixed_bfloat16" if precision == "bfloat16" else precision
    values = {"task": "pretrain", "backbone": backbone, "training": {"precision": policy}}
    config = resolve([Layer(origin="benchmark", values=values)])
    kind = load_task("pretrain").configured(config)
    corpus = kind.read(data, "train", skip_bad_rows=True)
    return config, kind, kind.features(kind.build_tokenizer(backbone), corpus)


def main(data: str, backbone: str, precision: str) -> None:
    hidden_dim = config_of(backbone).hidden_dim
    set_threads(None, hidden_dim, parts=parts_at_once(hidden_dim))
    config, kind, stream = task_and_data(data, backbone, precision)
    placement = make_placement("one_device")
    trained = TrainedModel(kind.build_model(config), {"train": stream}, placement.strategy, trim=False)
    plans = plan_batches(stream, 32, seed=1)
    schedule = Schedule(peak=1e-5, total_steps=100_000, warmup_steps=100)
    with placement.strategy.scope():
        optimizer = AdamW(trained.trainable, schedule, weight_decay=0.01)
    step = TrainStep(
        trained.model,
        kind.per_example_loss,
        optimizer,
        clip_norm=1.0,
        at_once=parts_at_once(hidden_dim),
        parts=kind.loss_parts,
    )
    run = make_engine(placement, step, stream, plans, start=0)
    done = 0
    for line in sys.stdin:
        updates = 2 if line.strip() == "ready" else int(line)
        started = time.perf_counter()
        run(updates)
        seconds = time.perf_counter() - started
        tokens = 0
        for number in range(done, done + updates):
            epoch, k = plans.locate(number)
            tokens += int(stream.lengths_in(plans.plan(epoch), k).sum())
        done += updates
        print("= ready" if line.strip() == "ready" else f"= {tokens / seconds}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:4])
