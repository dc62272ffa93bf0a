"""Texts made harmless for a terminal: what a text holds is shown, never obeyed."""

from __future__ import annotations

import re

# Control characters, which move the cursor, colour or name the window; marks that turn the direction of what follows;
# halves of surrogate pairs, which cannot be written.
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
PICTURES = 0x2400
"""From here on Unicode has a picture for each of the control characters from 0 on."""
SPACES = "\t\r\v\f\u2028\u2029"


def literal(text: str, encoding: str = "utf-8") -> str:
    """The same number of characters, of which none does anything to a terminal but a line's end.

    Args:
        encoding: what the terminal reads; characters that it lacks become question marks.

    >>> literal("red: \\x1b[31m"), literal("a\\tb"), literal("caf\\u00e9", "ascii")
    ('red: ␛[31m', 'a b', 'caf?')
    """
    if not text.isascii() or not text.isprintable():
        text = UNSAFE.sub(_shown, text)
    return text.encode(encoding, "replace").decode(encoding)


def _shown(found: re.Match[str]) -> str:
    character = found[0]
    if character == "\n" or character in SPACES:
        return "\n" if character == "\n" else " "
    if character < " ":
        return chr(PICTURES + ord(character))
    return "\u2421" if character == "\x7f" else "\ufffd"
