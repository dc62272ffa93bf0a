"""A name on the command line -> a file of tasks/, configs/ or export/; a path to one's own file works too."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bert_tf.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from bert_tf.exporting.artefact import Artefact
    from bert_tf.kinds.base import Kind

PACKAGE = Path(__file__).resolve().parent
SUFFIXES = {"tasks": ".py", "configs": ".toml", "export": ".py"}


def definitions(group: str) -> Path:
    """The folder of `group` ("tasks", "configs" or "export"): in the package of a wheel, beside it in a checkout."""
    installed = PACKAGE / "_definitions"
    return (installed if installed.is_dir() else PACKAGE.parent) / group


def names(group: str) -> list[str]:
    """What `group` has, by name, sorted."""
    files = definitions(group).glob(f"*{SUFFIXES[group]}")
    return sorted(file.stem for file in files if not file.stem.startswith("_"))


def find(group: str, name: str) -> Path:
    """The file that `name` stands for: a name in `group`, or a path to a file of the same kind.

    Raises: UserError that lists the names and suggests the nearest, or says that the path is not there.
    """
    suffix = SUFFIXES[group]
    if name in names(group):
        return definitions(group) / f"{name}{suffix}"
    if name.endswith(suffix) or os.sep in name or "/" in name:
        path = Path(name).expanduser()
        if path.is_file() and path.suffix == suffix:
            return path.resolve()
        came = "no such file" if not path.is_file() else f"a file that does not end in {suffix}"
        raise UserError(f"{name!r} must be a {suffix} file. Received: {came}. By name there are: {_listed(group)}")
    what = {"tasks": "task", "configs": "config", "export": "export format"}[group]
    raise UserError(
        f"unknown {what} {name!r}.{did_you_mean(name, names(group))} There are: {_listed(group)}; "
        f"or give the path of a {suffix} file"
    )


def load_task(name: str) -> Kind:
    """The task of a name in tasks/, or of one's own Python file, which must define `TASK`.

    Raises: UserError if there is no such task, or no `TASK` of a kind from `bert_tf.kinds` in the file.
    """
    from bert_tf.kinds.base import Kind

    path, task = _load("tasks", name, "TASK")
    if not isinstance(task, Kind):
        raise UserError(f"{path}: TASK must be an object of a kind from bert_tf.kinds. Received: {task!r}")
    return task


def load_export(name: str) -> Artefact:
    """The format of a name in export/, or of one's own Python file, which must define `ARTEFACT`.

    Raises: UserError if there is no such format, or no `ARTEFACT` of `bert_tf.exporting` in the file.
    """
    from bert_tf.exporting.artefact import Artefact

    path, artefact = _load("export", name, "ARTEFACT")
    if not isinstance(artefact, Artefact):
        raise UserError(f"{path}: ARTEFACT must be an Artefact of bert_tf.exporting. Received: {artefact!r}")
    return artefact


def _load(group: str, name: str, attribute: str) -> tuple[Path, Any]:
    """The file that `name` stands for, run, and what it has under the name of `attribute`, None if nothing."""
    path = find(group, name)
    module_name = f"bert_tf_{group}_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise UserError(f"{path}: cannot be loaded as a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # before it runs: dataclasses look their module up there
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[module_name]
        raise
    return path, getattr(module, attribute, None)


def _listed(group: str) -> str:
    return ", ".join(names(group)) or "none"
