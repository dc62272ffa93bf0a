"""A run's settings in TensorBoard: as text, and as the HParams tab compares them between runs."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams
from tensorboard.plugins.hparams import summary

from bert_tf.config import RunConfig, keys_and_meanings, to_toml
from bert_tf.config.resume import RESUMABLE
from bert_tf.config.run import flat
from bert_tf.training.board.markdown import table

ALWAYS = (
    *("task", "backbone", "seed"),
    *("training.learning_rate", "training.epochs", "training.batch_examples"),
)
"""What is compared in any case; other settings where they are not the defaults."""
SUCCESS = 1  # STATUS_SUCCESS of the plugin's api.proto

Value = bool | int | float | str


def compared(config: RunConfig) -> dict[str, Value]:
    """The settings by which runs are told apart: those of ALWAYS, and all that differ from the defaults and have a part
    in the updates.

    >>> found = compared(RunConfig(task="tasks/sst2.py", seed=3, training={"clip_norm": None}))
    >>> found["task"], found["seed"], found["training.clip_norm"], "training.precision" in found
    ('sst2', 3, 'none', False)
    """
    asked, usual = flat(config), {key: default for key, (default, _) in keys_and_meanings().items()}
    found = {key: asked[key] for key in ALWAYS}
    of_watching = {key for key, rule in RESUMABLE.items() if rule.kind in ("observation", "machine", "data")}
    found |= {
        key: value
        for key, value in asked.items()
        if key not in found and key not in of_watching and value != usual[key]
    }
    found["task"] = Path(config.task).stem
    return {key: _plain(value) for key, value in found.items()}


def write_settings(config: RunConfig, run_folder: Path) -> None:
    """The configuration as text, and the beginning of a session of HParams, into the writer that is the default one.

    HParams finds the metrics of a session among its run's scalars, whichever folder of runs TensorBoard is started on.
    """
    values = compared(config)
    tf.summary.text(
        "configuration",
        f"The settings that were chosen, of all those in config.toml:\n\n{table(['setting', 'value'], values.items())}"
        f"\n\nAll of them:\n\n```\n{to_toml(config).replace('```', '')}\n```",
        step=0,
        description="What the run was started with: `config.toml` in its folder.",
    )
    parent, name = run_folder.resolve().parts[-2:]
    hparams.hparams(values, trial_id=f"{parent}/{name}")


def end_session() -> None:
    """Says that the session of HParams ended well."""
    done = summary.session_end_pb(SUCCESS)
    tf.summary.experimental.write_raw_pb(done.SerializeToString(), step=0)


def _plain(value: object) -> Value:
    if value is None:
        return "none"
    return value if isinstance(value, bool | int | float | str) else str(value)
