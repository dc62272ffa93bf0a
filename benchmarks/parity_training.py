"""The same updates as PyTorch and Transformers take them: settings, batches, and this library's side.

torch_side.py's `train` is the other one. Dropout is off, as no two libraries draw the same masks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.parity_inputs import packed_inputs, padded_inputs
from bert_tf.models import weights_by_path
from bert_tf.training.optimizers.adamw import AdamW
from bert_tf.training.optimizers.schedule import Schedule
from bert_tf.training.step import TrainStep

SETTINGS = {"peak": 1e-4, "total_steps": 60, "warmup_steps": 6, "weight_decay": 0.01, "clip_norm": 1.0}
"""What both sides are given; `make_golden_tiny.py` and its test have their own."""


def deal(number: int, batches: int, size: int, *, seed: int = 0) -> list[list[int]]:
    """`batches` random choices of `size` out of `number` examples."""
    rng = np.random.default_rng(seed)
    return [rng.permutation(number)[:size].tolist() for _ in range(batches)]


def train(
    model: Any,
    ids: Sequence[list[int]],
    labels: Sequence[int],
    batches: Sequence[Sequence[int]],
    settings: Mapping[str, float],
    *,
    pack_length: int | None = None,
) -> dict[str, np.ndarray]:
    """Trains a classifier in the loop's own step, on padded batches or, with `pack_length`, on packed rows.

    Returns: float32 [U] each: the losses, the norms of the gradients and the learning rates of the U updates.
    """
    variables = {path: variable.value for path, variable in weights_by_path(model).items()}
    schedule = Schedule(
        peak=settings["peak"], total_steps=int(settings["total_steps"]), warmup_steps=int(settings["warmup_steps"])
    )
    optimizer = AdamW(variables, schedule, weight_decay=settings["weight_decay"])
    step = TrainStep(model, _loss, optimizer, clip_norm=settings["clip_norm"])
    run = tf.function(lambda batch: step(batch), reduce_retracing=True)
    results = []
    for examples in batches:
        rows, wanted = [ids[e] for e in examples], np.asarray([labels[e] for e in examples], np.int32)
        batch = padded_inputs(rows) if pack_length is None else {}
        weight = np.ones(len(rows), np.float32)
        if pack_length is not None:
            batch, places = packed_inputs(rows, pack_length)
            slots = batch["first_positions"].shape
            packed, weight = np.zeros(slots, np.int32), np.zeros(slots, np.float32)
            for label, (row, _, slot) in zip(wanted, places, strict=True):
                packed[row, slot], weight[row, slot] = label, 1.0
            wanted = packed
        batch = batch | {"labels": wanted, "example_weight": weight, "loss_divisor": np.float32(len(rows))}
        results.append(run({name: tf.constant(value) for name, value in batch.items()}))
    names = {"loss": "loss", "norm": "gradient_norm", "rate": "learning_rate"}
    return {name: np.asarray([float(result[key]) for result in results]) for name, key in names.items()}


def _loss(outputs: Any, batch: Mapping[str, Any]) -> Any:
    return tf.nn.sparse_softmax_cross_entropy_with_logits(batch["labels"], outputs)
