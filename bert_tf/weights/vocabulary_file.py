"""The one reader of vocab.txt: one token a line, its number is its id. Text and weights both read with it."""

from __future__ import annotations

import collections
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from bert_tf.errors import UserError

LOG = logging.getLogger(__name__)
BOM = b"\xef\xbb\xbf"
SHOWN = 3  # how many examples a warning names


def read_vocabulary(path: str | os.PathLike[str], *, trimmed: bool = False, quiet: bool = False) -> tuple[str, ...]:
    """Reads a vocabulary as Transformers does: a line is a token, whatever is in it, and ends with LF, CRLF or CR.

    A token that occurs again has the last of its ids. A byte order mark is left out.

    Args:
        trimmed: take white space off the end of each line, as KerasHub does.
        quiet: give no warnings of odd lines.
    Raises: UserError that names the file and, where there is one, the line.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot read the vocabulary: {error.strerror}") from error
    has_mark = data.startswith(BOM)
    data = data.removeprefix(BOM)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}:{line}: expected UTF-8. Received: {data[error.start : error.end]!r}") from error
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if lines[-1] == "":
        lines.pop()
    if trimmed:
        lines = [line.rstrip() for line in lines]
    if not any(lines):
        raise UserError(f"{path}: expected one token a line. Received: an empty vocabulary")
    for oddity in () if quiet else (*(["begins with a byte order mark, left out"] * has_mark), *find_oddities(lines)):
        LOG.warning("%s %s", path, oddity)
    return tuple(lines)


def find_oddities(tokens: Sequence[str]) -> list[str]:
    """Says what tokens a vocabulary has that no text can give."""
    found = []
    counts = collections.Counter(tokens)
    if repeated := [token for token, count in counts.items() if count > 1 and token]:
        last = {token: number for number, token in enumerate(tokens)}
        examples = ", ".join(f"{token!r} in line {last[token] + 1}" for token in repeated[:SHOWN])
        found.append(f"has {len(repeated)} tokens more than once; the last line of each counts: {examples}")
    if blank := [number + 1 for number, token in enumerate(tokens) if not token]:
        lines = ", ".join(map(str, blank[:SHOWN]))
        found.append(f"has {len(blank)} blank lines, each a token that no text gives: line {lines}")
    spaced = [number + 1 for number, token in enumerate(tokens) if token and token != token.strip(" \t")]
    if spaced:
        lines = ", ".join(map(str, spaced[:SHOWN]))
        found.append(
            f"has {len(spaced)} tokens with spaces at an end, which no text gives: line {lines}. Take them out if they "
            "are not meant"
        )
    return found
