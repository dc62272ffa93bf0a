"""Spans of characters that a text's entities are, as doccano, spaCy and Label Studio write them, as tags of words."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bert_tf.data.rows.cells import shown
from bert_tf.data.tagged.joining import is_without_spaces

CHUNK = re.compile(r"\S+")


class Sentence(NamedTuple):
    """Words; and where they are slices of a text, that text and where each begins in it, in characters."""

    words: list[str]
    text: str | None = None
    starts: list[int] | None = None


class Span(NamedTuple):
    start: int
    end: int
    name: str


def words_and_tags(text: str, cell: Any) -> tuple[Sentence, list[str]]:
    """A text's words, which are what stands between spaces and is no end of a span, and their tags in IOB2.

    Args:
        cell: spans, each [start, end, type], or an object with start and end (or start_offset and end_offset) and label
            (or labels, with one); or an object with these under "entities". Characters are counted from 0.
    Raises: ValueError for what is none, lies outside of the text, is empty or overlaps with another one.
    """
    spans = sorted(_trimmed(span, text) for span in _spans(cell, text))
    for one, other in itertools.pairwise(spans):
        if other.start < one.end:
            raise ValueError(f"expected spans that do not overlap. Received: {tuple(one)} and {tuple(other)}")
    edges = {edge for span in spans for edge in (span.start, span.end)}
    words, starts, tags = [], [], []
    for chunk in CHUNK.finditer(text):
        cuts = [chunk.start(), *(i for i in range(chunk.start() + 1, chunk.end()) if i in edges or _cuts(text, i))]
        for start, end in zip(cuts, [*cuts[1:], chunk.end()], strict=True):
            words.append(text[start:end])
            starts.append(start)
            inside = next((span for span in spans if span.start <= start < span.end), None)
            tags.append("O" if inside is None else f"{'B' if start == inside.start else 'I'}-{inside.name}")
    if not words:
        raise ValueError(f"expected a text that is not empty. Received: {shown(text)}")
    return Sentence(words, text, starts), tags


def are_spans(cell: Any) -> bool:
    """Whether a cell looks like spans rather than tags."""
    found = cell.get("entities") if isinstance(cell, Mapping) else cell
    return (
        isinstance(found, (list, tuple)) and bool(found) and all(isinstance(x, (list, tuple, Mapping)) for x in found)
    )


def _cuts(text: str, i: int) -> bool:
    """Whether a word ends before the character `i`, since it or the one before is of a script without spaces."""
    return is_without_spaces(text[i - 1]) or is_without_spaces(text[i])


def _spans(cell: Any, text: str) -> list[Span]:
    if isinstance(cell, Mapping) and "entities" in cell:
        cell = cell["entities"]
    if not isinstance(cell, (list, tuple)):
        raise ValueError(f"expected a list of spans, each [start, end, type]. Received: {shown(cell)}")
    return [_span(part, text) for part in cell]


def _span(part: Any, text: str) -> Span:
    values: Sequence[Any] = part if isinstance(part, (list, tuple)) else ()
    if isinstance(part, Mapping):
        labels = part.get("label", part.get("labels"))
        if isinstance(labels, (list, tuple)):
            if len(labels) != 1:
                raise ValueError(f"expected one label a span. Received: {shown(part)}")
            labels = labels[0]
        values = (part.get("start", part.get("start_offset")), part.get("end", part.get("end_offset")), labels)
    if len(values) != 3 or not all(type(place) is int for place in values[:2]) or not isinstance(values[2], str):
        raise ValueError(
            f"expected a span [start, end, type], or an object of start, end and label. Received: {shown(part)}"
        )
    span = Span(*values)
    if not 0 <= span.start < span.end <= len(text):
        raise ValueError(f"expected a span within the {len(text)} characters of the text. Received: {shown(part)}")
    named = part.get("text") if isinstance(part, Mapping) else None
    if isinstance(named, str) and named != text[span.start : span.end]:
        raise ValueError(
            f"expected the span's own text {shown(named)} at {span.start}:{span.end}, counted in characters (Unicode "
            f"code points). Received: {shown(text[span.start : span.end])}"
        )
    return span


def _trimmed(span: Span, text: str) -> Span:
    """Without spaces at its ends."""
    piece = text[span.start : span.end]
    start = span.start + len(piece) - len(piece.lstrip())
    end = span.end - len(piece) + len(piece.rstrip())
    if start >= end:
        raise ValueError(f"expected a span that covers more than spaces. Received: {tuple(span)}")
    return Span(start, end, span.name)
