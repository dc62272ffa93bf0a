"""Tokens that stand outside the WordPiece vocabulary's rules: special ones, and words that somebody added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

MAX_CHARACTERS = 100
MARKS = "\x01\x02\x03"  # what the graph uses for itself
FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")


class AddedToken(NamedTuple):
    """A token that a text names by its content, before the text is split into words.

    Of several that could begin at a place, the longest is found. What is between them is tokenised as if each part
    were a text of its own.

    Args:
        content: the token.
        special: a part of the form, such as [SEP], rather than a word: left out by
            `decode(..., skip_special_tokens=True)`.
        normalized: look for it in the text as normalised (lower-cased, say), with the content normalised too. None:
            where it is not special.
        single_word: only where no letter, digit, mark or underscore stands next to it.
        lstrip, rstrip: the white space before or after it belongs to it.
    Reference: `AddedToken` of https://github.com/huggingface/tokenizers
    """

    content: str
    special: bool = False
    normalized: bool | None = None
    single_word: bool = False
    lstrip: bool = False
    rstrip: bool = False

    @property
    def is_normalized(self) -> bool:
        """`normalized`, None resolved."""
        return not self.special if self.normalized is None else self.normalized

    @property
    def is_odd(self) -> bool:
        """Whether it is anything else than a special token that is matched as it is."""
        return not self.special or self.is_normalized or self.single_word or self.lstrip or self.rstrip

    def to_json(self) -> dict[str, Any]:
        """As in `added_tokens_decoder` of a tokenizer_config.json."""
        flags = {"single_word": self.single_word, "lstrip": self.lstrip, "rstrip": self.rstrip}
        return {"content": self.content, **flags, "normalized": self.is_normalized, "special": self.special}


def resolve(named: Sequence[str], added: Sequence[AddedToken]) -> tuple[AddedToken, ...]:
    """All tokens that texts can name, each once: `added` in their order, then those `named` that are not among them.

    Args:
        named: special tokens by their content; one that is also in `added` has the flags from there, and is special.
    """
    special = set(named)
    found: dict[str, AddedToken] = {}
    for token in (*added, *(AddedToken(name, special=True) for name in named)):
        resolved = token._replace(special=token.special or token.content in special, normalized=token.is_normalized)
        found.setdefault(token.content, resolved)
    return tuple(found.values())


def number(tokens: Sequence[AddedToken], ids: Mapping[str, int], size: int) -> tuple[int, ...]:
    """The id of each token: its own in a vocabulary, else the next one behind that vocabulary's `size` tokens."""
    numbers = []
    for token in tokens:
        known = ids.get(token.content)
        numbers.append(size if known is None else known)
        size += known is None
    return tuple(numbers)


def find_problem(tokens: Sequence[AddedToken]) -> str | None:
    """Says what is wrong with added tokens, or None."""
    for token in tokens:
        if not isinstance(token, AddedToken):
            return f"`added_tokens` must be AddedTokens. Received: {token!r}"
        if not isinstance(token.content, str) or not 0 < len(token.content) <= MAX_CHARACTERS:
            return f"an added token must be a str of 1 to {MAX_CHARACTERS} characters. Received: {token.content!r:.200}"
        if any(mark in token.content for mark in MARKS):
            return f"an added token must not have the control characters 1, 2 and 3. Received: {token.content!r:.200}"
        if any(0xD800 <= ord(c) < 0xE000 for c in token.content):
            return f"an added token must be text that UTF-8 can hold. Received: {token.content!r:.200}"
    begins = next((token for token in tokens if token.content[:1].isspace()), None)
    strips = next((token for token in tokens if token.rstrip), None)
    if begins is not None and strips is not None:
        return (
            "where one added token takes the white space after it (`rstrip`), none may begin with white space. "
            f"Received: {strips.content!r} with rstrip=True, and {begins.content!r}"
        )
    return None
