"""Vocabularies: one token a line, its number is its id."""

from __future__ import annotations

import collections
import os
from collections.abc import Sequence
from pathlib import Path

from bert_tf.errors import UserError

MAX_WORD_CHARACTERS = 100  # A longer word is unknown.
UNPRINTABLE = "\n\r"  # What a line of vocab.txt cannot hold.


def read_vocabulary(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Reads a vocab.txt.

    Raises: UserError that names the file and, where there is one, the line.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot read the vocabulary: {error.strerror}") from error
    try:
        lines = data.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}:{line}: expected UTF-8. Received: {data[error.start : error.end]!r}") from error
    if lines[-1] == "":
        lines.pop()
    lines = [line.removesuffix("\r") for line in lines]
    if problem := find_problem(lines):
        raise UserError(f"{path}: {problem}")
    return tuple(lines)


def find_problem(tokens: Sequence[str]) -> str | None:
    """Says what keeps these tokens from being a vocabulary, or None."""
    if not tokens:
        return "expected one token a line. Received: an empty vocabulary"
    for number, token in enumerate(tokens):
        if not isinstance(token, str):
            return f"every token must be a str. Received: {token!r} with id {number}"
        if not token or any(c in token for c in UNPRINTABLE):
            return f"a token must have characters and no line break. Received: {token!r} with id {number}"
    token, count = collections.Counter(tokens).most_common(1)[0]
    if count > 1:
        ids = [number for number, other in enumerate(tokens) if other == token]
        return f"every token must occur once. Received: {token!r} with ids {', '.join(map(str, ids))}"
    return None


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
