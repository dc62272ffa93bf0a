"""Tokenised examples on a disk: made once, in parts, and mapped into memory while a model is trained.

Each part is made by whoever comes to it first: several workers of a machine, or on a disk that they share, each take
those that nobody has begun, so that together they tokenise the set once. What was made before a process was killed is
not made again. The parts are then joined, by one of them, into a store of flat arrays, the whole set as it would be in
memory, as every worker's batches have examples from all over it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bert_tf.data.batching.blocks import blocks
from bert_tf.data.batching.cut import Cut
from bert_tf.data.batching.features import Features
from bert_tf.data.stored.arrays import ARRAYS, describe, description, mapped_arrays, whole
from bert_tf.disk.locks import lock
from bert_tf.disk.whole import reason, sync_folder, sync_tree
from bert_tf.disk.work_folders import work_folder
from bert_tf.errors import UserError

PART_EXAMPLES = 16_384
PAUSE_SECONDS = 0.2
WHAT = "what is stored of tokenised examples"


def stored_features(
    make: Callable[[int, int], Features],
    examples: int,
    *,
    kind: type[Features],
    key: str,
    cache: Path,
    part_examples: int = PART_EXAMPLES,
    report: Callable[[float], None] | None = None,
) -> Features:
    """The features of a data set, from a store; made in the folder `cache` where it is not there, or damaged.

    Args:
        make: the features of the examples from one number to another.
        examples: how many there are.
        kind: the class of the features.
        key: names all that they depend on: the examples, the tokenizer, the settings.
        part_examples: examples of a part.
        report: called after each part with the share of the examples that is done.
    Returns: the same features as `make(0, examples)` gives, their arrays mapped into memory.
    Raises: UserError where nothing can be written there.
    """
    folder = cache / f"examples-{key}"

    def opened(path: Path) -> Features:
        return _opened(path, kind)

    found = whole(folder, opened, WHAT, said=True)
    if found is not None:
        return found
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _claimed(folder.with_name(f".{folder.name}.lock")) as mine:
            if mine and folder.is_dir() and whole(folder, opened, WHAT) is None:
                shutil.rmtree(folder, ignore_errors=True)
        _make(folder, make, range(0, examples, part_examples), examples, kind, report)
    except OSError as error:
        if whole(folder, opened, WHAT) is None:
            why = reason(error) or error.strerror or error
            raise UserError(f"data.cache={cache}: expected a folder that can be written. Received: {why}") from None
    return opened(folder)


def _make(
    folder: Path,
    make: Callable[[int, int], Features],
    starts: range,
    examples: int,
    kind: type[Features],
    report: Callable[[float], None] | None,
) -> None:
    """Makes the parts that nobody else makes, waits for the others, and joins them if nobody else does."""
    parts = folder.with_name(f"{folder.name}-parts")
    made: set[int] = set()
    while not folder.is_dir():
        parts.mkdir(exist_ok=True)
        for start in starts:
            part = parts / f"{start:012d}"
            if start in made or folder.is_dir():
                continue
            with _claimed(part.with_name(f"{part.name}.lock")) as mine:
                if not mine:
                    continue
                if whole(part, lambda path: _opened(path, kind), WHAT, said=True) is None:
                    _write(part, make(start, min(start + starts.step, examples)))
                made.add(start)
            if report is not None:
                report(len(made) / len(starts))
        with _claimed(folder.with_name(f".{folder.name}.lock")) as mine:
            if mine and len(made) == len(starts) and not folder.is_dir():
                _join([parts / f"{start:012d}" for start in starts], folder, kind)
        if not folder.is_dir():
            time.sleep(PAUSE_SECONDS)
    shutil.rmtree(parts, ignore_errors=True)


@contextlib.contextmanager
def _claimed(path: Path) -> Iterator[bool]:
    """Whether no other process has this to do meanwhile."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(lock(path, path))
            mine = True
        except UserError:
            mine = False
        yield mine


@contextlib.contextmanager
def _new_store(folder: Path) -> Iterator[Path]:
    """A folder that gets its name when all is written, in the place of one that was there."""
    with work_folder(folder) as work:
        yield work
        sync_tree(work)
        shutil.rmtree(folder, ignore_errors=True)
        work.rename(folder)
    sync_folder(folder.parent)


def _write(folder: Path, features: Features) -> None:
    with _new_store(folder) as work:
        arrays = _arrays_of(features)
        for name, array in arrays.items():
            array.tofile(work / f"{name}.bin")
        raises = {name: raised for name, raised in features.raises.items() if name in arrays}
        described = {ARRAYS: {name: (array.dtype.name, array.shape) for name, array in arrays.items()}}
        describe(work, {**described, "fills": dict(features.fills), "raises": raises})


def _join(parts: Sequence[Path], folder: Path, kind: type[Features]) -> None:
    """The parts end to end; what counts over the whole set is raised by what stands before it."""
    found = [(mapped_arrays(part), description(part)) for part in parts]
    described: dict[str, Any] = {}
    with _new_store(folder) as work:
        for name, first in found[0][0].items():
            before = rows = 0
            with (work / f"{name}.bin").open("wb") as file:
                for number, (arrays, said) in enumerate(found):
                    values = arrays[name][1:] if name in kind.from_zero and number else arrays[name]
                    if values.dtype != first.dtype:
                        raise ValueError(f"`{name}` must be of one type. Received: {first.dtype}, {values.dtype}")
                    for block in blocks(values):
                        file.write(np.ascontiguousarray(block + values.dtype.type(before) if before else block).data)
                    before += said["raises"].get(name, 0)
                    rows += len(values)
                file.flush()
                os.fsync(file.fileno())
            described[name] = (first.dtype.name, (rows, *first.shape[1:]))
        describe(work, {ARRAYS: described, "fills": found[0][1]["fills"]})


def _arrays_of(features: Features) -> dict[str, np.ndarray]:
    """All of the features' arrays by name, such as `token_fields.token_labels`."""
    arrays: dict[str, Any] = {}
    for field in dataclasses.fields(features):
        value = getattr(features, field.name)
        if isinstance(value, Cut):
            value = {"tokens": value.tokens, "lost": value.lost}
        if isinstance(value, Mapping) and field.name != "fills":
            arrays |= {f"{field.name}.{name}": array for name, array in value.items()}
        else:
            arrays[field.name] = value
    del arrays["token_numbers"]  # which are made of the whole set
    return {name: np.ascontiguousarray(array) for name, array in arrays.items() if isinstance(array, np.ndarray)}


def _opened(folder: Path, kind: type[Features]) -> Features:
    values: dict[str, Any] = {"fills": description(folder)["fills"]}
    for name, array in mapped_arrays(folder).items():
        field, dot, of = name.partition(".")
        if dot:
            values.setdefault(field, {})[of] = array
        else:
            values[field] = array
    if "cut" in values:
        values["cut"] = Cut(**values["cut"])
    return kind(**values)
