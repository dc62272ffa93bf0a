"""What is said of an explanation, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Word:
    """A word of a text, and what it adds to the output.

    Args:
        column: of the text.
        text: the word.
        start, end: where it is, in characters of its text.
        attribution: what it adds, in the unit of the output; below 0: what it takes away.
    """

    column: str
    text: str
    start: int
    end: int
    attribution: float


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Of one output of the model for one text, or pair.

    Args:
        texts: by the names of their columns.
        output: the class, label, number or answer.
        value: the model's output for the text: a logit, the sum of several, or the number itself.
        baseline: the same where every word is [MASK].
        remainder: by how much the attributions miss `value - baseline`.
        points: how many points of the line were looked at.
        words: in their order.
        start, end: of an entity or a labelled word, where that is, in characters; None: it is of all of the text.
    """

    texts: Mapping[str, str]
    output: str
    value: float
    baseline: float
    remainder: float
    points: int
    words: tuple[Word, ...]
    start: int | None = None
    end: int | None = None

    def as_json(self) -> dict[str, Any]:
        """As predict prints it."""
        words = [dict(vars(word)) for word in self.words]
        named = {name: getattr(self, name) for name in ("output", "value", "baseline", "remainder")}
        if self.start is not None:
            text = next(iter(self.texts.values()))[self.start : self.end]
            named = {"text": text, "start": self.start, "end": self.end, **named}
        if len(self.texts) > 1:
            return {**named, "columns": list(self.texts), "words": words}
        for word in words:
            del word["column"]
        return {**named, "words": words}
