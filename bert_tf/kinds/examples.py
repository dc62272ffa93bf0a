"""One split of a task's data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np


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
    def is_labelled(self) -> bool:
        """Whether the split says what is right, so that it can be trained on and scored."""
        return self.labels is not None
