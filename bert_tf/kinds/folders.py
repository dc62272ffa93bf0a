"""How a kind knows a model's folder that says no task, and what it makes of it. Needs no TensorFlow to be imported."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from bert_tf.kinds.base import Kind

LONGEST = 512  # most tokens of a text where nothing says how many


class Folder:
    """A model's place.

    Args:
        where: as it was given.
        place: the local folder, or file prefix.
        ignore: facts of its files to ignore although answers may change.
        dtype: the dtype policy of its model.
    """

    def __init__(
        self, where: str | os.PathLike[str], place: Path, ignore: Collection[str] = (), dtype: str = "float32"
    ) -> None:
        self.where, self.place, self.ignore, self.dtype = where, place, ignore, dtype

    @cached_property
    def checkpoint(self) -> Any:
        """Names and shapes of its tensors."""
        from bert_tf import weights

        return weights.load(self.where, ignore=self.ignore)

    @cached_property
    def parts(self) -> frozenset[str]:
        """The parts of a model that have tensors there, by our names, such as "backbone" or "classifier"."""
        return frozenset(path.split("/")[0] for path in self.checkpoint.arrays)

    @property
    def reading(self) -> dict[str, Any]:
        """How its files are read: arguments of `Kind.load_model`."""
        return {"ignore": self.ignore, "dtype": self.dtype}

    @property
    def whole(self) -> dict[str, Any]:
        """How its model is read: as answers need it."""
        return {"new_weights": "forbid", **self.reading}


Answering = tuple[Kind, Any]
"""A task, and the model that answers it."""


class Row(NamedTuple):
    """An architecture, by the class of Transformers, or by our own where Transformers has none of the name.

    Args:
        heads: of our names of weights, those of which its files must have one at least; empty where nothing answers.
        answer: gives the kind and the model; None: there is none, and `why` says why.
        why: what to say instead of answering.
        is_meant: whether a folder that names no architecture has the tensors of this one; one row at most says so.
    """

    heads: tuple[str, ...] = ()
    answer: Callable[[Folder], Answering] | None = None
    why: str = ""
    is_meant: Callable[[Folder], bool] = lambda folder: False


class Format(NamedTuple):
    """Files that say by themselves, whatever their architecture, what the model is for.

    Args:
        is_place: whether a local folder has them.
        is_checkpoint: whether a checkpoint that was read has them.
        answer: gives the kind and the model.
    """

    is_place: Callable[[Path], bool]
    is_checkpoint: Callable[[Any], bool]
    answer: Callable[[Folder], Answering]


def no_source() -> Any:
    """Of a task that answers and is not trained."""
    from bert_tf.data import InMemory

    return InMemory({})


def length_of(model: Any) -> int:
    """Most tokens of a text: of an encoder that is made for long ones, all that it has positions for."""
    positions = model.config.max_positions
    return positions if model.config.local_attention else min(positions, LONGEST)
