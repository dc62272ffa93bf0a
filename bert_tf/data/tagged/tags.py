"""Tags of words: the schemes that files have them in, and the one that is used inside, IOB2."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from bert_tf.data.rows.cells import shown
from bert_tf.data.tagged.label_sets import OUTSIDE

SCHEMES = {"iob1": "BI", "iob2": "BI", "bioes": "BIES"}
"""Scheme -> the letters before a type's name."""
ALIASES = {"L": "E", "U": "S", "M": "I"}  # BILOU and BMES are BIOES under other letters
TAG = re.compile(r"([A-Z])-(.+)")


class TagError(ValueError):
    """A tag that cannot stand where it stands; `index` is its word's number in the sentence, from 0."""

    def __init__(self, index: int, message: str) -> None:
        super().__init__(message)
        self.index = index


class Tags(list[str]):
    """The tags of a sentence, and the line of each in its file."""

    def __init__(self, tags: Sequence[str], lines: Sequence[int]) -> None:
        super().__init__(tags)
        self.lines = lines


def to_iob2(tags: Sequence[str], scheme: str = "iob2") -> list[str]:
    """Tags in IOB2: B begins every entity, I continues it, O is outside.

    Args:
        scheme: "iob1", where I begins an entity too, and B only has to where two of a type touch (a file in IOB2 reads
            the same in it); "iob2"; or "bioes", where S is an entity of one word and E ends a longer one. The letters
            of BILOU and BMES stand for those of BIOES.
    Raises: TagError for a tag that is none of the scheme's, and for an entity without its beginning or its end.
    """
    found: list[str] = []
    previous, open_type = "", None  # the tag before; bioes: the type of an entity that has not ended
    for index, tag in enumerate([*tags, OUTSIDE] if scheme == "bioes" else tags):
        letter, name = _parts(tag, index, scheme)
        if scheme == "bioes":
            goes_on = letter in ("I", "E")
            if goes_on and name != open_type:
                raise TagError(index, f"expected B-{name} or I-{name} before {tag}. Received: {previous or 'nothing'}")
            if open_type is not None and not goes_on:
                at, came = min(index, len(tags) - 1), tag if index < len(tags) else "the end of the sentence"
                raise TagError(at, f"expected I-{open_type} or E-{open_type} after {previous}. Received: {came}")
            open_type = name if letter in ("B", "I") else None
        else:
            goes_on = letter == "I" and previous[2:] == name
            if letter == "I" and not goes_on and scheme == "iob2":
                came = f"{previous or 'nothing'} (in the scheme iob1, I begins an entity too)"
                raise TagError(index, f"expected B-{name} or I-{name} before {tag}. Received: {came}")
        found.append(OUTSIDE if name is None else f"{'I' if goes_on else 'B'}-{name}")
        previous = tag
    return found[: len(tags)]


def words(cell: Any) -> list[str]:
    """The words of a sentence: texts that are not empty, one at least."""
    cell = cell.tolist() if hasattr(cell, "tolist") else cell  # NumPy's
    if not isinstance(cell, (list, tuple)) or not cell:
        raise ValueError(f"expected a list of words. Received: {shown(cell)}")
    for word in cell:
        if not isinstance(word, str) or not word:
            raise ValueError(f"expected words that are not empty texts. Received: {shown(word)} in {shown(cell)}")
        if not word.isascii():
            try:
                word.encode()
            except UnicodeEncodeError as error:
                came = f"a lone surrogate at character {error.start + 1} of {shown(word)}"
                raise ValueError(f"expected words that UTF-8 can hold. Received: {came}") from None
    return list(cell)


def _parts(tag: Any, index: int, scheme: str) -> tuple[str, str | None]:
    """The letter and the type; O has no type."""
    if tag == OUTSIDE:
        return OUTSIDE, None
    found = TAG.fullmatch(tag) if isinstance(tag, str) else None
    letter = "" if found is None else found[1]
    if scheme == "bioes":
        letter = ALIASES.get(letter, letter)
    if found is None or letter not in SCHEMES[scheme]:
        wanted = ", ".join(f"{letter}-TYPE" for letter in SCHEMES[scheme])
        raise TagError(index, f"expected O, {wanted} ({scheme}). Received: {shown(tag)}")
    return letter, found[2]
