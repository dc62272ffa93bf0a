"""JSON and TOML of strangers: parsed within limits of depth and of digits, and of characters that text can have."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Any

from bert_tf.errors import UserError
from bert_tf.guard.files import LARGEST_BYTES, read_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pyright: ignore[reportMissingImports]

DEEPEST = 64
"""Levels of lists and objects. Files of models and runs have some ten."""
MOST_DIGITS = 100
"""Of a number. Transformers writes one of 31 where a length has no limit."""
MOST_DOTS = 64
LARGEST_TOML_BYTES = 1 << 20
SURROGATE = re.compile(r"\\[uU]0*[dD][89a-fA-F]")  # half a character, of which UTF-8 has none
DOTTED = re.compile(rf"(?:[^.=,#\[\]{{}}\n]*\.){{{MOST_DOTS + 1}}}")


def parse_json(text: str | bytes, where: str | os.PathLike[str]) -> Any:
    """The value that JSON stands for: None, bools, numbers, texts, lists and dicts.

    Args:
        text: str, or bytes of UTF-8.
        where: the file, for errors.
    Raises: UserError for what is no JSON, lies deeper than `DEEPEST`, or has a number of more than `MOST_DIGITS`
        digits or a text that is no Unicode.
    """
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UserError(f"{where}: expected JSON, in UTF-8. Received: {error}") from None
    try:
        value = json.loads(text, parse_int=_int, parse_float=_float)
    except RecursionError:
        raise UserError(f"{where}: expected JSON of at most {DEEPEST} levels. Received: more") from None
    except ValueError as error:
        raise UserError(f"{where}: expected JSON. Received: {error}") from None
    _check(value, where, "JSON", texts=SURROGATE.search(text) is not None)
    return value


def read_json(path: str | os.PathLike[str], *, largest: int = LARGEST_BYTES) -> Any:
    """The value in a JSON file, with or without a byte order mark. Raises: as `read_text` and `parse_json` do."""
    return parse_json(read_text(path, largest=largest), path)


def read_object(path: str | os.PathLike[str], *, largest: int = LARGEST_BYTES) -> dict[str, Any]:
    """The object in a JSON file. Raises: as `read_json` does, and UserError for another value."""
    value = read_json(path, largest=largest)
    if not isinstance(value, dict):
        raise UserError(f"{path}: expected a JSON object. Received: {type(value).__name__}")
    return value


def parse_toml(text: str, where: str | os.PathLike[str]) -> dict[str, Any]:
    """The tables that TOML stands for.

    Raises: UserError for what is no TOML, is too large, or lies deeper than `DEEPEST`.
    """
    if len(text) > LARGEST_TOML_BYTES:
        raise UserError(f"{where}: expected TOML of at most {LARGEST_TOML_BYTES:,} characters. Received: {len(text):,}")
    if DOTTED.search(text):  # of which parsing takes time by the square of their number
        raise UserError(f"{where}: expected TOML with keys of at most {MOST_DOTS} parts. Received: more")
    try:
        value = tomllib.loads(text)
    except RecursionError:
        raise UserError(f"{where}: expected TOML of at most {DEEPEST} levels. Received: more") from None
    except ValueError as error:  # a TOMLDecodeError, a date that is none, a number of thousands of digits
        raise UserError(f"{where}: expected TOML. Received: {error}") from None
    _check(value, where, "TOML", texts=False, numbers=True)
    return value


def _int(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"a number of {len(digits):,} digits, {digits[:10]}..., where {MOST_DIGITS} may be")
    return int(digits)


def _float(digits: str) -> float:
    if len(digits) > 10 * MOST_DIGITS:
        raise ValueError(f"a number of {len(digits):,} characters, {digits[:10]}...")
    return float(digits)


def _check(value: Any, where: str | os.PathLike[str], language: str, *, texts: bool, numbers: bool = False) -> None:
    """Walks all of a value, without recursion. Raises: UserError for one that is too deep, or not Unicode."""
    level: list[Any] = [[value]]
    for _ in range(DEEPEST + 2):
        inside: list[Any] = []
        for part in level:
            values = part.values() if isinstance(part, dict) else part
            for item in (*part, *values) if texts and isinstance(part, dict) else values:
                if isinstance(item, (dict, list)):
                    inside.append(item)
                elif texts and isinstance(item, str) and not _is_unicode(item):
                    raise UserError(f"{where}: expected {language} of Unicode. Received: {item[:40]!a}")
                elif numbers and isinstance(item, int) and abs(item) >= 10**MOST_DIGITS:
                    raise UserError(f"{where}: expected numbers of at most {MOST_DIGITS} digits. Received: more")
        level = inside
        if not level:
            return
    raise UserError(f"{where}: expected {language} of at most {DEEPEST} levels. Received: more")


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
