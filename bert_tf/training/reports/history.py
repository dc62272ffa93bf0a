"""What a run began with, kept in its folder, so that resuming it can be held to the same data and batches."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bert_tf.data import Features, Stream
from bert_tf.data.batching.blocks import blocks
from bert_tf.disk.whole import write_whole
from bert_tf.errors import UserError
from bert_tf.guard import read_object, typed
from bert_tf.training.checkpoints import noted
from bert_tf.training.optimizers.schedule import Schedule

FILE = "began.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class History:
    """What a run began with, and the schedules it has had.

    Args:
        examples: split -> number of examples and a digest of them as the model gets them.
        planned_steps: how many updates batches were planned for; which way of batching is fastest depends on it.
        schedules: each with the number of its first update; the last one is in force.
    """

    examples: Mapping[str, Mapping[str, Any]]
    planned_steps: float
    schedules: tuple[tuple[int, Schedule], ...] = ()

    @classmethod
    def read(cls, run_folder: Path) -> History | None:
        """None: nothing is noted there. Raises: UserError for a file that is damaged."""
        path = run_folder / FILE
        if not path.is_file():
            return None
        try:
            found = read_object(path)
            typed(noted.History, found, path)
        except (OSError, UserError) as error:
            came = str(error).removeprefix(f"{path}: ")
            raise UserError(
                f"{path}: expected what the run began with, as it was written. Received: {came}. Give a fresh --run"
            ) from None
        return cls.from_json(found)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> History:
        """What `as_json` gave."""
        schedules = tuple((first, Schedule(**fields)) for first, fields in values["schedules"])
        return cls(examples=values["examples"], planned_steps=values["planned_steps"], schedules=schedules)

    def as_json(self) -> dict[str, Any]:
        """As it stands in the run folder, and in each checkpoint."""
        return {
            "examples": self.examples,
            "planned_steps": self.planned_steps,
            "schedules": [[first, dataclasses.asdict(schedule)] for first, schedule in self.schedules],
        }

    def write(self, run_folder: Path) -> None:
        """Whole or not at all."""
        write_whole(run_folder / FILE, json.dumps(self.as_json(), indent=2) + "\n")

    def with_schedule(self, done: int, schedule: Schedule) -> History:
        """The same, with a schedule in force from update `done` on, if it is another one."""
        earlier = tuple((first, other) for first, other in self.schedules if first < done or first == 0)
        if earlier and earlier[-1][1] == schedule:
            return dataclasses.replace(self, schedules=earlier)
        earlier = tuple((first, other) for first, other in earlier if first < done)
        return dataclasses.replace(self, schedules=(*earlier, (done, schedule)))


def described(features: Features | Stream) -> dict[str, Any]:
    """The number of examples, and digests of all that a model gets of them and of their tokens alone; of streams, of a
    sample of batches.
    """
    digest, texts = hashlib.sha256(), hashlib.sha256()
    if isinstance(features, Features):
        for field in dataclasses.fields(features):
            if field.name not in features.unseen:
                _add(digest, field.name, getattr(features, field.name))
        for name in ("token_ids", "segment_ids", "splits"):
            _add(texts, name, getattr(features, name))
        return {"examples": len(features), "digest": digest.hexdigest(), "texts": texts.hexdigest()}
    plan = features.epochs(8, batching="packed", divisor=1, pack_length=None, seed=0).plan(0)
    for k in np.unique(np.linspace(0, plan.number_of_batches - 1, num=16).astype(int)):
        _add(digest, str(k), features.batch(plan, int(k)))
    return {"examples": len(features), "digest": digest.hexdigest()}


def check_same_examples(began: History, found: Mapping[str, Mapping[str, Any]], data: str) -> None:
    """Raises: UserError if a split is not what the run began with."""
    for split, now in found.items():
        there = began.examples.get(split, {"examples": 0})
        if any(there.get(name) != now[name] for name in ("examples", "digest")):
            how = ", others"
            if there["examples"] != now["examples"]:
                how = ""
            elif "texts" in now and there.get("texts") == now["texts"]:
                how = ", with other labels"
            raise UserError(
                f"{data}: the split {split} is not what this run began with: {there['examples']} examples there, "
                f"{now['examples']} here{how}. Give a fresh --run, or the same data"
            )


def _add(digest: Any, name: str, value: Any) -> None:
    digest.update(name.encode())
    if isinstance(value, Mapping):
        for key, item in sorted(value.items()):
            _add(digest, f"{name}/{key}", item)
    elif value is not None:
        array = np.asarray(value)
        digest.update(f"{array.dtype}{array.shape}".encode())
        for block in blocks(array) if array.ndim else (array,):
            digest.update(np.ascontiguousarray(block).tobytes())
