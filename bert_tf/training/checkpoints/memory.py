"""What a run remembers that is no tensor: it stands in each checkpoint, so that nothing else is needed to resume."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kept:
    """The weights in model/.

    Args:
        step: of which update they are.
        metrics: what the evaluation after it found.
        validation_loss: the same; None: not known.
        files: of model/, path -> `bytes` and `sha256`, as `bert_tf.disk.whole.checksums` gives them.
    """

    step: int
    metrics: Mapping[str, float | None]
    validation_loss: float | None
    files: Mapping[str, Mapping[str, Any]]


@dataclasses.dataclass(kw_only=True)
class Memory:
    """What a run remembers besides weights, moments and where it is in the data.

    Args:
        history: what it began with, as `History.as_json` has it: its data, its schedules.
        window: what the updates since the last report gave, by name, so that the next report is the mean of all.
        kept: the weights in model/; None: there are none yet.
        head: what the result says of a head that was solved for.
        warnings: what went wrong and was mended, for the result.
        rollbacks: how often the loss was not a number or too high: `at` which update, and `to` which checkpoint the
            run went back; each has halved the learning rate.
        first_losses: of the run's first updates.
        high_losses: how many updates in a row have had one that is far above these.

    >>> Memory.from_json(Memory(window={"loss": [0.5]}).as_json()).window
    {'loss': [0.5]}
    """

    history: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    window: Mapping[str, list[float]] = dataclasses.field(default_factory=dict)
    kept: Kept | None = None
    head: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    warnings: list[str] = dataclasses.field(default_factory=list)
    rollbacks: list[dict[str, int]] = dataclasses.field(default_factory=list)
    first_losses: list[float] = dataclasses.field(default_factory=list)
    high_losses: int = 0

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Memory:
        """What a later version has noted besides is left aside."""
        known = _known(cls, values)
        kept = known.pop("kept", None)
        return cls(**known, kept=None if kept is None else Kept(**_known(Kept, kept)))


def _known(part: type[Memory] | type[Kept], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of its fields."""
    return {field.name: values[field.name] for field in dataclasses.fields(part) if field.name in values}
