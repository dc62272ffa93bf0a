"""What is shown of an answer, as plain data: a kind says which parts there are, and `drawing` how they look."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

INPUTS = ("text", "pair")
"""What answers call the texts that were given, where a kind has no names for them."""


@dataclass(frozen=True)
class Line:
    """A text.

    Args:
        text: it may have several lines.
        name: what it is, written before it; "": nothing.
        is_input: whether it was given, rather than answered; a long one is cut.
    """

    text: str
    name: str = ""
    is_input: bool = False


@dataclass(frozen=True)
class Shares:
    """A bar for each of several names.

    Args:
        shares: how much each has, in [0, 1].
        chosen: names of those that are the answer.
        name: what they are shares of; "": nothing is said.
    """

    shares: Mapping[str, float]
    chosen: Collection[str] = ()
    name: str = ""


@dataclass(frozen=True)
class Span:
    """A piece of a text.

    Args:
        start, end: its place in characters.
        label: what it is; "": nothing is said.
        score: how sure that is, in [0, 1]; None: it is not known.
    """

    start: int
    end: int
    label: str = ""
    score: float | None = None


@dataclass(frozen=True)
class Marked:
    """A text with pieces of it marked, each with its label behind it.

    Args:
        text: the text.
        spans: the pieces, rising, none within another.
        around: characters that are shown before the first piece and behind the last; None: the whole text.
        is_listed: whether the pieces with their scores stand below as well.
        name: what the text is; "": nothing is said.
        is_quiet: whether the pieces are bold and no more, without brackets, and the text stands further in.
    """

    text: str
    spans: Sequence[Span]
    around: int | None = None
    is_listed: bool = False
    name: str = ""
    is_quiet: bool = False


@dataclass(frozen=True)
class Weighed:
    """A text whose words count for an answer, or against it.

    Args:
        text: the text.
        weights: start, end and weight of each word, rising; a weight above 0 counts for the answer.
        answer: what that is.
        focus: the piece that a long text is shown around, start and end; None: its heaviest word.
    """

    text: str
    weights: Sequence[tuple[int, int, float]]
    answer: str
    focus: tuple[int, int] | None = None


@dataclass(frozen=True)
class Vector:
    """A vector of a text; several that are drawn one after another are compared at the end."""

    values: Sequence[float]
    text: str


Part = Line | Shares | Marked | Weighed | Vector


def given(answer: Mapping[str, Any], names: Sequence[str] = INPUTS) -> list[Part]:
    """The texts that an answer is about, of those called `names`.

    >>> given({"text": "Good.", "label": "positive"})
    [Line(text='Good.', name='', is_input=True)]
    """
    return [Line(str(answer[name]), is_input=True) for name in names if answer.get(name) is not None]


def weighed(answer: Mapping[str, Any], names: Sequence[str] = INPUTS) -> list[Part]:
    """What `--explain` adds: each text of the answer with the weights of its words, for each of its parts that is
    explained by itself.

    >>> word = {"text": "Good", "start": 0, "end": 4, "attribution": 1.5}
    >>> weighed({"text": "Good.", "explanation": {"output": "positive", "words": [word]}})
    [Weighed(text='Good.', weights=[(0, 4, 1.5)], answer='positive', focus=None)]
    """
    one = answer.get("explanation")
    parts: list[Part] = []
    for found in answer.get("explanations", ()) if one is None else (one,):
        columns = found.get("columns", (None,))
        texts = [str(answer[name]) for name in names if answer.get(name) is not None]
        texts = texts or [str(answer[column]) for column in columns]  # where answers call them as the task does
        is_piece = "start" in found
        says = f"{found['text']} [{found['output']}]" if is_piece else found["output"]
        focus = (found["start"], found["end"]) if is_piece else None
        for column, text in zip(columns, texts, strict=False):
            words = [word for word in found["words"] if word.get("column") == column]
            weights = [(word["start"], word["end"], word["attribution"]) for word in words]
            parts.append(Weighed(text, weights, says, focus))
    return parts


def plain(answer: Mapping[str, Any]) -> list[Part]:
    """What does for any answer: the texts given, and each of its parts under its name.

    >>> plain({"text": "Good.", "value": 4.25, "probabilities": {"no": 0.25, "yes": 0.75}})[1:]
    [Line(text='4.25', name='value', is_input=False), Shares(shares={'no': 0.25, 'yes': 0.75}, chosen=(), name='')]
    """
    parts = given(answer)
    for name, value in answer.items():
        if name in INPUTS:
            continue
        if isinstance(value, Mapping) and value and all(_is_share(part) for part in value.values()):
            parts.append(Shares(dict(value)))
        else:
            parts.append(Line(number(value) if isinstance(value, float) else str(value), name))
    return parts


def number(value: float) -> str:
    """A number with as many digits as are read.

    >>> number(3.14159), number(0.00001234), number(2.0)
    ('3.142', '1.234e-05', '2')
    """
    return f"{value:.4g}"


def _is_share(value: Any) -> bool:
    return isinstance(value, float) and 0 <= value <= 1
