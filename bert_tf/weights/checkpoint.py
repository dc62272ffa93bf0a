"""A checkpoint of any format, in our names: what every reader gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Tensor:
    """One tensor of a file, not read yet: its name there, its shape there, and how to read it."""

    name: str
    shape: tuple[int, ...]
    read: Callable[[], np.ndarray]


class Tensors(dict[str, Tensor]):
    """The tensors of a file by their names there, and what is to be said of the file.

    Args:
        tensors: by name.
        remarks: what a reader of logs should know.
    """

    def __init__(self, tensors: Mapping[str, Tensor], remarks: Iterable[str] = ()) -> None:
        super().__init__(tensors)
        self.remarks = tuple(remarks)


class Arrays(Mapping[str, np.ndarray]):
    """Our path -> NumPy array, read from the file when it is asked for.

    Args:
        tensors: our path -> a tensor already in our layout.
        strays: names in the file that no path has and that lie within a part of the model -> that part: `backbone`, or
            a head's name. What lies there may change what the part computes.
    """

    def __init__(self, tensors: Mapping[str, Tensor], strays: Mapping[str, str] | None = None) -> None:
        self._tensors = dict(tensors)
        self.strays = dict(strays or {})

    def __getitem__(self, path: str) -> np.ndarray:
        return self._tensors[path].read()

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    def with_tensors(self, tensors: Mapping[str, Tensor]) -> Arrays:
        """These arrays and more, by our paths and in our layout."""
        return Arrays({**self._tensors, **tensors}, self.strays)

    def with_strays(self, strays: Mapping[str, str]) -> Arrays:
        """The same arrays with other strays."""
        return Arrays(self._tensors, strays)

    def shape(self, path: str) -> tuple[int, ...]:
        """Shape in our layout, without reading the tensor."""
        return self._tensors[path].shape

    def name(self, path: str) -> str:
        """Name in the file."""
        return self._tensors[path].name


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What a folder of weights holds.

    Args:
        where: the folder or file prefix it was read from.
        format: `hugging_face`, `google` or `keras_hub`.
        config: BertConfig's field names -> values.
        arrays: our weight paths -> arrays; heads included.
        extra: names in the file that no row of the table knows -> shapes.
        architecture: the class of Transformers that the weights are of, where the file says.
        labels: class names, where the file has them.
        labels_problem: what is wrong with the names in the file, where something is.
        problem: `single_label`, `multi_label` or `regression`, where the file says.
        head_dropout: dropout before the classifier, where the file says.
        dropouts: end of a class's name, such as `ForQuestionAnswering` -> dropout before that head, where the file
            says it for heads that it need not have.
        settings: arguments of the model's class beyond these, where the file says.
        vocabulary: vocab.txt (or tokenizer.json where there is no vocab.txt).
        warnings: facts of the file that are not used and may matter.
        remarks: what else is not used.
    """

    where: Path
    format: str
    config: Mapping[str, Any]
    arrays: Arrays
    extra: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    architecture: str | None = None
    labels: tuple[str, ...] | None = None
    labels_problem: str | None = None
    problem: str | None = None
    head_dropout: float | None = None
    dropouts: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    vocabulary: Path | None = None
    warnings: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
