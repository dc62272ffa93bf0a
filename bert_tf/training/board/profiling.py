"""A profile of some updates, by TensorFlow's profiler, for TensorBoard's plugin of that name."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

from bert_tf.training.board.places import BOARDS, TRAIN


class Profiler:
    """Records the updates that `training.profile_steps` names; does nothing where it names none.

    Args:
        asked: "10..15", the first and the last update; None: none.
        run_folder: the run; None: nothing is recorded (not the chief).
    """

    def __init__(self, asked: str | None, run_folder: Path | None) -> None:
        self.folder = run_folder and run_folder / BOARDS / TRAIN
        self.first, self.last = (0, 0) if asked is None else (int(part) for part in asked.split(".."))
        self.is_on = False

    @property
    def stops(self) -> set[int]:
        """Updates after which a call of the compiled function must end."""
        return {self.first - 1, self.last} if self.last else set()

    def before(self, done: int) -> None:
        """Before the updates that follow the first `done` ones."""
        if self.folder is not None and self.last and done == self.first - 1:
            tf.profiler.experimental.start(str(self.folder))
            self.is_on = True

    def after(self, done: int) -> None:
        """After `done` updates."""
        if done >= self.last:
            self.close()

    def close(self) -> None:
        """Writes what was recorded."""
        if self.is_on:
            tf.profiler.experimental.stop()
            self.is_on = False
