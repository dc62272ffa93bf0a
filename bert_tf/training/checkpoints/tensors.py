"""Checkpoints of a run: everything that the next update depends on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from bert_tf.errors import UserError
from bert_tf.training.checkpoints.folder import CheckpointFolder, DamageError, Found
from bert_tf.training.checkpoints.memory import Memory
from bert_tf.training.checkpoints.state import State
from bert_tf.training.optimizers.adamw import AdamW

LAST = 2
"""How many of the newest are kept, and besides them that of the weights in model/."""
MISFITS = (tf.errors.OpError, AssertionError, ValueError, IndexError, KeyError)
"""What TensorFlow raises for files that it cannot read, or that are of other variables."""


class Checkpoints:
    """`checkpoints/` of a run folder. Each is written whole or not at all.

    Args:
        folder: where they lie.
        weights: the model's variables.
        optimizer, state: the rest; `extra` holds further trackables by name, such as a loss scale.
        writes: False on workers that are not the chief.

    Attributes:
        memory: what goes into the next checkpoint besides tensors, and what was in the restored one.
        damaged: what was wrong with newer ones than the one that was restored, a line each.
    """

    def __init__(
        self,
        folder: Path,
        weights: Sequence[tf.Variable],
        optimizer: AdamW,
        state: State,
        *,
        extra: dict[str, Any] | None = None,
        writes: bool = True,
    ) -> None:
        self.folder, self.state, self.writes = CheckpointFolder(folder), state, writes
        self.parts: dict[str, Any] = {
            "weights": list(weights),
            "step": optimizer.step,
            "first": optimizer.first,
            "second": optimizer.second,
            "state": state,
            **(extra or {}),
        }
        self.checkpoint = tf.train.Checkpoint(**self.parts)
        self.memory = Memory()
        self.damaged: list[str] = []
        self.current: int | None = None  # the checkpoint with the weights as they are
        self.last: int | None = None  # the newest that was restored or written here

    def restore(self, newest: int | None = None) -> bool:
        """Resumes from the newest checkpoint that is whole. Returns: whether there was one.

        Args:
            newest: later steps are left aside.
        Raises: UserError if there are some and none can be used.
        """
        self.damaged, misfit = [], ""
        steps = self.folder.steps()
        for step in reversed([step for step in steps if newest is None or step <= newest]):
            try:
                found = self.folder.whole(step)
            except DamageError as error:
                self.damaged.append(str(error))
                continue
            try:
                self._read(found)
            except MISFITS as error:
                said = f"{self.folder.path / f'ckpt-{step}'}: {(str(error) or type(error).__name__).splitlines()[0]}"
                misfit = said if found.memory is not None else ""
                self.damaged.append(said)
            else:
                self.memory, self.last = found.memory or Memory(), step
                return True
        if misfit:
            raise UserError(
                f"the checkpoints of this run are whole, and of another model than is asked for now ({misfit}). Give a "
                "fresh --run, or the settings, backbone and version that the run began with"
            )
        if self.damaged:
            raise UserError(
                f"no checkpoint of this run can be read ({self.damaged[0]}). Give another --run folder, or delete "
                f"{self.folder.path} to start again"
            )
        return False

    def read(self, step: int) -> bool:
        """Puts the tensors of a checkpoint in place, not what is remembered. Returns: whether there is a whole one."""
        try:
            self._read(self.folder.whole(step))
        except (DamageError, *MISFITS):
            return False
        return True

    def save(self, step: int) -> None:
        """Writes the checkpoint of `step` updates, if this worker is the one that writes.

        Of the step of the last one only what is remembered is written: its weights are the same.
        """
        if not self.writes:
            return
        noted, memory = self.state.of_evaluations, self.memory.as_json()
        if self.current == step:
            self.folder.amend(step, noted, memory)
        else:
            with self.folder.written(step, noted, memory) as prefix:
                self.checkpoint.write(str(prefix))
            self.current = self.last = step
        kept = () if self.memory.kept is None else (self.memory.kept.step,)
        self.folder.keep({*self.steps()[-LAST:], *kept})

    def steps(self) -> list[int]:
        """The steps of the checkpoints up to the last one that was restored or written, rising."""
        return [step for step in self.folder.steps() if self.last is not None and step <= self.last]

    def latest_step(self) -> int | None:
        """The number of updates of the newest checkpoint, or None."""
        return self.last

    def latest(self) -> str:
        """The newest checkpoint's path, or "none"."""
        return "none" if self.last is None else str(self.folder.path / f"ckpt-{self.last}")

    def _read(self, found: Found) -> None:
        """Raises: one of MISFITS where its variables are not those of the run."""
        self.current = None
        if found.memory is None:  # an earlier version's, which counted how often it had written
            tf.train.Checkpoint(**self.parts).restore(str(found.prefix)).assert_consumed()
        else:
            self.checkpoint.read(str(found.prefix)).assert_consumed()
            self.state.assign(found.state)
            self.current = found.step
