"""What is done about a loss that is not a number, or has gone up for good."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

import numpy as np

from bert_tf.errors import UserError
from bert_tf.training.checkpoints.memory import Memory
from bert_tf.training.restoring import restore
from bert_tf.training.setup import Setup

LOG = logging.getLogger(__name__)
FIRST, IN_A_ROW, TIMES = 20, 20, 1000.0
"""So many updates in a row, each with a loss of more than so many times 1, and the highest of the run's first updates.

No sound run is there, not one whose examples have a loss without bounds either: batches are drawn by chance, so that of
examples that make every one of 20 batches so high some are in the first 20."""


class BlownUpError(Exception):
    """An update whose loss or gradient is not a number, or whose loss is as high as `check_level` says.

    Args:
        step: the update's number, from 1.
        said: what was found.
    """

    def __init__(self, step: int, said: str) -> None:
        super().__init__(said)
        self.step = step


def check_losses(memory: Memory, reports: dict[str, np.ndarray], done: int, *, scaled: bool) -> None:
    """Raises: BlownUpError. Args: those of `check_numbers` and `check_level`."""
    check_numbers(reports, done, scaled=scaled)
    check_level(memory, reports["loss"], done)


def check_numbers(reports: dict[str, np.ndarray], done: int, *, scaled: bool) -> None:
    """Raises: BlownUpError at the first update whose loss, or gradient unless a loss scale mends it, is not a number.

    Args:
        reports: of the updates after `done` of them, each value [updates].
        scaled: whether there is a loss scale.
    """
    bad = ~np.isfinite(reports["loss"])
    if not scaled:
        bad |= ~np.isfinite(reports["gradient_norm"])
    if bad.any():
        at = int(np.argmax(bad))
        raise BlownUpError(
            done + at + 1,
            f"step {done + at + 1}: the loss is {reports['loss'][at]} and the gradient's norm "
            f"{reports['gradient_norm'][at]}",
        )


def check_level(memory: Memory, losses: np.ndarray, done: int) -> None:
    """Raises: BlownUpError where the loss has been high for `IN_A_ROW` updates.

    Args:
        memory: has the losses of the first updates, and how many were high up to now; those of `losses` are noted.
        losses: [updates], of the updates after `done` of them, numbers all.
    """
    for step, loss in enumerate(losses, done + 1):
        if len(memory.first_losses) < FIRST:
            memory.first_losses.append(float(loss))
            continue
        begin = max(memory.first_losses)
        memory.high_losses = memory.high_losses + 1 if loss > TIMES * max(1.0, begin) else 0
        if memory.high_losses >= IN_A_ROW:
            raise BlownUpError(
                step,
                f"step {step}: the loss is {loss:g}, the {IN_A_ROW}th in a row of more than {TIMES:g} times the "
                f"highest at the beginning, {begin:g}",
            )


def roll_back(setup: Setup, run_folder: Path, error: BlownUpError) -> None:
    """Puts a run back to a checkpoint, with half the learning rate from there on.

    That is the newest; where the run has been there before and has come no further, the one before it.

    Raises: UserError where that was done as often as `training.rollbacks` allows, or there is no checkpoint.
    """
    checkpoints, most = setup.checkpoints, setup.config.training.rollbacks
    memory, steps = checkpoints.memory, checkpoints.steps()
    if not steps or len(memory.rollbacks) >= most:
        tried = f" for the {len(memory.rollbacks) + 1}. time" if memory.rollbacks else ""
        raise UserError(
            f"{error}; training has stopped{tried}. Last good checkpoint: {checkpoints.latest()}. "
            "A lower training.learning_rate, a longer warm-up or float32 usually helps"
        )
    again = bool(memory.rollbacks) and memory.rollbacks[-1]["to"] == steps[-1] and len(steps) > 1
    to = steps[-2] if again else steps[-1]
    times = len(memory.rollbacks) + 1
    said = (
        f"{error}: the run returns to the checkpoint of step {to}, with {0.5**times:g} times the learning rate from "
        f"there on ({times} of training.rollbacks={most})"
    )
    LOG.warning("%s", said)
    after = dataclasses.replace(
        memory, rollbacks=[*memory.rollbacks, {"at": error.step, "to": to}], warnings=[*memory.warnings, said]
    )
    restore(setup, run_folder, {}, newest=to, after=after)
    checkpoints.save(to)  # so that a process that is killed now remembers it
