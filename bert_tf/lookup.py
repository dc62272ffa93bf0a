"""A name on the command line -> a file of tasks/, configs/ or export/; the path of your own file works too."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import inspect
import os
import re
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from bert_tf.errors import UserError, did_you_mean

PACKAGE = Path(__file__).resolve().parent
SUFFIXES = {"tasks": ".py", "configs": ".toml", "export": ".py"}
PLAIN: Mapping[str, Any] = {
    "str": str, "int": int, "float": (int, float), "bool": bool, "Mapping[str, Any]": Mapping, "None": type(None),
}  # fmt: skip
READABLE = {"str": "a text", "int": "a whole number", "float": "a number", "bool": "True or False"}
READABLE |= {"tuple[str, ...]": 'a tuple of texts, ("one", "two")', "Mapping[str, Any]": "a dict"}
UNKNOWN_ARGUMENT = re.compile(r"([\w.]+)\(\) got an unexpected keyword argument '(\w+)'")

Wanted = TypeVar("Wanted")


def definitions(group: str) -> Path:
    """The folder of `group` ("tasks", "configs" or "export"): in the package of a wheel, beside it in a checkout."""
    installed = PACKAGE / "_definitions"
    return (installed if installed.is_dir() else PACKAGE.parent) / group


def names(group: str) -> list[str]:
    """What `group` has, by name, sorted."""
    files = definitions(group).glob(f"*{SUFFIXES[group]}")
    return sorted(file.stem for file in files if not file.stem.startswith("_"))


def is_path(group: str, name: str) -> bool:
    """Whether `name` stands for a file of its own, rather than for one of `group` by its name."""
    return name not in names(group) and (name.endswith(SUFFIXES[group]) or os.sep in name or "/" in name)


def find(group: str, name: str) -> Path:
    """The file that `name` stands for: a name in `group`, or a path to a file of the same kind.

    Raises: UserError that lists the names and suggests the nearest, or says that the path is not there.
    """
    suffix = SUFFIXES[group]
    if name in names(group):
        return definitions(group) / f"{name}{suffix}"
    if is_path(group, name):
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


def load(group: str, name: str, attribute: str, wanted: type[Wanted], what: str) -> Wanted:
    """The object of the class `wanted` that a definition file, once it is run, has under the name of `attribute`.

    Args:
        what: how an error calls the class.
    Raises: UserError if there is no such file, if it fails (with the line), or if it has no such object.
    """
    path = find(group, name)
    module_name = f"bert_tf_{group}_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise UserError(f"{path}: cannot be loaded as a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # before it runs: dataclasses look their module up there
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[module_name]
        raise UserError(_mistake(path, error, vars(module))) from error
    except BaseException:
        del sys.modules[module_name]
        raise
    return _defined(path, vars(module), attribute, wanted, what)


def _defined(path: Path, names: Mapping[str, Any], attribute: str, wanted: type[Wanted], what: str) -> Wanted:
    if attribute not in names:
        others = [name for name, value in names.items() if isinstance(value, wanted)]
        came = f"the name{'s' * (len(others) > 1)} {', '.join(others)}" if others else "none"
        raise UserError(f"{path}: expected {attribute} = ..., an object of {what}. Received: {came}")
    found = names[attribute]
    if isinstance(found, type) and issubclass(found, wanted):
        raise UserError(
            f"{path}: {attribute} must be an object of {what}, {found.__name__}(...). "
            f"Received: the class {found.__name__} itself"
        )
    if not isinstance(found, wanted):
        raise UserError(f"{path}: {attribute} must be an object of {what}. Received: {found!r}")
    wrong = wrong_field(found)
    if wrong:
        raise UserError(f"{path}: {attribute}: {wrong}")
    return found


def _mistake(path: Path, error: Exception, names: Mapping[str, Any]) -> str:
    """What went wrong in a definition file, and in which of its lines."""
    line = None
    if isinstance(error, SyntaxError) and error.filename == str(path):
        line, said = error.lineno, error.msg
    else:
        for frame in traceback.extract_tb(error.__traceback__):
            line = frame.lineno if frame.filename == str(path) else line
        wrong = "" if isinstance(error, ValueError) else wrong_field(_made_in(error))  # which says what is wrong itself
        said = wrong or str(error)
    place = str(path) if line is None else f"{path}:{line}"
    kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
    return f"{place}: {kind}{said}{_nearest_argument(error, names)}"


def wrong_field(made: Any) -> str:
    """The first field of a dataclass whose value cannot be of its type, and what came; empty where there is none.

    A list may stand for a tuple. Of a class's object it is only known that a number, a text or a list is none.
    """
    for field in dataclasses.fields(made) if dataclasses.is_dataclass(made) else ():
        value = getattr(made, field.name, None)
        types = str(field.type).split(" | ")
        if value is None or any(_may_be(name, value) for name in types):
            continue
        expected = " or ".join(READABLE.get(name, f"an object, {name}(...)") for name in types if name != "None")
        return f"`{field.name}` must be {expected}. Received: {value!r:.80}"
    return ""


def _may_be(annotation: str, value: Any) -> bool:
    if annotation in ("tuple[str, ...]", "Sequence[str]"):
        return isinstance(value, tuple | list) and all(isinstance(part, str) for part in value)
    if annotation in PLAIN:
        is_bool = isinstance(value, bool) and annotation != "bool"
        return isinstance(value, PLAIN[annotation]) and not is_bool
    is_object = re.fullmatch(r"[A-Z]\w*", annotation) is not None and annotation != "Any"
    return not (is_object and isinstance(value, str | int | float | list | tuple | dict | Path))


def _made_in(error: Exception) -> Any:
    """The object whose fields were being checked where an error came up, if that was it."""
    trace = error.__traceback__
    made = None
    while trace is not None:
        code, names = trace.tb_frame.f_code, trace.tb_frame.f_locals
        made = names.get("self") if code.co_name == "__post_init__" and made is None else made
        trace = trace.tb_next
    return made


def _nearest_argument(error: Exception, names: Mapping[str, Any]) -> str:
    """Of a call with an argument that is not known: the nearest that is."""
    found = UNKNOWN_ARGUMENT.search(str(error)) if isinstance(error, TypeError) else None
    called = names.get(found[1].split(".")[0]) if found else None
    if found is None or not callable(called):
        return ""
    return did_you_mean(found[2], inspect.signature(called).parameters)


def _listed(group: str) -> str:
    return ", ".join(names(group)) or "none"
