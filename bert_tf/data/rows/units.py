"""What places in a text may be counted in: characters (Unicode code points), units of UTF-16, bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator


def other_units(text: str, place: int, what: str = "text") -> Iterator[tuple[str, int]]:
    """What a place may have been counted in instead of characters, and the character that it is then; -1 for none.

    Args:
        what: the text is, for messages.

    >>> [(how, at) for how, at in other_units("\U0001f600 Rome", 3) if at >= 0]
    [('was counted without the white space before the text', 3), ('was counted in units of UTF-16', 2)]
    """
    yield f"was counted without the white space before the {what}", place + len(text) - len(text.lstrip())
    if "\r\n" in text:
        yield "was counted with line ends of one character", characters_before(text, place, lambda c: c != "\r")
    if not text.isascii():
        yield "was counted in units of UTF-16", characters_before(text, place, lambda c: 1 + (ord(c) > 0xFFFF))
        yield (
            "was counted in bytes",
            characters_before(text, place, lambda c: len(c.encode("utf-8", "surrogatepass"))),
        )


def characters_before(text: str, units: int, size: Callable[[str], int]) -> int:
    """How many characters come before so many units; -1 where no character begins or the text ends there.

    >>> characters_before("\U0001f600 Rome", 3, lambda c: 1 + (ord(c) > 0xFFFF))
    2
    """
    at = 0
    for number, character in enumerate(text):
        if at >= units and size(character):
            return number if at == units else -1
        at += size(character)
    return len(text) if at == units else -1
