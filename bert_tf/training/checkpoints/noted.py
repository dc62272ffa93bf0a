"""The types of what stands in a checkpoint's about.json and in began.json, whoever wrote them."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from bert_tf.guard import Checked

Number = Annotated[int, Field(ge=-(2**62), lt=2**62)]


def _inside(name: str) -> str:
    """Raises: ValueError for a name that leads out of its folder."""
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        raise ValueError("the name of a file in its folder")
    return name


class OfFile(Checked):
    """How a file was written."""

    bytes: Annotated[int, Field(ge=0)]
    sha256: str


Files = dict[Annotated[str, AfterValidator(_inside)], OfFile]


class Kept(Checked):
    """The weights in model/."""

    step: Number
    metrics: dict[str, float | None]
    validation_loss: float | None
    files: Files


class Schedule(Checked):
    """The fields of a learning rate's schedule."""

    model_config = ConfigDict(extra="forbid")
    peak: float
    total_steps: Annotated[Number, Field(ge=1)]
    warmup_steps: Annotated[Number, Field(ge=0)] = 0
    shape: Literal["linear", "cosine", "constant"] = "linear"

    @model_validator(mode="after")
    def _check(self) -> Schedule:
        if self.warmup_steps > self.total_steps:
            raise ValueError("a schedule whose warm-up is a part of it")
        return self


class OfSplit(Checked):
    """How many examples a split has, and digests of them."""

    examples: Number
    digest: str
    texts: str | None = None


class History(Checked):
    """What a run began with."""

    examples: dict[str, OfSplit]
    planned_steps: float
    schedules: list[Annotated[tuple[Number, Schedule], Field(strict=False)]]


class Nothing(Checked):
    """What a run has noted that has not begun."""

    model_config = ConfigDict(extra="forbid")


class Rollback(Checked):
    """One return to a checkpoint."""

    at: Number
    to: Number


class Memory(Checked):
    """What a run remembers that is no tensor."""

    history: History | Nothing = Nothing()
    window: dict[str, list[float]] = Field(default_factory=dict)
    kept: Kept | None = None
    head: dict[str, Any] = Field(default_factory=dict)
    warnings: list[str] = Field(default_factory=list)
    rollbacks: list[Rollback] = Field(default_factory=list)
    first_losses: list[float] = Field(default_factory=list)
    high_losses: Number = 0


class State(Checked):
    """Numbers of a run's state."""

    best_score: float | None = None
    best_step: Number = 0
    evaluated_step: Number = 0
    evaluations_since_best: Number = 0


class About(Checked):
    """All of about.json but its own checksum."""

    files: Files
    state: State
    memory: Memory
