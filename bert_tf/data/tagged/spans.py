"""Spans of characters that a text's entities are, as doccano, spaCy and Label Studio write them, as tags of words."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from bert_tf.data.rows.cells import shown
from bert_tf.data.rows.units import characters_before, other_units
from bert_tf.data.tagged.joining import is_without_spaces

CHUNK = re.compile(r"\S+")
LAST_OF_ONE_UNIT = "\uffff"
"""Up to this character all are one unit in UTF-16; JavaScript counts those behind it as two."""

TRIMMED = "spans with spaces at their ends, which are left off"
WITHIN = "spans that begin or end within a word: the word is cut there"
TWICE = "spans that are given twice, of which one counts"
MOVED = "spans whose place {how}, as their own text shows: moved"


class Sentence(NamedTuple):
    """Words; and where they are slices of a text, that text and where each begins in it, in characters."""

    words: list[str]
    text: str | None = None
    starts: list[int] | None = None


class Span(NamedTuple):
    start: int
    end: int
    name: str


def words_and_tags(
    text: str, cell: Any, *, in_utf16: bool = False, counts: Counter[str] | None = None
) -> tuple[Sentence, list[str]]:
    """A text's words, which are what stands between spaces and is no end of a span, and their tags in IOB2.

    Args:
        cell: spans, each [start, end, type], or an object with start and end (or start_offset and end_offset) and label
            (or labels, with one); or an object with these under "entities". Characters are counted from 0. Where a span
            has its own `text`, which is elsewhere, and is there if its place is counted in units of UTF-16 or
            with line ends of one character, it is moved there.
        in_utf16: whether places are counted in units of UTF-16: see `are_in_utf16`.
        counts: what was put right, by what should be said of it.
    Raises: ValueError for what is none, lies outside of the text, is empty or overlaps with another one.
    """
    counts = Counter() if counts is None else counts
    spans = sorted(_trimmed(span, text, counts) for span in _spans(cell, text, in_utf16, counts))
    different = list(dict.fromkeys(spans))
    counts[TWICE] += len(spans) - len(different)
    for one, other in itertools.pairwise(different):
        if other.start < one.end:
            raise ValueError(f"expected spans that do not overlap. Received: {tuple(one)} and {tuple(other)}")
    counts[WITHIN] += sum(not _meets_words(text, span) for span in different)
    edges = {edge for span in different for edge in (span.start, span.end)}
    words, starts, tags = [], [], []
    for chunk in CHUNK.finditer(text):
        cuts = [chunk.start(), *(i for i in range(chunk.start() + 1, chunk.end()) if i in edges or _cuts(text, i))]
        for start, end in zip(cuts, [*cuts[1:], chunk.end()], strict=True):
            words.append(text[start:end])
            starts.append(start)
            inside = next((span for span in different if span.start <= start < span.end), None)
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


def span_names(cell: Any) -> list[str]:
    """The types of a cell's spans, wherever they stand. Raises: ValueError for what is no span."""
    return [_parts(part)[2] for part in _listed(cell)]


class Units(NamedTuple):
    """What places of a file's spans are counted in: as characters, or in units of UTF-16, as JavaScript does.

    Args:
        in_utf16: whether they are read in units of UTF-16.
        only_characters, only_utf16: how many spans lie on words if they are counted so, and do not if otherwise.
        undecided: how many behind a character of two units lie equally well either way.
    """

    in_utf16: bool
    only_characters: int
    only_utf16: int
    undecided: int

    @property
    def remark(self) -> str:
        """What should be said of it; empty where there is nothing."""
        found = f"{self.only_utf16} spans behind an emoji lie on words only if places are counted in units of UTF-16"
        if self.in_utf16:
            return f"{found}, as JavaScript does, and none only otherwise: all are counted so"
        if self.only_utf16:
            return f"{found}, and {self.only_characters} only if in characters: all are counted in characters"
        if self.undecided and not self.only_characters:
            return (
                f"{self.undecided} spans behind an emoji are counted in characters (Unicode code points); nothing in "
                "the file says whether that is right: tools in a browser may count an emoji as two"
            )
        return ""


