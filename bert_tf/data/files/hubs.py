"""Rows of TensorFlow Datasets (`tfds:NAME`) and of the Hugging Face hub's datasets (`hf:NAME`)."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bert_tf.data.files.columnar import class_name
from bert_tf.errors import UserError

PREFIXES = {"tfds:": "tfds", "hf:": "datasets"}  # prefix -> extra of setup.py
MODULES = {"tfds": "tensorflow_datasets", "datasets": "datasets"}
MOVED = {"glue": "nyu-mll/glue"}
NO_LABEL = -1
ERROR_SHOWN = 300

Rows = Iterator[tuple[int, Mapping[str, Any]]]


def is_hub(where: object) -> bool:
    return isinstance(where, str) and where.startswith(tuple(PREFIXES))


def read(where: str, split: str, names: Mapping[str, str]) -> tuple[Sequence[str], Rows]:
    """The columns that are there, under our names, and the rows.

    Labels come by their class's name, so that another order of the classes does no harm. A label column that holds
    only -1, as hidden test labels do, is not there.

    Args:
        names: our columns -> theirs.
    Raises: UserError if the extra is not installed, or the set or the split cannot be had.
    """
    prefix = next(prefix for prefix in PREFIXES if where.startswith(prefix))
    name, extra = where.removeprefix(prefix), PREFIXES[prefix]
    if not name:
        raise UserError(f"expected {prefix}NAME. Received: {where!r}")
    try:
        module = importlib.import_module(MODULES[extra])
    except ImportError as error:
        raise UserError(
            f"{where} needs an optional package: pip install 'bert_tf[{extra}]'. Received: {error}"
        ) from None
    try:
        columns, classes = (_tfds if extra == "tfds" else _hugging_face)(module, name, split)
    except Exception as error:  # whatever the hub's library raises: no network, no such set, a failed download
        came = f"{type(error).__name__}: {str(error)[:ERROR_SHOWN]}"
        raise UserError(f"{where}: cannot read the split {split!r}. Received: {came}") from error
    found: dict[str, Sequence[Any]] = {}
    for ours, theirs in names.items():
        values = columns.get(theirs)
        if values is None or (theirs in classes and len(values) and all(value == NO_LABEL for value in values)):
            continue
        labels = classes.get(theirs)
        found[ours] = values if labels is None else [class_name(labels, value) for value in values]
    others = [name for name in columns if name not in names.values()]
    return [*found, *others], enumerate(dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True))


def _tfds(module: Any, name: str, split: str) -> tuple[dict[str, list[Any]], dict[str, Sequence[str]]]:
    loaded, info = module.load(name, split=split, with_info=True)
    columns: dict[str, list[Any]] = {}
    for row in module.as_numpy(loaded):
        for column, value in row.items():
            columns.setdefault(column, []).append(_plain(value))
    return columns, class_names(info.features)


def _hugging_face(module: Any, name: str, split: str) -> tuple[dict[str, list[Any]], dict[str, Sequence[str]]]:
    path, _, config = name.partition(":")
    head, _, rest = path.partition("/")
    if head in MOVED and not config:
        path, config = MOVED[head], rest
    loaded = module.load_dataset(path, config or None, split=split)
    return {column: list(loaded[column]) for column in loaded.column_names}, class_names(loaded.features)


def class_names(features: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """Columns whose feature is a class label, or a list of them, with the classes' names where it has them."""
    found = {
        column: getattr(feature, "names", getattr(getattr(feature, "feature", None), "names", None))
        for column, feature in features.items()
    }
    return {column: names for column, names in found.items() if names is not None}


def _plain(value: Any) -> Any:
    if getattr(value, "ndim", 0) == 1:
        return [_plain(part) for part in value]
    value = value.item() if hasattr(value, "item") and getattr(value, "ndim", 0) == 0 else value
    return value.decode("utf-8", errors="surrogateescape") if isinstance(value, bytes) else value
