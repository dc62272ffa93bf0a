"""From a run's settings to what the loop works with: what is frozen, the schedule, and where to stop on the way."""

from __future__ import annotations

import math
from typing import Any

from bert_tf.config import TrainingConfig
from bert_tf.data import BatchPlans
from bert_tf.errors import UserError
from bert_tf.models.frozen import freeze
from bert_tf.training.optimizers.schedule import Schedule


def freeze_as_asked(model: Any, options: TrainingConfig) -> None:
    """Raises: UserError for more blocks than there are, or if nothing is left to train."""
    blocks = model.config.num_layers
    if options.frozen_blocks > blocks:
        raise UserError(
            f"training.frozen_blocks must be at most {blocks}, the model's number of blocks. "
            f"Received: {options.frozen_blocks}"
        )
    freeze(model, embeddings=options.freeze_embeddings, blocks=options.frozen_blocks)
    if not model.trainable_variables:
        raise UserError(
            "training.freeze_embeddings and training.frozen_blocks leave nothing to train. Received: "
            f"{str(options.freeze_embeddings).lower()} and {options.frozen_blocks}"
        )


def schedule_as_asked(options: TrainingConfig, total_steps: int) -> Schedule:
    steps = options.warmup_steps
    if steps is None:
        steps = math.ceil(options.warmup_share * total_steps)
    return Schedule(
        peak=options.learning_rate,
        total_steps=total_steps,
        warmup_steps=min(steps, total_steps),
        shape=options.schedule,
    )


def stops_as_asked(options: TrainingConfig, epochs: BatchPlans, total_steps: int) -> tuple[set[int], set[int]]:
    """The steps after which to evaluate, and those after which to write a checkpoint; both hold the last one."""
    if options.evaluate_every_steps:
        evaluations = set(range(options.evaluate_every_steps, total_steps, options.evaluate_every_steps))
    else:
        evaluations, epoch = set(), 1
        while (step := epochs.number_of_batches(epoch)) < total_steps:
            evaluations.add(step)
            epoch += 1
    saves = evaluations
    if options.checkpoint_every_steps:
        saves = set(range(options.checkpoint_every_steps, total_steps, options.checkpoint_every_steps))
    return evaluations | {total_steps}, saves | {total_steps}
