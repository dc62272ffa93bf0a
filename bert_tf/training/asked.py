"""From a run's settings to what the loop works with: what is frozen, the schedule, and where to stop on the way."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bert_tf.config import RunConfig, TrainingConfig
from bert_tf.data import BatchPlans
from bert_tf.errors import UserError
from bert_tf.models.frozen import freezable, freeze
from bert_tf.models.pretrained.paths import weights_by_path
from bert_tf.training.optimizers.schedule import Schedule
from bert_tf.training.reports.too_short import no_better_than_a_guess, too_few_updates

if TYPE_CHECKING:
    from bert_tf.kinds.base import Kind
    from bert_tf.kinds.examples import Examples
    from bert_tf.training.trained_model import TrainedModel


def freeze_as_asked(model: Any, options: TrainingConfig) -> None:
    """Raises: UserError for more blocks than there are, for some of those that share their weights, or if nothing is
    left to train."""
    choices = freezable(model.config)
    if options.frozen_blocks > choices[-1]:
        raise UserError(
            f"training.frozen_blocks must be at most {choices[-1]}, the model's number of blocks. "
            f"Received: {options.frozen_blocks}"
        )
    if options.frozen_blocks not in choices:
        raise UserError(
            f"training.frozen_blocks must be one of {', '.join(map(str, choices))}, as blocks share their weights. "
            f"Received: {options.frozen_blocks}"
        )
    freeze(model, embeddings=options.freeze_embeddings, blocks=options.frozen_blocks)
    if not model.trainable_variables:
        raise UserError(
            "training.freeze_embeddings and training.frozen_blocks leave nothing to train. Received: "
            f"{str(options.freeze_embeddings).lower()} and {options.frozen_blocks}"
        )


def standardize_as_asked(kind: Kind, trained: TrainedModel, examples: Examples, *, head_is_new: bool) -> None:
    """Has the model learn numbers in standard deviations from their mean; its answers stay in their own units.

    Args:
        examples: those that it is trained on.
        head_is_new: whether the head has random weights, which then begin at the mean; another's answers stay.
    Raises: UserError for a task without numbers.
    """
    center, deviation = kind.numbers_in(examples)
    for model in {id(each): each for each in (trained.model, trained.precise)}.values():
        model.answer_in(center, deviation)
        if not head_is_new:
            variables = weights_by_path(model)
            values = {path: np.array(variable, np.float32) for path, variable in variables.items()}
            for path, value in model.as_trained(values).items():
                variables[path].assign(value)


def solve_head_as_asked(kind: Kind, trained: TrainedModel, examples: Examples, config: RunConfig) -> dict[str, Any]:
    """Gives the model the head that its kind finds for the backbone as it is, where the run wants one.

    Returns: what is to stand in the result: how it was solved for, and in how many seconds.
    Raises: UserError for a kind without such a head.
    """
    if config.training.mode == "fine_tune":
        return {}
    began = time.perf_counter()
    found, said = kind.solved_head(trained.precise, trained.features["train"], examples, config)
    for model in (trained.model, trained.precise):
        variables = weights_by_path(model)
        for path, value in model.as_trained(found).items():
            variables[path].assign(value)
    return {"head": said, "head_seconds": time.perf_counter() - began}


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


def updates_as_planned(options: TrainingConfig, examples: Examples, total_steps: int) -> list[str]:
    """What is to be said where the settings were found for these examples, which gave about so many updates, and the
    texts' lengths have made them others.

    Args:
        examples: of the training set.
        total_steps: updates of the whole run, as planned.
    Returns: a line, or none.
    """
    if options.max_steps is not None or options.meant_for_examples != len(examples):
        return []
    passed = options.epochs * len(examples)
    if total_steps == math.ceil(passed / options.batch_examples):
        return []
    mean = passed / total_steps
    return [f"{total_steps:,} updates, of {mean:.3g} examples on average, as texts of these lengths fill the batches"]


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


def too_short(kind: Kind, examples: Examples, result: Mapping[str, Any]) -> list[str]:
    """Why a run may not have learnt what it could, a line each; none for most runs.

    Args:
        kind: the task.
        examples: those that the run is scored on.
        result: what stands in its result.json; a head that was solved for took no updates.
    """
    name, solved = kind.main_metric, "head" in result
    score, guess = result["metrics"].get(name), kind.score_of_a_guess(examples)
    return [
        *(too_few_updates(result["steps"], kind.needs.updates) if kind.needs and not solved else ()),
        *no_better_than_a_guess(name, score, guess, greater_is_better=kind.greater_is_better),
    ]
