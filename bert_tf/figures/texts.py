"""Names in any script: drawn as they are where a font has their letters, and by a number where none has.

Matplotlib draws a box for a letter that no font has, and only its newest versions lay out scripts that run from right
to left, or whose letters change with their neighbours. Neither may happen unseen: such a name is drawn as its number,
and a warning names it.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

logger = logging.getLogger(__name__)

FIRST = "DejaVu Sans"  # which Matplotlib brings
# Scripts whose letters are joined, moved or stacked: their names in Unicode begin so.
JOINED = (
    *("ARABIC", "SYRIAC", "MONGOLIAN", "NKO", "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL"),
    *("TELUGU", "KANNADA", "MALAYALAM", "SINHALA", "TIBETAN", "MYANMAR", "KHMER", "HEBREW", "THAANA", "THAI", "LAO"),
)


def drawable(names: Sequence[str], *, longest: int = 18) -> list[str]:
    """Names as they can be drawn: long ones shortened, and "#3" for the third where its letters cannot be drawn.

    >>> drawable(["good", "a name that is far too long"], longest=10)
    ['good', 'a name th…']
    """
    shown, numbered = [], []
    for number, name in enumerate(names, 1):
        plain = " ".join(name.split())
        if not can_be_drawn(plain):
            numbered.append(f"#{number} is {name!r}")
            shown.append(f"#{number}")
        else:
            shown.append(plain if len(plain) <= longest else f"{plain[: longest - 1]}…")
    if numbered:
        logger.warning("no font here draws all letters of some names, which figures number: %s", ", ".join(numbered))
    return shown


def can_be_drawn(text: str) -> bool:
    """Whether installed fonts have all letters of a text, and need not be more than put in a row."""
    return all(not _is_joined(letter) and font_of(letter) is not None for letter in set(text))


def fonts_of(texts: Sequence[str]) -> list[str]:
    """Names of the fonts that draw these texts, as Matplotlib takes them: for each letter the first that has it."""
    letters = sorted({letter for text in texts for letter in text if letter not in _letters_of_first()})
    others = [font_of(letter) for letter in letters]
    return list(dict.fromkeys((FIRST, *(name for name in others if name is not None))))


@lru_cache(maxsize=4096)
def font_of(letter: str) -> str | None:
    """The name of an installed font that has a letter; None where none has."""
    if letter in _letters_of_first() or letter == " ":
        return FIRST
    for entry in font_manager.fontManager.ttflist:
        # The "Last Resort" font that Matplotlib brings has every character, and draws them all as boxes.
        if (
            entry.style == "normal"
            and "lastresort" not in entry.name.replace(" ", "").lower()
            and ord(letter) in _characters(entry.fname)
        ):
            return entry.name
    return None


@lru_cache
def _letters_of_first() -> frozenset[str]:
    path = font_manager.findfont(FIRST, fallback_to_default=False)
    return frozenset(map(chr, _characters(path)))


@lru_cache(maxsize=512)
def _characters(path: str) -> frozenset[int]:
    """The characters of a font file; none of one that cannot be read."""
    try:
        return frozenset(FT2Font(path).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()


def _is_joined(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith(JOINED) or unicodedata.combining(letter) != 0
