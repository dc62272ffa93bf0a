"""How the words of a sentence become a text: as the language writes them, so that training sees what prediction will.

Most scripts put a space between words. Chinese, Japanese, Thai and some others do not; and files of them that have a
character a row cut numbers and Latin words into characters too, "2 0 0 3" and "i b m", where a text has "2003" and
"ibm". What is joined here is what a tagger learns from and is scored on.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

# The characters that BERT splits off as Chinese (google-research/bert, tokenization.py).
CHINESE = (
    (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF), (0x2F800, 0x2FA1F),
)  # fmt: skip
# Marks of Chinese and Japanese; those of the second block are wide forms of Latin ones.
EAST_ASIAN_MARKS = (
    (0x3001, 0x3003), (0x3008, 0x3011), (0x3014, 0x301F), (0xFF01, 0xFF0F), (0xFF1A, 0xFF20), (0xFF3B, 0xFF40),
    (0xFF5B, 0xFF65),
)  # fmt: skip
# Thai, Lao, Tibetan, Burmese, Khmer; marks of repetition, kana and Bopomofo.
OTHERS_WITHOUT_SPACES = (
    (0x0E00, 0x0E7F), (0x0E80, 0x0EFF), (0x0F00, 0x0FFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3005, 0x3007),
    (0x3031, 0x3035), (0x3040, 0x30FF), (0x3100, 0x312F), (0x31F0, 0x31FF), (0xFF66, 0xFF9F),
)  # fmt: skip
LAST_WITH_SPACES = "\u0dff"
"""Up to this character all scripts are written with spaces."""
WITHOUT_SPACES = (*CHINESE, *EAST_ASIAN_MARKS, *OTHERS_WITHOUT_SPACES)
SINGLE_SHARE = 0.9
"""From this share of words that are a single character on, a file is taken to have a character a row."""

JOINERS = (None, " ", "")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Joined:
    """Texts of sentences, and where each word begins in its text."""

    texts: list[str]
    starts: list[list[int]]


def join_words(sentences: Sequence[Sequence[str]], joiner: str | None = None, *, origin: str = "") -> Joined:
    """Makes a text of the words of each sentence.

    Between two words stands a space, but none where one of them touches with a character of a script that is written
    without spaces. Of sentences that are in such a script with a character a row, letters, digits and marks that are
    alone in their row are joined with their neighbours too.

    Args:
        sentences: words of each sentence, none empty.
        joiner: what stands between all words, " " or ""; None: as above.
        origin: where the words come from, for the log line that says what was found.
    Raises: ValueError for another joiner.
    """
    if joiner not in JOINERS:
        raise ValueError(f"`joiner` must be one of {', '.join(map(repr, JOINERS))}. Received: joiner={joiner!r}")
    by_character = joiner is None and is_by_character(sentences)
    texts, starts, unspaced = [], [], False
    for words in sentences:
        spaced = " ".join(words)
        if joiner == " " or (joiner is None and not by_character and max(spaced, default="") <= LAST_WITH_SPACES):
            texts.append(spaced)
            starts.append([0, *accumulate(len(word) + 1 for word in words[:-1])])
            continue
        parts: list[str] = []
        places: list[int] = []
        length = 0
        for i, word in enumerate(words):
            gap = "" if i == 0 else joiner if joiner is not None else _gap(words[i - 1], word, by_character)
            unspaced |= i > 0 and not gap
            parts += [gap, word]
            places.append(length + len(gap))
            length = places[-1] + len(word)
        texts.append("".join(parts))
        starts.append(places)
    if unspaced and joiner is None:
        characters = " of single characters, letters and digits among them," if by_character else ""
        logger.warning(
            "%s: words%s of scripts that are written without spaces are joined without them; `joiner` of the task says "
            "otherwise",
            origin or "words",
            characters,
        )
    return Joined(texts, starts)


def is_by_character(sentences: Sequence[Sequence[str]]) -> bool:
    """Whether the words are the single characters of a script that is written without spaces."""
    words = [word for sentence in sentences for word in sentence]
    if not any(is_without_spaces(word[0]) for word in words):
        return False
    return sum(map(_is_single, words)) >= SINGLE_SHARE * len(words)


def is_without_spaces(character: str) -> bool:
    """Whether its script puts no spaces between words."""
    point = ord(character)
    return point > ord(LAST_WITH_SPACES) and any(low <= point <= high for low, high in WITHOUT_SPACES)


def _gap(before: str, after: str, by_character: bool) -> str:
    if is_without_spaces(before[-1]) or is_without_spaces(after[0]):
        return ""
    if not by_character:
        return " "
    both_single = _is_single(before) and _is_single(after)
    return "" if both_single or not (before.isalnum() and after.isalnum()) else " "


def _is_single(word: str) -> bool:
    return len(word) == 1 or sum(not unicodedata.combining(character) for character in word) == 1
