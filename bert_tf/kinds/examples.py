"""One split of a task's data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from bert_tf.data.rows.column import is_on_disk

Self = TypeVar("Self", bound="Examples")


@dataclass(frozen=True, kw_only=True)
class Examples:
    """One split of a task's data, read and checked, not yet tokenised. A kind whose truth is more than an array has a
    class of its own, with `is_labelled` to go with it.

    Args:
        texts: first texts [E].
        pairs: second texts [E], or None where an example is one text.
        labels: what the kind makes of the labels, [E]; None where the split has none.
        bad_rows: how many rows were left out.
        bad_row_reasons: how many of them for each reason.
        is_sample: whether these are the sentences bundled with the library rather than the real set.

    >>> import numpy as np
    >>> examples = Examples(texts=["a good film", "a bad film"], labels=np.array([1, 0]))
    >>> len(examples), examples.is_labelled
    (2, True)
    """

    texts: Sequence[str]
    pairs: Sequence[str] | None = None
    labels: np.ndarray | None = None
    bad_rows: int = 0
    bad_row_reasons: Mapping[str, int] = field(default_factory=dict)
    is_sample: bool = False

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def columns(self) -> tuple[Sequence[str], ...]:
        """The texts, a sequence [E] for each column of the task. A kind with more than two has its own."""
        return (self.texts,) if self.pairs is None else (self.texts, self.pairs)

    def first(self: Self, count: int) -> Self:
        """The first `count` examples, or all that there are.

        >>> some = Examples(texts=["a", "b", "c"], labels=np.array([1, 0, 1])).first(2)
        >>> some.columns, some.labels
        ((['a', 'b'],), array([1, 0]))
        """
        size = len(self)
        if size <= count:
            return self
        return self._cut(lambda values: values[:count])

    def spread(self: Self, count: int) -> Self:
        """About `count` examples from all over, as files are often sorted; the first ones where `first` is the class's
        own, which says that examples are no rows.

        >>> Examples(texts=["a", "b", "c", "d", "e"]).spread(3).texts
        ['a', 'c', 'e']
        """
        size = len(self)
        if type(self).first is not Examples.first or size <= count:
            return self.first(count)
        rows = np.unique(np.linspace(0, size - 1, num=count).round().astype(int))
        return self._cut(lambda values: values[rows] if isinstance(values, np.ndarray) else [values[k] for k in rows])

    def part(self: Self, start: int, stop: int) -> Self:
        """The examples from one number to another."""
        return self._cut(lambda values: values[start:stop])

    def is_column(self, name: str) -> bool:
        """Whether a field has a value for each of the examples."""
        return _is_column(getattr(self, name), len(self))

    @property
    def is_on_disk(self) -> bool:
        """Whether a column is read from a file whenever it is looked at: see `bert_tf.data.rows.column`."""
        return any(is_on_disk(getattr(self, field.name)) for field in dataclasses.fields(self))

    def in_memory(self: Self) -> Self:
        """The same, all of it held."""
        if not self.is_on_disk:
            return self
        return self._cut(lambda values: list(values) if is_on_disk(values) else values)

    def _cut(self: Self, cut: Callable[[Any], Any]) -> Self:
        """With every column cut in the same way."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return dataclasses.replace(
            self, **{name: cut(value) for name, value in values.items() if _is_column(value, len(self))}
        )

    @property
    def is_labelled(self) -> bool:
        """Whether the split says what is right, so that it can be trained on and scored."""
        return self.labels is not None


def _is_column(value: Any, size: int) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, str | Mapping) and len(value) == size