def are_in_utf16(rows: Iterable[tuple[str, Any]]) -> Units:
    """How the places in texts and their spans are counted, from the texts in which it makes a difference.

    Spans that have their own text say it themselves, and are not looked at. They are in UTF-16 where some lie on whole
    words only if counted so, and none only if counted in characters.
    """
    found: Counter[tuple[bool, bool]] = Counter()
    for text, cell in rows:
        if text.isascii() or max(text) <= LAST_OF_ONE_UNIT:
            continue
        for part in _listed(cell):
            try:
                start, end, name, own = _parts(part)
            except ValueError:
                continue
            if own is not None:
                continue
            first, last = (characters_before(text, place, _utf16_size) for place in (start, end))
            there = Span(first, last, name)
            if there[:2] != (start, end):
                found[_lies_well(text, Span(start, end, name)), _lies_well(text, there)] += 1
    characters, utf16 = found[True, False], found[False, True]
    return Units(utf16 > 0 and not characters, characters, utf16, found[True, True] + found[False, False])


def _utf16_size(character: str) -> int:
    return 1 + (character > LAST_OF_ONE_UNIT)


def _lies_well(text: str, span: Span) -> bool:
    """Whether a span is a piece of the text without spaces at its ends, which cuts no word."""
    if not 0 <= span.start < span.end <= len(text):
        return False
    piece = text[span.start : span.end]
    return piece == piece.strip() and _meets_words(text, span)


def _meets_words(text: str, span: Span) -> bool:
    """Whether no letters or digits that belong together stand on both sides of an end."""
    return all(
        edge in (0, len(text)) or not (text[edge - 1].isalnum() and text[edge].isalnum()) or _cuts(text, edge)
        for edge in span[:2]
    )


def _cuts(text: str, i: int) -> bool:
    """Whether a word ends before the character `i`, since it or the one before is of a script without spaces."""
    return is_without_spaces(text[i - 1]) or is_without_spaces(text[i])


def _listed(cell: Any) -> Sequence[Any]:
    if isinstance(cell, Mapping) and "entities" in cell:
        cell = cell["entities"]
    if not isinstance(cell, (list, tuple)):
        raise ValueError(f"expected a list of spans, each [start, end, type]. Received: {shown(cell)}")
    return cell


def _spans(cell: Any, text: str, in_utf16: bool, counts: Counter[str]) -> list[Span]:
    return [_span(part, text, in_utf16, counts) for part in _listed(cell)]


def _parts(part: Any) -> tuple[int, int, str, str | None]:
    """Start, end, type and own text of a span, as they are written."""
    values: Sequence[Any] = part if isinstance(part, (list, tuple)) else ()
    if len(values) == 4 and isinstance(values[3], str):
        values = values[:3]  # spaCy's may name an entry of a knowledge base
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
    own = part.get("text") if isinstance(part, Mapping) else None
    return values[0], values[1], values[2], own if isinstance(own, str) else None


def _span(part: Any, text: str, in_utf16: bool, counts: Counter[str]) -> Span:
    start, end, name, own = _parts(part)
    if own is not None and _plain(text[max(start, 0) : max(end, 0)]) != _plain(own):
        return _moved(part, text, Span(start, end, name), own, counts)
    if in_utf16 and own is None:
        start, end = (characters_before(text, place, _utf16_size) for place in (start, end))
    if not 0 <= start < end <= len(text):
        raise ValueError(f"expected a span within the {len(text)} characters of the text. Received: {shown(part)}")
    return Span(start, end, name)


def _plain(text: str) -> str:
    """A text as annotators' tools may show it again: line ends written out or lost."""
    return " ".join(text.replace("\\n", "\n").split())


def _moved(part: Any, text: str, span: Span, own: str, counts: Counter[str]) -> Span:
    """The span where its own text stands, if its place is counted in other units. Raises: ValueError if it is not."""
    found = {
        start: how
        for how, start in other_units(text, span.start)
        if start >= 0 and own.strip() and text.startswith(own, start)
    }
    if len(found) != 1:
        raise ValueError(
            f"expected the span's own text {shown(own)} at {span.start}:{span.end}, counted in characters (Unicode "
            f"code points). Received: {shown(text[max(span.start, 0) : max(span.end, 0)])}"
        )
    ((start, how),) = found.items()
    counts[MOVED.format(how=how)] += 1
    return Span(start, start + len(own), span.name)


def _trimmed(span: Span, text: str, counts: Counter[str]) -> Span:
    """Without spaces at its ends."""
    piece = text[span.start : span.end]
    start = span.start + len(piece) - len(piece.lstrip())
    end = span.end - len(piece) + len(piece.rstrip())
    if start >= end:
        raise ValueError(f"expected a span that covers more than spaces. Received: {tuple(span)}")
    counts[TRIMMED] += (start, end) != span[:2]
    return Span(start, end, span.name)
