"""The one reader of vocab.txt: one token a line, its number is its id. Text and weights both read with it."""

from __future__ import annotations

import collections
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from bert_tf.errors import UserError
from bert_tf.guard import read_bytes

LOG = logging.getLogger(__name__)
BOM = b"\xef\xbb\xbf"
WHITE = "".join(map(chr, (*range(9, 14), 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F,
                          0x3000)))  # fmt: skip
LARGEST_BYTES = 64 << 20  # ten times the largest of a published BERT, of 500,000 tokens
SHOWN = 3  # how many examples a warning names


def read_vocabulary(path: str | os.PathLike[str], *, quiet: bool = False) -> tuple[str, ...]:
    """Reads a vocabulary as Transformers 5 does: a line is a token, less the white space at its end.

    A line that is blank is a token too, which no text gives, and a token that occurs again has the last of its ids. A
    byte order mark is left out.

    Args:
        quiet: give no warnings of odd lines.
    Raises: UserError that names the file and, where there is one, the line.
    """
    path = Path(path)
    try:
        data = read_bytes(path, largest=LARGEST_BYTES)
    except OSError as error:
        raise UserError(f"{path}: cannot read the vocabulary: {error.strerror}") from error
    has_mark = data.startswith(BOM)
    data = data.removeprefix(BOM)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}:{line}: expected UTF-8. Received: {data[error.start : error.end]!r}") from error
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if lines[-1] == "":
        lines.pop()
    tokens = [trimmed(line) for line in lines]
    if not any(tokens):
        raise UserError(f"{path}: expected one token a line. Received: an empty vocabulary")
    broken = next((number for number, token in enumerate(tokens, 1) if "\r" in token), None)
    if broken is not None:
        raise UserError(f"{path}:{broken}: expected lines that end with LF or CRLF. Received: a CR within one")
    if not quiet:
        said = ["begins with a byte order mark, left out"] * has_mark
        if spaced := [
            number for number, (line, token) in enumerate(zip(lines, tokens, strict=True), 1) if line != token
        ]:
            said.append(f"has {len(spaced)} tokens with white space at the end, taken off: {in_lines(spaced)}")
        for oddity in (*said, *find_oddities(tokens)):
            LOG.warning("%s %s", path, oddity)
    return tuple(tokens)


def trimmed(line: str) -> str:
    """A line without the white space at its end, unless it has nothing else: such a token no text gives anyway."""
    token = line.rstrip(WHITE)
    return line if token in ("", "##") else token


def in_lines(numbers: Sequence[int]) -> str:
    more = "" if len(numbers) <= SHOWN else ", ..."
    return f"line {', '.join(map(str, numbers[:SHOWN]))}{more}"


def find_oddities(tokens: Sequence[str]) -> list[str]:
    """Says what tokens a vocabulary has that no text can give."""
    found = []
    counts = collections.Counter(tokens)
    if repeated := [token for token, count in counts.items() if count > 1 and token]:
        last = {token: number for number, token in enumerate(tokens)}
        examples = ", ".join(f"{token!r} in line {last[token] + 1}" for token in repeated[:SHOWN])
        found.append(f"has {len(repeated)} tokens more than once; the last line of each counts: {examples}")
    if blank := [number + 1 for number, token in enumerate(tokens) if not token]:
        found.append(f"has {len(blank)} blank lines, each a token that no text gives: {in_lines(blank)}")
    if spaced := [number + 1 for number, token in enumerate(tokens) if token.startswith((" ", "\t"))]:
        found.append(f"has {len(spaced)} tokens that begin with white space, which no text gives: {in_lines(spaced)}")
    return found
