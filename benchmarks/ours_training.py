"""This library's side of training_speed.py: the training loop's own pipeline, step and optimizer."""

from __future__ import annotations

import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from bert_tf.config import Layer, resolve
from bert_tf.data import Epochs, choose_layout
from bert_tf.kinds.definitions import load_task
from bert_tf.models.pretrained import config_of
from bert_tf.training.engine import make_engine
from bert_tf.training.optimizers.adamw import AdamW
from bert_tf.training.optimizers.schedule import Schedule
from bert_tf.training.step import TrainStep
from bert_tf.training.strategy import make_placement
from bert_tf.training.threads import parts_at_once, set_threads
from bert_tf.training.trained_model import TrainedModel


def main(data: str, backbone: str, dropout: float, precision: str) -> None:
    policy = "mixed_bfloat16" if precision == "bfloat16" else precision
    values = {
        "task": "sst2",
        "backbone": backbone,
        "model": {"hidden_dropout": dropout, "attention_dropout": dropout},
        "training": {"precision": policy},
    }
    hidden_dim = config_of(backbone).hidden_dim
    set_threads(None, hidden_dim, parts=parts_at_once(hidden_dim))
    config, kind = resolve([Layer(origin="benchmark", values=values)]), load_task("sst2")
    examples = kind.read(data, "train")
    features = kind.features(kind.build_tokenizer(backbone), examples)
    placement = make_placement("one_device")
    trained = TrainedModel(kind.build_model(config), {"train": features}, placement.strategy)
    epochs = Epochs.of(features.lengths, choose_layout(features.lengths, 32), seed=1)
    schedule = Schedule(peak=1e-5, total_steps=100_000, warmup_steps=100)
    with placement.strategy.scope():
        optimizer = AdamW(trained.trainable, schedule, weight_decay=0.0)
    step = TrainStep(trained.model, kind.per_example_loss, optimizer, clip_norm=1.0, at_once=parts_at_once(hidden_dim))
    run = make_engine(placement, step, trained.features["train"], epochs, start=0)
    done = 0
    for line in sys.stdin:
        if line.strip() == "ready":
            run(2)
            done += 2
            print("= ready", flush=True)
            continue
        updates = int(line)
        started = time.perf_counter()
        run(updates)
        seconds = time.perf_counter() - started
        count = 0
        for number in range(done, done + updates):
            epoch, k = epochs.locate(number)
            count += int(epochs.plan(epoch).examples[k])
        done += updates
        print(f"= {count / seconds}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4])
