"""Long texts in passages that a model reads whole: paragraphs, or parts of a long one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from bert_tf.data.tagged.joining import is_without_spaces

PARAGRAPH_END = re.compile(r"\n[ \t]*\n\s*")
SENTENCE_END = re.compile(r"[.!?]['\")\]]*\s+|[。！？]")
HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t#]*$", re.MULTILINE)
WORD = re.compile(r"\S+")
WORDS = 150
"""Most words of a passage, if nobody says: with word pieces, what a model of 256 tokens reads."""


class Passage(NamedTuple):
    """A part of a text.

    Args:
        text: it, without white space at its ends.
        start, end: its place in the whole text, in characters.
        line: the line that it begins on, from 1.
        title: the heading above it (Markdown's), "" where there is none.
    """

    text: str
    start: int
    end: int
    line: int
    title: str = ""


def passages(text: str, words: int = WORDS) -> list[Passage]:
    """Cuts a text into passages of at most `words` words, where its paragraphs end, or else its sentences, or words.

    Short neighbouring paragraphs are one passage, but none goes over a heading. A character of a script that is written
    without spaces counts as a word. White space alone gives no passage.

    >>> [passage.text for passage in passages("One two.\\n\\nThree. Four five six.", words=3)]
    ['One two.', 'Three.', 'Four five six.']
    """
    headings = [(match.start(), match[1]) for match in HEADING.finditer(text)]
    found: list[tuple[int, int]] = []
    for start, end in _paragraphs(text):
        parts = list(_parts(text, start, end, words))
        begins_section = any(start <= place < end for place, _ in headings)
        if found and len(parts) == 1 and not begins_section and not _is_longer(text[found[-1][0] : end], words):
            found[-1] = (found[-1][0], end)
        else:
            found += parts
    made = []
    line, counted = 1, 0
    for start, end in found:
        line += text.count("\n", counted, start)
        counted = start
        title = next((name for place, name in reversed(headings) if place < end and place <= start), "")
        made.append(Passage(text[start:end], start, end, line, title))
    return made


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    """Places of paragraphs, without the white space around them."""
    at = 0
    for match in [*PARAGRAPH_END.finditer(text), None]:
        end = len(text) if match is None else match.start()
        yield from _stripped(text, at, end)
        at = end if match is None else match.end()


def _parts(text: str, start: int, end: int, words: int) -> Iterator[tuple[int, int]]:
    """A paragraph in parts of at most so many words, that end with a sentence where one ends in the second half."""
    while _is_longer(text[start:end], words):
        cut = _after_words(text, start, words)
        half = _after_words(text, start, max(words // 2, 1))
        sentences = [match.end() for match in SENTENCE_END.finditer(text, start, cut + 1) if half <= match.end() <= cut]
        at = sentences[-1] if sentences else cut
        yield from _stripped(text, start, at)
        start = at + len(text[at:end]) - len(text[at:end].lstrip())
    yield from _stripped(text, start, end)


def _stripped(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    part = text[start:end]
    if part.strip():
        yield start + len(part) - len(part.lstrip()), end - (len(part) - len(part.rstrip()))


def _units(text: str, start: int = 0) -> Iterator[int]:
    """Where each word ends, with the white space behind it."""
    for match in WORD.finditer(text, start):
        word, at = match[0], match.start()
        if word.isascii():
            yield _skipped(text, match.end())
            continue
        for i, character in enumerate(word):
            is_last = i + 1 == len(word)
            if is_last or is_without_spaces(character) or is_without_spaces(word[i + 1]):
                yield _skipped(text, match.end()) if is_last else at + i + 1


def _skipped(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _is_longer(text: str, words: int) -> bool:
    return next(islice(_units(text), words, None), None) is not None


def _after_words(text: str, start: int, words: int) -> int:
    for number, at in enumerate(_units(text, start), start=1):
        if number == words:
            return at
    return len(text)
