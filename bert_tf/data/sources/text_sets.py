"""Texts with an id each, and judgements between them, in the formats that search is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bert_tf.data.files import (
    DataFile,
    Notes,
    Row,
    Rows,
    Style,
    Wanted,
    decoding_error,
    format_of,
    read_rows,
    read_text,
    text_lines,
)
from bert_tf.data.files.formats import LINE
from bert_tf.data.rows.bad_rows import SHARE
from bert_tf.data.rows.cells import number as number_cell
from bert_tf.data.rows.cells import shown, text
from bert_tf.data.rows.judgements import gathered
from bert_tf.data.rows.table import BadRow, Table, collect
from bert_tf.data.sources.cranfield import RECORD, judgement_rows, smart_rows
from bert_tf.errors import UserError

BEIR_HEADER = ("query-id", "corpus-id", "score")
JUDGEMENT_TABLES = (".csv", ".jsonl", ".ndjson", ".json", ".parquet", ".pq")
PACKED_TABLES = (".parquet", ".pq", ".xlsx", ".xlsm")


@dataclass(frozen=True)
class TextSet:
    """Args:
    ids: an id for each text, no two the same.
    texts: the texts.
    is_smart: whether the file was in SMART's format.
    bad_rows: how many rows were left out.
    titles: the title of each text, which stands before it too; None where it has none; empty where none has.
    """

    ids: Sequence[str]
    texts: Sequence[str]
    is_smart: bool = False
    bad_rows: int = 0
    titles: Sequence[str | None] = ()


@dataclass(frozen=True, kw_only=True)
class TextSetReading:
    """How a file of texts is to be read.

    Args:
        file_format: a name of `bert_tf.data.files.FORMATS`; None: by the file's suffix.
        text_column: what the file calls the texts.
        id_column: what it calls their ids; None: `_id` or `id`, where it has one of them.
        encoding: of text files; None: UTF-8, or what a byte order mark says.
        skip_bad_rows: leave bad rows out and count them.
        bad_rows_share: of all rows, the most that may be left out.
    """

    file_format: str | None = None
    text_column: str = "text"
    id_column: str | None = None
    encoding: str | None = None
    skip_bad_rows: bool = False
    bad_rows_share: float = SHARE


def read_text_set(path: Path, reading: TextSetReading | None = None, *, are_queries: bool = False) -> TextSet:
    """Reads a file of texts, in a format that its name or beginning tells:

    CSV, TSV, JSON lines, a JSON array, Parquet or Excel, with a column `text`, perhaps `title`, which is put before it,
    and `_id` or `id` (BEIR's files). TSV without a header: an id, a tab, the text. SMART's, where the first line is
    `.I` and a number: `bert_tf.data.Cranfield`. `.txt` or no suffix: a text a line. An id that is not given is the
    number of the line.

    Args:
        are_queries: number SMART's records by their position, as its judgements do.
    Raises: UserError that names file and line, or the suffixes of the formats there are.
    """
    reading = reading or TextSetReading()
    file = DataFile(path, reading.encoding, is_text=reading.file_format is not None)
    is_smart = reading.file_format is None and file.suffix not in PACKED_TABLES and _is_smart(file)
    if is_smart:
        smart = smart_rows(path, by_position=are_queries, encoding=reading.encoding)
        found = Rows((), smart, Notes(file.origin))
    else:
        found = text_rows(file, reading)
    table = collect(
        unique(found.rows),
        {"id": _id, "text": str if is_smart else text, "title": lambda cell: cell},
        origin=file.origin,
        optional=("title",),
        has_lines=found.has_lines,
        skip_bad_rows=reading.skip_bad_rows,
        bad_rows_share=reading.bad_rows_share,
    )
    found.notes.tell()
    columns = table.columns
    return TextSet(columns["id"], columns["text"], is_smart, table.skipped, columns.get("title", ()))


def _is_smart(file: DataFile) -> bool:
    return RECORD.fullmatch(next(text_lines(file), "").rstrip("\r\n")) is not None


def text_rows(file: DataFile, reading: TextSetReading) -> Rows:
    """Rows with `id` and `text`, not yet checked. Raises: UserError as `read_text_set`."""
    name = format_of(file, reading.file_format)
    column, id_column = reading.text_column, reading.id_column
    if name == "lines":
        found = read_rows(file, Wanted(), name)
        rows = ((n, row if isinstance(row, BadRow) else {"id": str(n), "text": row[LINE]}) for n, row in found.rows)
        return Rows((), rows, found.notes)
    ids = (id_column,) if id_column is not None else ("_id", "id")
    if name == "tsv" and column == "text" and id_column is None:
        # Without a header it is an id and a text, so a header must name both.
        style = Style(separator="\t", header=None, columns=("id", "text"), quoted=None)
        found = read_rows(
            file, Wanted(required=("id", "text"), aliases={"id": "_id"}, optional=("title",)), name, style
        )
    else:
        required = (column,) if id_column is None else (column, id_column)
        optional = ("title",) if id_column is not None else ("_id", "id", "title")
        found = read_rows(file, Wanted(required=required, optional=optional), name)
        if found.names:
            flags = {column: "--text-column", id_column: "--id-column"}
            for wanted in required:
                if wanted not in found.names:
                    came = shown(list(found.names), 200)
                    raise UserError(
                        f"{file.origin}:1: expected the column {wanted!r}. Received: {came}; say which it is with "
                        f"{flags[wanted]}=NAME"
                    )
    rows = ((number, _with_id(number, row, column, ids)) for number, row in found.rows)
    return Rows((), rows, found.notes, found.has_lines)


def read_judgements(
    path: Path, queries: TextSet, documents: Sequence[str], reading: TextSetReading | None = None
) -> list[dict[int, float]]:
    """For each query the gain of each document judged: see `bert_tf.data.rows.judgements.gathered`.

    Four columns are TREC's (query, anything, document, gain); three with the header `query-id corpus-id score` are
    BEIR's, in CSV, JSON lines and Parquet too; three without one are Cranfield's, whose third is a code, where the
    queries are in SMART's format, and query, document, gain elsewhere.

    Args:
        queries: what the judgements are of.
        documents: ids of the documents.
    Raises: UserError that names file and line, also for a query that is not there.
    """
    reading = reading or TextSetReading()
    read = judgement_rows if queries.is_smart else judgement_lines
    parsers = {"query": known_id("query", queries.ids), "document": str, "gain": number_cell()}
    table: Table = collect(
        read(path, reading.encoding),
        parsers,
        origin=str(path),
        skip_bad_rows=reading.skip_bad_rows,
        bad_rows_share=reading.bad_rows_share,
    )
    places = map(table.place, range(len(table)))
    found = zip(places, *(table.columns[name] for name in parsers), strict=True)
    return gathered(found, queries=len(queries.ids), documents=documents, origin=str(path))


def is_beir(path: Path) -> bool:
    """Whether a file of judgements has BEIR's columns."""
    file = DataFile(path)
    return file.suffix in JUDGEMENT_TABLES or tuple(next(text_lines(file), "").split()) == BEIR_HEADER


def _with_id(
    number: int, row: Mapping[str, Any] | BadRow, column: str, ids: Sequence[str]
) -> Mapping[str, Any] | BadRow:
    if isinstance(row, BadRow):
        return row
    if column not in row:
        return BadRow(f"expected the column {column!r}. Received: {shown(list(row))}")
    words, title = row[column], row.get("title")
    title = title if isinstance(title, str) and title else None
    if isinstance(words, str) and title:
        words = f"{title} {words}".strip()
    return {"id": next((row[name] for name in ids if name in row), number), "text": words, "title": title}


def unique(rows: Iterator[Row]) -> Iterator[Row]:
    seen: dict[str, int] = {}
    for number, row in rows:
        if not isinstance(row, BadRow) and "id" in row:
            first = seen.setdefault(str(row["id"]), number)
            if first != number:
                row = BadRow(f"expected an id that no other text has. Received: {shown(row['id'])}, as on line {first}")
        yield number, row


def judgement_lines(path: Path, encoding: str | None = None) -> Iterator[Row]:
    file = DataFile(path, encoding)
    if file.suffix in JUDGEMENT_TABLES:
        query, document, gain = BEIR_HEADER
        for number, row in read_rows(file, Wanted(required=BEIR_HEADER), format_of(file)).rows:
            is_whole = not isinstance(row, BadRow) and all(name in row for name in BEIR_HEADER)
            if isinstance(row, BadRow) or is_whole:
                yield (
                    number,
                    row if isinstance(row, BadRow) else {
                        "query": str(row[query]), "document": str(row[document]), "gain": row[gain]
                    },
                )  # fmt: skip
            else:
                yield number, BadRow(f"expected the columns {', '.join(BEIR_HEADER)}. Received: {shown(list(row))}")
        return
    for number, line in enumerate(read_text(file).split("\n"), start=1):
        cells = line.split()
        if not cells or (number == 1 and tuple(cells) == BEIR_HEADER):
            continue
        if len(cells) not in (3, 4):
            bad = decoding_error(line, encoding)
            yield number, bad or BadRow(f"expected query, (anything,) document, gain. Received: {shown(line)}")
            continue
        yield number, {"query": cells[0], "document": cells[-2], "gain": cells[-1]}


def _id(cell: Any) -> str:
    if not isinstance(cell, (str, int)) or isinstance(cell, bool) or not str(cell):
        raise ValueError(f"expected an id, a text or an integer. Received: {shown(cell)}")
    return str(cell)


def known_id(what: str, ids: Sequence[str]) -> Callable[[Any], int]:
    """What turns an id into its number; its ValueError says that there is none of it."""
    numbers = {key: number for number, key in enumerate(ids)}

    def parse(cell: Any) -> int:
        if str(cell) not in numbers:
            raise ValueError(f"expected the id of a {what}. Received: {str(cell)!r}, of which there is none")
        return numbers[str(cell)]

    return parse
