"""Documents, queries and judgements of a test collection in the format of the SMART system, as Cranfield has them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bert_tf.data.files import Row, decoding_error, read_text
from bert_tf.data.rows.cells import shown
from bert_tf.data.rows.table import BadRow, Parsers, Table, collect
from bert_tf.data.sources.base import FileSource
from bert_tf.errors import UserError

RECORD = re.compile(r"\.I ([0-9]+) *")
FIELD = re.compile(r"\.([TABW]) *")
BODY = "W"
DOCUMENTS, QUERIES = "documents", "queries"
# How relevant a document is, by the codes of cranqrel.readme: 1 is "a complete answer", 4 "of minimum interest", 5 "of
# no interest". Each query also has one judgement of -1, which it does not explain: no gain, as in other libraries.
GAINS = {1: 4.0, 2: 3.0, 3: 2.0, 4: 1.0, 5: 0.0, -1: 0.0}


@dataclass(frozen=True, kw_only=True)
class Cranfield(FileSource):
    """A test collection in three files: "documents" and "queries" in SMART's format, and the judgements.

    Documents have the columns `id` and `text`; their text is the field .W, which begins with the title, in one line; it
    may be empty. Queries have them too, but their `id` is the position in the file, from 1, by which judgements name
    them. Judgements have `query`, `document` and `gain`, see `GAINS`.

    Args:
        files: the file of "documents", of "queries", and of the judgements of each split.
        every: "train" leaves out every n-th query, where n is this number; they are "validation". All other splits
            have all queries.

    >>> source = Cranfield(files={"documents": "cran.all.1400", "queries": "cran.qry", "test": "cranqrel"})
    >>> source.every
    3
    """

    every: int = 3

    def _open(self, where: str | os.PathLike[str] | None, split: str, parsers: Parsers, **options: Any) -> Table:
        if where is not None and Path(where).expanduser().is_file():
            raise UserError(f"{where}: expected a folder with {', '.join(self.files.values())}. Received: a file")
        path = self.path(where, split)
        if split in (DOCUMENTS, QUERIES):
            rows = smart_rows(path, by_position=split == QUERIES, encoding=self.encoding)
        else:
            rows = (row for row in judgement_rows(path, self.encoding) if self._belongs(row[1], split))
        return collect(rows, parsers, origin=str(path), **options)

    def _read(self, path: Path) -> tuple[Sequence[str], Iterator[Row]]:
        return (), smart_rows(path, encoding=self.encoding)

    def _belongs(self, row: Mapping[str, Any] | BadRow, split: str) -> bool:
        if isinstance(row, BadRow) or split not in ("train", "validation"):
            return True
        return (int(row["query"]) % self.every == 0) == (split == "validation")


def smart_rows(path: Path, *, by_position: bool = False, encoding: str | None = None) -> Iterator[Row]:
    """Records of a SMART file as `id` and `text`, each with the line that it begins on.

    Args:
        by_position: whether the `id` is the number of the record, from 1, and not the one in the file.
    """
    record: list[tuple[int, str]] = []
    position, seen = 0, set()
    lines = read_text(path, encoding).split("\n")
    for number, line in enumerate([*lines, ".I 0"], start=1):
        line = line.removesuffix("\r")
        if not RECORD.fullmatch(line):
            record.append((number, line))
            continue
        if any(text.strip() for _, text in record):
            position += 1
            row = _record(record, position, by_position)
            if not isinstance(row, BadRow):
                if row["id"] in seen:
                    row = BadRow(f"expected a number that no other record has. Received: .I {row['id']} again")
                else:
                    seen.add(row["id"])
            yield record[0][0], row
        record = [(number, line)]


def judgement_rows(path: Path, encoding: str | None = None) -> Iterator[Row]:
    """Judgements as `query`, `document` (both as their ids) and `gain`: three numbers a line, the last a code."""
    seen: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(read_text(path, encoding).split("\n"), start=1):
        cells = line.split()
        if not cells:
            continue
        numbers = [int(cell) if re.fullmatch(r"-?[0-9]+", cell) else 0 for cell in cells]
        if len(cells) != 3 or min(numbers[:2]) < 1 or numbers[2] not in GAINS:
            yield (
                number,
                BadRow(
                    "expected the numbers of a query and a document, and a code of "
                    f"{', '.join(map(str, GAINS))}. Received: {shown(line)}"
                ),
            )
            continue
        key = (str(numbers[0]), str(numbers[1]))
        if key in seen:
            yield number, BadRow(f"expected one judgement of a document. Received: another on line {seen[key]}")
            continue
        seen[key] = number
        yield number, {"query": key[0], "document": key[1], "gain": GAINS[numbers[2]]}


def _record(lines: Sequence[tuple[int, str]], position: int, by_position: bool) -> Mapping[str, Any] | BadRow:
    start = RECORD.fullmatch(lines[0][1])
    if start is None:
        first = next(text for _, text in lines if text.strip())
        return BadRow(f"expected a record's first line, .I and a number. Received: {shown(first)}")
    field, body = None, None
    for number, line in lines[1:]:
        bad = None if line.isascii() else decoding_error(line)
        if bad is not None:
            return BadRow(f"line {number}: {bad.reason}")
        marker = FIELD.fullmatch(line)
        if marker is not None:
            field = marker[1]
            body = [] if field == BODY and body is None else body
        elif field is None and line.strip():
            return BadRow(f"line {number}: expected a field's line, such as .W. Received: {shown(line)}")
        elif field == BODY and body is not None:
            body.append(line.strip())
    if body is None:
        return BadRow(f"expected a record with the field .{BODY}. Received: none in .I {start[1]}")
    number = position if by_position else int(start[1])
    return {"id": str(number), "text": " ".join(filter(None, body))}
