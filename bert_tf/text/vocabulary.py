"""Vocabularies: one token a line, its number is its id."""

from __future__ import annotations

from collections.abc import Sequence

from bert_tf.weights.vocabulary_file import find_oddities, read_vocabulary

__all__ = [
    "MAX_WORD_CHARACTERS",
    "SPECIAL",
    "distinct",
    "find_count_problem",
    "find_oddities",
    "find_problem",
    "find_separators_problem",
    "find_special_problem",
    "read_vocabulary",
]

SPECIAL = ("unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
MAX_WORD_CHARACTERS = 100  # A longer word is unknown, where no file says otherwise.
UNPRINTABLE = "\n\r"  # What a line of vocab.txt cannot hold.


def find_problem(tokens: Sequence[str]) -> str | None:
    """Says what keeps these tokens from being a vocabulary, or None. A token may be empty, and occur again."""
    if not any(tokens):
        return "`vocabulary`: expected one token a line. Received: an empty vocabulary"
    for number, token in enumerate(tokens):
        if not isinstance(token, str):
            return f"`vocabulary`: every token must be a str. Received: {token!r} with id {number}"
        if any(c in token for c in UNPRINTABLE):
            return f"`vocabulary`: a token must have no line break. Received: {token!r} with id {number}"
    return None


def distinct(tokens: Sequence[str], ids: dict[str, int]) -> list[str]:
    """The tokens, with names that no text gives for those that are empty or occur again later."""
    return [token if token and ids[token] == number else f"\x03{number}" for number, token in enumerate(tokens)]


def find_special_problem(vocabulary: Sequence[str], special_tokens: dict[str, str]) -> str | None:
    """Says what is wrong with special tokens (argument's name -> token), or None."""
    known = set(vocabulary)
    for name, token in special_tokens.items():
        if not isinstance(token, str) or not token:
            return f"`{name}` must be a token of the vocabulary. Received: {token!r}"
        if token not in known:
            return (
                f"`{name}` must be a token of the vocabulary. Received: {token!r}, which is not among its "
                f"{len(vocabulary):,} tokens ({', '.join(map(repr, vocabulary[:5]))}, ...)"
            )
        if len(token) > MAX_WORD_CHARACTERS or any(ord(c) < 32 for c in token):
            return (
                f"`{name}` must have at most {MAX_WORD_CHARACTERS} characters and no control character. "
                f"Received: {token!r}"
            )
    return None


def find_count_problem(max_word_characters: int, pair_separators: int) -> str | None:
    """Says what is wrong with the numbers that a tokenizer is made with, or None."""
    if isinstance(max_word_characters, bool) or not isinstance(max_word_characters, int) or max_word_characters < 1:
        return f"`max_word_characters` must be an int of 1 or more. Received: {max_word_characters!r}"
    return find_separators_problem(pair_separators)


def find_separators_problem(pair_separators: int) -> str | None:
    """Says what is wrong with how many separators stand between the texts of a pair, or None."""
    return None if pair_separators in (1, 2) else f"`pair_separators` must be 1 or 2. Received: {pair_separators!r}"
