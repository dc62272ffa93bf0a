"""A task by its name, or from your own file, and the run that is asked for with it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bert_tf import lookup
from bert_tf.config import OWN, Layer, RunConfig, read_layer, resolve
from bert_tf.errors import UserError
from bert_tf.kinds.base import Kind

logger = logging.getLogger(__name__)


def load_task(name: str) -> Kind:
    """The task of a name in tasks/, or of your own Python file, which must define `TASK`.

    Raises: UserError if there is no such task, if its file fails (with the line), or if it has no `TASK` of a kind from
        `bert_tf.kinds`.

    >>> load_task("sst2").classes
    ('negative', 'positive')
    """
    return lookup.load("tasks", name, "TASK", Kind, "a kind from bert_tf.kinds")


def recorded_task(name: str, where: str, why: str) -> Kind:
    """The task that a file names: one of this library's. The code of any other is run only if a person names it.

    Args:
        where: the file or folder that names it, for errors.
        why: what its code is needed for.
    Raises: UserError for the path of a file, and for what is no task.
    """
    if name in lookup.names("tasks"):
        return load_task(name)
    if lookup.is_path("tasks", name):
        raise UserError(
            f"{where}: {why}, and a Python file that a folder names is not run: add --task={name:.200} if you trust it "
            f"(in Python, task=bert_tf.load_task({name[:200]!r}))"
        )
    raise UserError(f"{where}: {why}, and its task {name[:200]!r} is not one of this library's")


def asked_run(
    task: str | Kind | None,
    config: str | RunConfig | None,
    layers: Sequence[Layer],
    *,
    memory: Any = None,
    tell: Callable[[str], None] = logger.info,
    warn: Callable[[str], None] = logger.warning,
) -> tuple[Kind, RunConfig]:
    """A task, and the settings of a run: the defaults, then the task's, then the recipe's, then those of `layers`.

    Args:
        task: a name in tasks/, your own file, or the object itself; None: what the recipe says, or a task that is made
            of somebody's own data, where `own_data.kind` is set.
        config: the recipe, a name in configs/, your own file, or the object; None: that of the task's name, if there
            is one.
        layers: what else is asked, later ones winning.
        memory: somebody's own data, where they are no files.
        tell: says what was inferred from somebody's own data; `warn` what is doubtful in them.
    Raises: UserError for what is not there, and for a key or value that cannot be.
    """
    if isinstance(config, RunConfig):
        recipe = Layer(origin="config", values=config.model_dump(exclude_unset=True))
    else:
        recipe = None if config is None else read_layer(lookup.find("configs", config))
    made_of = _own_kind([*([recipe] if recipe else []), *layers])
    if made_of is not None:
        if task is not None:
            came = task if isinstance(task, str) else type(task).__name__
            raise UserError(f"expected either --task or --kind. Received: --task={came} and --kind={made_of}")
        return _own_run([*([recipe] if recipe else []), *layers], made_of, memory, tell, warn)
    if memory is not None:
        raise UserError(
            "--data is a place, unless --kind=NAME says what task to make of rows in memory. Received: "
            f"{type(memory).__name__}"
        )
    if isinstance(task, Kind):
        kind, name = task, OWN
    else:
        name = task or (recipe.values.get("task") if recipe else None)
        if not isinstance(name, str):
            raise UserError(
                f"--task is needed. There are: {', '.join(lookup.names('tasks'))}; or give the path of a .py file, or "
                "--kind=NAME for a task made of your own data"
            )
        origin = recipe.origin if recipe else ""
        kind = load_task(name) if task is not None else recorded_task(name, origin, "the task's code is needed")
        if name not in lookup.names("tasks"):
            name = str(lookup.find("tasks", name))
        if recipe is None and name in lookup.names("configs"):
            recipe = read_layer(lookup.find("configs", name))
    base = [Layer(origin=f"task {name}", values=kind.defaults), *([recipe] if recipe else [])]
    run = resolve([*base, *layers, Layer(origin="--task", values={"task": name})])
    asked = [key for key, value in run.own_data if value is not None]
    if asked:
        flags = ", ".join(f"--{key.replace('_', '-')}" for key in asked)
        raise UserError(f"{flags}: for data of your own, with --kind=NAME. Received: --task={name}")
    return kind.meant_by(run), _lasting_run(run)


def _own_kind(layers: Sequence[Layer]) -> str | None:
    """The kind of a task that is to be made of somebody's own data, if it is."""
    found = [layer.values["own_data"].get("kind") for layer in layers if isinstance(layer.values.get("own_data"), dict)]
    kinds = [kind for kind in found if kind is not None]
    return str(kinds[-1]) if kinds else None


def _own_run(
    layers: Sequence[Layer], kind: str, memory: Any, tell: Callable[[str], None], warn: Callable[[str], None]
) -> tuple[Kind, RunConfig]:
    from bert_tf.kinds.own_data.run import own_task

    run = resolve([*layers, Layer(origin="--kind", values={"task": kind})])
    made, run = own_task(_lasting_run(run), memory, tell=tell, warn=warn)
    return made.meant_by(run), run


def fetch_backbone(place: str) -> None:
    """Fetches a backbone of a hub, when the data are known to be good and before TensorFlow is imported.

    Raises: UserError if there is none, or no way to it.
    """
    from bert_tf.weights.places import ask_hub

    ask_hub(place, "--backbone")


def _lasting_run(run: RunConfig) -> RunConfig:
    _check_backbone(run.backbone, own_words=run.vocabulary is not None)
    lasting = {"backbone": _lasting(run.backbone)}
    lasting |= {"vocabulary": _lasting(run.vocabulary)} if run.vocabulary is not None else {}
    return run.model_copy(update=lasting)


def _check_backbone(place: str, *, own_words: bool) -> None:
    """Raises: UserError if nothing of that name is on this machine, before anything slow; a hub is not asked yet."""
    from bert_tf.models.backbones.sizes import check_meant, is_size
    from bert_tf.weights.places import resolve

    if "://" not in place:
        try:
            check_meant(place, own_words=own_words)
            if not is_size(place):
                resolve(place)
        except UserError as error:
            raise UserError(f"--backbone={place}: {error}") from None


def _lasting(place: str) -> str:
    """A path that is there made absolute, so that the run can be repeated from another folder; names as they are."""
    path = Path(place).expanduser()
    is_path = path.exists() or path.with_name(f"{path.name}.index").exists()
    if not is_path or place == "minilm":
        return place
    # A file's own link is kept: a hub's cache links to files without a suffix, and its config lies beside the link.
    return str(path.resolve() if path.is_dir() else path.parent.resolve() / path.name)
