"""What a run notes while it works: metrics.jsonl, and the same as curves in TensorBoard."""

from __future__ import annotations

import json
import logging
import math
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from bert_tf.errors import UserError
from bert_tf.guard import Checked, parse_json, read_bytes, typed
from bert_tf.training.board.event_files import forget_events
from bert_tf.training.board.places import BOARDS, KEPT, OLD_VALIDATION, TRAIN, VALIDATION
from bert_tf.training.board.scalars import Scalars

LOSS, OF_TRAINING = "validation_loss", "train_metrics"
LOG = logging.getLogger(__name__)

Values = Mapping[str, float]


class Event(Checked):
    """A line of metrics.jsonl, with its other values as `values`."""

    event: Literal["train", "evaluation"]
    step: Annotated[int, Field(ge=0)]
    train_metrics: dict[str, float | None] | None = None
    values: dict[str, float | None]


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
        kept = []
        for line, event in _events(self.path):
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


def _events(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The lines that are events, with these; the last one may be cut off, as the process was killed."""
    lines = read_bytes(path).decode(errors="replace").splitlines() if path.exists() else []
    for number, line in enumerate(lines, 1):
        where = f"{path}, line {number}"
        try:
            event = parse_json(line, where)
            is_object = isinstance(event, dict)
            values = {name: event[name] for name in event if name not in Event.model_fields} if is_object else {}
            typed(Event, {**event, "values": values} if is_object else event, where)
        except UserError as error:
            if number < len(lines):
                LOG.warning("%s: it is left out", error)
        else:
            yield line, event


def _known(values: Values) -> dict[str, float | None]:
    """None for what is not a number."""
    return {name: None if math.isnan(value) else value for name, value in values.items()}


def _scores(event: Mapping[str, Any]) -> dict[str, float | None]:
    return {name: value for name, value in event.items() if name not in ("event", "step", LOSS, OF_TRAINING)}
