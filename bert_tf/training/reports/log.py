"""What a run notes while it works: metrics.jsonl, and the same as curves in TensorBoard."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bert_tf.training.board.event_files import forget_events
from bert_tf.training.board.places import BOARDS, KEPT, OLD_VALIDATION, TRAIN, VALIDATION
from bert_tf.training.board.scalars import Scalars

LOSS, OF_TRAINING = "validation_loss", "train_metrics"

Values = Mapping[str, float]


class Log:
    """metrics.jsonl and TensorBoard's curves of a run; writes nothing where `folder` is None (not the chief).

    Args:
        resumed_at, evaluated_at: what follows these steps is forgotten: a resumed run reports and evaluates it again.
            -1 forgets everything: the run starts from its beginning.
    """

    def __init__(self, folder: Path | None, *, resumed_at: int = -1, evaluated_at: int = -1) -> None:
        self.folder = folder
        self.scores: dict[int, dict[str, float | None]] = {}
        self.losses: dict[int, float | None] = {}
        if folder is None:
            return
        self.path = folder / "metrics.jsonl"
        self._forget_after({"train": resumed_at, "evaluation": evaluated_at})
        boards = folder / BOARDS
        forget_events(boards / TRAIN, resumed_at + 1, scores_step=evaluated_at + 1)
        for name in (VALIDATION, OLD_VALIDATION):
            forget_events(boards / name, evaluated_at + 1)
        shutil.rmtree(boards / KEPT, ignore_errors=True)  # it is written again
        self.training, self.validation = Scalars(boards / TRAIN), Scalars(boards / VALIDATION)

    def _forget_after(self, last: dict[str, int]) -> None:
        """Steps that a resumed run takes again would otherwise stand in the file twice."""
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        kept = []
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:  # cut off when the process was killed
                continue
            if event["step"] <= last[event["event"]]:
                kept.append(line)
                if event["event"] == "evaluation":
                    self.scores[event["step"]] = _scores(event)
                    self.losses[event["step"]] = event.get(LOSS)
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text("".join(f"{line}\n" for line in kept))
        temporary.replace(self.path)

    def report(self, step: int, values: Values) -> None:
        """What updates gave: a line, and a point a value; null and no point for what is not a number."""
        if self.folder is not None:
            known = _known(values)
            self._line({"event": "train", "step": step, **known})
            self.training.write(step, known)

    def evaluation(
        self, step: int, scores: Values, *, loss: float | None = None, of_training: Values | None = None
    ) -> None:
        """What an evaluation found, in the same way.

        Args:
            scores: the task's metrics.
            loss: of the validation set; None: not known.
            of_training: the metrics of the sample of training examples.
        """
        known, drawn = _known(scores), _known(of_training or {})
        losses = {} if loss is None else _known({LOSS: loss})
        self.scores[step], self.losses[step] = known, losses.get(LOSS)
        if self.folder is None:
            return
        more = losses | ({OF_TRAINING: drawn} if drawn else {})
        self._line({"event": "evaluation", "step": step, **known, **more})
        self.validation.write(step, {**known, **({"loss": losses[LOSS]} if losses else {})})
        if drawn:
            self.training.write(step, drawn)

    def _line(self, event: Mapping[str, Any]) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps(event) + "\n")

    def scores_at(self, step: int) -> dict[str, float | None]:
        """What the evaluation after `step` updates gave, in this process or before an interruption."""
        return self.scores.get(step, {})


def _known(values: Values) -> dict[str, float | None]:
    """None for what is not a number."""
    return {name: None if math.isnan(value) else value for name, value in values.items()}


def _scores(event: Mapping[str, Any]) -> dict[str, float | None]:
    return {name: value for name, value in event.items() if name not in ("event", "step", LOSS, OF_TRAINING)}
