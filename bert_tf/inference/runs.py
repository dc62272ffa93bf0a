"""A run folder, opened: its settings, and its task as it was when the run was made."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bert_tf.config import RunConfig, read_config, to_toml
from bert_tf.data.files.hubs import is_hub
from bert_tf.errors import UserError
from bert_tf.guard import held, read_json
from bert_tf.kinds.definitions import load_task, recorded_task
from bert_tf.lookup import names

if TYPE_CHECKING:
    from bert_tf.kinds.base import Kind

TASK, SETTINGS = "task.json", "config.toml"


class OpenRun(NamedTuple):
    """What a run folder says of its run."""

    config: RunConfig
    kind: Kind


def task_file(kind: Kind) -> dict[str, str]:
    """What a run folder keeps of its task, so that the run needs the task's file no longer.

    Returns: the file's name -> its text; nothing for a kind of your own.
    """
    from bert_tf.kinds.description import describe

    described = describe(kind)
    return {} if described is None else {TASK: json.dumps(described, ensure_ascii=False, indent=2) + "\n"}


def settings_file(config: RunConfig) -> dict[str, str]:
    """What a run folder keeps of the resolved settings: the file's name -> its text."""
    return {SETTINGS: to_toml(config)}


def open_run(
    run_folder: Path, *, task: str | None = None, needs_data: bool = False, data: str | None = None
) -> OpenRun:
    """Opens a run that has saved a model.

    The task is read from the run folder, as data; a Python file that the folder names is never run. Where the folder
    does not say enough (an older run, a task of a kind of your own, or, with `needs_data`, one whose examples stand in
    its file) the caller has to name that file as `task`. What a description cannot hold besides, a task of this
    library gets from the library. The task is in the run's language, and reads long texts as the run does.

    Args:
        task: a name in tasks/, or your own file, which is run: the task in place of the run's own record of it.
        needs_data: whether the task's examples are to be read.
        data: where they are, as somebody said; None: as the folder says, which may name files, but no hub to ask.
    Raises: UserError naming what is missing.
    """
    config = read_run(run_folder)
    kind = _task(run_folder, config, needs_data=needs_data) if task is None else load_task(task)
    asked = (config.data.language, config.data.long_texts, config.data.window_overlap, config.data.max_windows)
    if asked != (None,) * len(asked):
        with held(run_folder / SETTINGS, "settings of [data] that the task has"):
            kind = kind.configured(config)
    hub = config.data.source if is_hub(config.data.source) else None if task is not None else kind.source.hub
    if needs_data and data is None and hub is not None:
        raise UserError(
            f"{run_folder}: its examples are at a hub, and none is asked because a folder names it: add --data={hub}"
        )
    return OpenRun(config, kind)


def read_run(folder: Path) -> RunConfig:
    """The settings of a run folder that has a saved model. Raises: UserError naming what is missing."""
    if not folder.is_dir():
        raise UserError(f"--run={folder}: expected a run folder. Received: no such folder")
    if not (folder / "config.toml").is_file():
        raise UserError(
            f"--run={folder}: expected a run folder, which has a config.toml. Received: a folder without one"
        )
    config = read_config(folder / "config.toml")
    if not (folder / "model").is_dir():
        raise UserError(
            f"--run={folder}: expected a run that has saved a model. Received: no {folder / 'model'} yet; "
            f"train it with python -m bert_tf.train {how_to_train(config, folder)} --run={folder}"
        )
    return config


def model_of(run_folder: Path, name: str | None) -> Path:
    """What answers for a run: the run folder itself, or an exported model that is called so there, or anywhere.

    Args:
        name: a file or folder, where the command runs or in the run folder; None: the run's own model.
    Raises: UserError if there is none.
    """
    if name is None:
        return run_folder
    places = (Path(name).expanduser(), run_folder / name)
    found = next((place for place in places if place.exists()), None)
    if found is None:
        raise UserError(
            f"--model={name}: expected an exported model, a file or a folder, here or in {run_folder}. Received: none; "
            f"make one with python -m bert_tf.export --run={run_folder} --format=tflite --quantize=int8 "
            f"--set length=dynamic batch=any --out={run_folder / 'int8'}"
        )
    return found


def how_to_train(config: RunConfig, folder: Path) -> str:
    """The flag that names a run's task, or its settings where the task is made of somebody's own data."""
    return f"--task={config.task}" if config.own_data.kind is None else f"--config={folder / SETTINGS}"


def _task(run_folder: Path, config: RunConfig, *, needs_data: bool) -> Kind:
    """The task as the run folder describes it, or as this library has it."""
    from bert_tf.kinds.description import read_description

    path = run_folder / TASK
    try:
        described = read_json(path)
    except FileNotFoundError:
        return recorded_task(config.task, str(run_folder), "the run's folder does not hold its task")
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    kind, left_out = read_description(described, str(path))
    if left_out and config.task in names("tasks"):
        shipped = load_task(config.task)
        if type(shipped) is type(kind):
            kept = {name: getattr(shipped, name) for name in left_out if hasattr(shipped, name)}
            return dataclasses.replace(kind, **kept)
    if "source" in left_out and config.own_data.kind is not None:
        from bert_tf.kinds.own_data.run import own_source

        kind = dataclasses.replace(kind, source=own_source(config.own_data))
    elif needs_data and "source" in left_out:
        own = recorded_task(config.task, str(run_folder), "the task's examples stand in its file alone")
        kind = dataclasses.replace(kind, source=own.source)
    return kind
