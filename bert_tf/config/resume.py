"""What may differ when a run is resumed: a table of keys, and what is said about each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bert_tf.config.run import RunConfig, differences, read_config
from bert_tf.errors import UserError

Kind = Literal["observation", "machine", "length", "data"]


@dataclass(frozen=True)
class Rule:
    """Why a key may differ, and what that means for the run.

    Args:
        kind: "observation": when the run is scored and saved; "machine": how the same numbers are worked out;
            "length": how long it is; "data": where its examples lie, which must be the same ones.
        effect: what is said.
    """

    kind: Kind
    effect: str


NEW_LENGTH = "from here on the learning rate is that of the schedule at its new length"
SAME_DATA = "the examples are compared with those that the run began with"
RESUMABLE: Mapping[str, Rule] = {
    "evaluation.batch_examples": Rule("observation", "scores do not depend on it"),
    "evaluation.train_examples": Rule("observation", "from here on"),
    "evaluation.diagnosed_examples": Rule("observation", "when training is over"),
    "training.profile_steps": Rule("observation", "from here on"),
    "evaluation.report": Rule("observation", "from here on"),
    "training.evaluate_first": Rule("observation", "only asked before the first update"),
    "training.evaluate_every_steps": Rule("observation", "from here on"),
    "training.checkpoint_every_steps": Rule("observation", "from here on"),
    "training.rollbacks": Rule("observation", "counts those before, too"),
    "training.early_stopping_patience": Rule("length", "counts the evaluations before, too"),
    "training.epochs": Rule("length", NEW_LENGTH),
    "training.max_steps": Rule("length", NEW_LENGTH),
    "training.steps_per_call": Rule("machine", "the updates are the same"),
    "training.threads_per_operation": Rule("machine", "the updates are the same but for rounding"),
    "training.deterministic": Rule("machine", "from here on"),
    "model.recompute": Rule("machine", "the updates are the same but for rounding"),
    "pretraining.cache": Rule("machine", "what is in it is made again where it is missing"),
    "data.cache": Rule("machine", "what is in it is made again where it is missing"),
    "data.store": Rule("data", SAME_DATA),
    "data.source": Rule("data", SAME_DATA),
    "data.skip_bad_rows": Rule("data", SAME_DATA),
    "pretraining.validation": Rule("data", SAME_DATA),
}
"""Keys that may differ on resume. Every other key has a part in the updates, or in which weights are kept."""


@dataclass(frozen=True)
class Change:
    """One key that differs.

    Args:
        key: the key.
        there: its value in the run.
        asked: its value now.
        rule: why it may differ; None: it may not.
    """

    key: str
    there: Any
    asked: Any
    rule: Rule | None

    def __str__(self) -> str:
        return f"{self.key}: there {self.there!r}, asked {self.asked!r}"


def changes(found: RunConfig, asked: RunConfig) -> list[Change]:
    """How a run that is asked for differs from the one that is there."""
    return [
        Change(key, there, wanted, RESUMABLE.get(key)) for key, (there, wanted) in differences(found, asked).items()
    ]


def is_begun(run_folder: Path) -> bool:
    """Whether there is something that another run would spoil; a config.toml alone is not."""
    checkpoints = run_folder / "checkpoints"
    begun = (run_folder / "result.json").exists() or (run_folder / "model").exists()
    return begun or (checkpoints.is_dir() and any(checkpoints.iterdir()))


def resumable_changes(asked: RunConfig, run_folder: Path) -> list[Change]:
    """How a run that is asked for differs from the one in the folder. Raises: UserError where it may not."""
    differing = changes(read_config(run_folder / "config.toml"), asked)
    refused = [change for change in differing if change.rule is None]
    if not (run_folder / "began.json").is_file():  # of an earlier version: its examples cannot be compared
        refused += [change for change in differing if change.rule and change.rule.kind == "data"]
    if refused:
        raise UserError(
            f"--run={run_folder} holds a run with other settings ({'; '.join(map(str, refused))}). Give a fresh --run, "
            "or the same settings"
        )
    return differing
