"""JSON: an object a line, an array of objects, or one object with a list of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from bert_tf.data.files.names import each_renamed, fits
from bert_tf.data.files.open_file import DataFile
from bert_tf.data.files.rows import Notes, Row, Rows, Wanted
from bert_tf.data.files.text import decoding_error, text_lines
from bert_tf.data.rows.cells import shown
from bert_tf.data.rows.table import BadRow
from bert_tf.errors import UserError

ARRAY = re.compile(r"\s*\[\s*([{\]]|\[\s*\"|$)")
IN_PARTS = re.compile(r"\s*\{(.*[{\[,])?\s*")  # an object that more lines belong to
SPACE = re.compile(r"[ \t\r\n]*")
TWICE = "objects that name a key twice, of which the last is read"


def json_rows(file: DataFile, wanted: Wanted) -> Rows:
    """Rows of a file with a JSON object a line, which the names ending in .jsonl promise; or with one JSON value, an
    array of objects or an object that has one list of them, which is held in memory.

    What a row holds is what `json.loads` makes of it; a list of a text and an object, as spaCy 2 has it, is the object
    with the text as `text`. Empty lines are left out and counted. A wanted column that a row has one level further in,
    as in `{"translation": {"en": ...}}`, is found there.

    Raises: UserError for JSON that breaks off, naming the line.
    """
    notes = Notes(file.origin)
    lines = text_lines(file, notes)
    before, first = 0, ""
    for first in lines:
        if first.strip(" \t\r\n"):
            break
        before += 1
    if ARRAY.match(first) or IN_PARTS.fullmatch(first):
        rows = _whole("".join(chain([first], lines)), before + 1, file, wanted, notes)
    else:
        rows = _by_line(chain([first], lines) if first else lines, before + 1, file, wanted, notes)
    return Rows((), each_renamed(rows, wanted, notes), notes)


def _by_line(lines: Iterator[str], number: int, file: DataFile, wanted: Wanted, notes: Notes) -> Iterator[Row]:
    decoder = _decoder(notes)
    empty = 0
    held: Row | None = None  # the first row, until it is known whether it is the only one
    for at, line in enumerate(lines, start=number):
        line = line.rstrip("\r\n")
        if not line.strip(" \t"):
            empty += 1
            continue
        if empty:
            notes.count("empty lines left out", empty)
        empty = 0
        bad = None if line.isascii() else decoding_error(line, file.encoding)
        row = bad or _object(decoder, line)
        if at == number:
            held = (at, row)
            continue
        if held is not None:
            yield held
            held = None
        yield at, row
    if held is not None:
        yield from _only_value(held, wanted, notes)


def _only_value(row: Row, wanted: Wanted, notes: Notes) -> Iterator[Row]:
    """A file's only row; or the rows of its columns, or of its one list of objects where it lacks what is wanted."""
    number, value = row
    if isinstance(value, Mapping) and _is_of_columns(value):
        notes.say("its one object holds the columns, as pandas writes them, and is read so")
        for place in next(iter(value.values())):
            yield number, {name: column[place] for name, column in value.items()}
        return
    if isinstance(value, Mapping) and not wanted.whole and not fits(list(value), wanted):
        lists = [key for key, part in value.items() if isinstance(part, list) and part and isinstance(part[0], dict)]
        if len(lists) == 1:
            notes.say(f"its rows are the objects of its list {lists[0]!r}")
            yield from (
                (number, part if isinstance(part, dict) else BadRow(f"expected a JSON object. Received: {shown(part)}"))
                for part in value[lists[0]]
            )
            return
    yield row


def _is_of_columns(value: Mapping[str, Any]) -> bool:
    """Whether each key has an object, all with the same keys: pandas' `to_json` with nothing else said."""
    columns = list(value.values())
    if not columns or not all(isinstance(column, dict) and column for column in columns):
        return False
    return all(list(column) == [str(i) for i in range(len(columns[0]))] for column in columns)


def _object(decoder: json.JSONDecoder, line: str) -> Mapping[str, Any] | BadRow:
    try:
        value = decoder.decode(line)
    except (ValueError, RecursionError) as error:
        return BadRow(f"expected a JSON object. Received: {shown(line)} ({error})")
    return _row(value)


def _row(value: Any) -> Mapping[str, Any] | BadRow:
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], dict):
        return {"text": value[0], **value[1]}
    return value if isinstance(value, dict) else BadRow(f"expected a JSON object. Received: {shown(value)}")


def _whole(text: str, number: int, file: DataFile, wanted: Wanted, notes: Notes) -> Iterator[Row]:
    """The objects of an array, or one after another, each with the line that it begins on."""
    decoder = _decoder(notes)
    at = _skip(text, 0)
    is_array = text.startswith("[", at)
    at += is_array
    counted, line = 0, number  # characters, and the line that the last of them stands on
    held: Row | None = None  # the first of objects one after another, until it is known whether it is the only one
    is_first = is_only = True
    while True:
        at = _skip(text, at)
        if at == len(text) and is_array:
            raise UserError(f"{file.origin}:{number + text.count(chr(10))}: expected ']'. Received: the file's end")
        if at == len(text) or (is_array and text[at] == "]"):
            break
        if is_array and not is_first:
            if text[at] != ",":
                raise _broken(file, text, number, at, "expected ',' or ']'")
            at = _skip(text, at + 1)
        is_first = False
        line += text.count("\n", counted, at)
        counted = at
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            place = error.pos if isinstance(error, json.JSONDecodeError) else at
            raise _broken(file, text, number, place, f"expected JSON ({getattr(error, 'msg', error)})") from None
        written = text[at:end]
        bad = None if written.isascii() else decoding_error(written, file.encoding)
        at = end
        row = _row(value)
        if is_array or not is_only:
            yield line, bad or row
        elif held is None:
            held = (line, bad or row)
        else:
            yield held
            yield line, bad or row
            held, is_only = None, False
    if is_array and (after := _skip(text, at + 1)) < len(text):
        raise _broken(file, text, number, after, "expected nothing after the array's end")
    if held is not None:
        yield from _only_value(held, wanted, notes)


def _skip(text: str, at: int) -> int:
    found = SPACE.match(text, at)
    return found.end() if found else at


def _broken(file: DataFile, text: str, number: int, at: int, expected: str) -> UserError:
    line = number + text.count("\n", 0, at)
    return UserError(f"{file.origin}:{line}: {expected}. Received: {shown(text[at : at + 40])}")


def _decoder(notes: Notes) -> json.JSONDecoder:
    def pairs(found: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(found)
        if len(made) != len(found):
            notes.count(TWICE)
        return made

    return json.JSONDecoder(object_pairs_hook=pairs)
