"""Texts with an id each, and judgements between them, in the formats that search is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bert_tf.data.cells import number as number_cell
from bert_tf.data.cells import shown, text
from bert_tf.data.cranfield import RECORD, judgement_rows, smart_rows
from bert_tf.data.judgements import gathered
from bert_tf.data.table import BadRow, Table, collect
from bert_tf.data.text_files import Row, json_rows, read_text, tsv_rows

BEIR_HEADER = ("query-id", "corpus-id", "score")


@dataclass(frozen=True)
class TextSet:
    """Args:
    ids: an id for each text, no two the same.
    texts: the texts.
    is_smart: whether the file was in SMART's format.
    bad_rows: how many rows were left out.
    """

    ids: Sequence[str]
    texts: Sequence[str]
    is_smart: bool = False
    bad_rows: int = 0


def read_text_set(path: Path, *, are_queries: bool = False, skip_bad_rows: bool = False) -> TextSet:
    """Reads a file of texts, in a format that its name or beginning tells:

    `.jsonl`: objects with `text`, perhaps `title`, which is put before it, and `_id` or `id` (BEIR's). `.tsv`: an id, a
    tab, the text. SMART's, where the first line is `.I` and a number: `bert_tf.data.Cranfield`. Anything else: a text a
    line. An id that is not given is the number of the line.

    Args:
        are_queries: number SMART's records by their position, as its judgements do.
    Raises: UserError that names file and line.
    """
    suffix = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    content = read_text(path)
    is_smart = RECORD.fullmatch(content.partition("\n")[0].rstrip("\r")) is not None
    parse_text: Any = text
    if is_smart:
        rows, parse_text = smart_rows(path, by_position=are_queries), str
    elif suffix in ("jsonl", "ndjson"):
        rows = ((number, identified(number, row)) for number, row in json_rows(path))
    elif suffix == "tsv":
        rows = tsv_rows(path, ("id", "text"), header=False)[1]
    else:
        rows = ((number, row) for number, row in _lines(path))
    table = collect(unique(rows), {"id": _id, "text": parse_text}, origin=str(path), skip_bad_rows=skip_bad_rows)
    return TextSet(table.columns["id"], table.columns["text"], is_smart, table.skipped)


def read_judgements(
    path: Path, queries: TextSet, documents: Sequence[str], *, skip_bad_rows: bool = False
) -> list[dict[int, float]]:
    """For each query the gain of each document judged: see `bert_tf.data.judgements.gathered`.

    Four columns are TREC's (query, anything, document, gain); three with the header `query-id corpus-id score` are
    BEIR's; three without one are Cranfield's, whose third is a code, where the queries are in SMART's format, and
    query, document, gain elsewhere.

    Args:
        queries: what the judgements are of.
        documents: ids of the documents.
    Raises: UserError that names file and line, also for a query that is not there.
    """
    rows = judgement_rows(path) if queries.is_smart else judgement_lines(path)
    parsers = {"query": known_id("query", queries.ids), "document": str, "gain": number_cell()}
    table: Table = collect(rows, parsers, origin=str(path), skip_bad_rows=skip_bad_rows)
    places = map(table.place, range(len(table)))
    found = zip(places, *(table.columns[name] for name in parsers), strict=True)
    return gathered(found, queries=len(queries.ids), documents=documents, origin=str(path))


def is_beir(path: Path) -> bool:
    """Whether a file of judgements has BEIR's header."""
    return tuple(read_text(path).partition("\n")[0].split()) == BEIR_HEADER


def _lines(path: Path) -> Iterator[Row]:
    names, rows = tsv_rows(path, ("line",), header=False)
    del names
    for number, row in rows:
        yield number, row if isinstance(row, BadRow) else {"id": str(number), "text": row["line"]}


def identified(number: int, row: Mapping[str, Any] | BadRow) -> Mapping[str, Any] | BadRow:
    if isinstance(row, BadRow) or not isinstance(row.get("text"), str):
        return row
    title = row.get("title")
    words = f"{title} {row['text']}".strip() if isinstance(title, str) and title else row["text"]
    return {"id": row.get("_id", row.get("id", number)), "text": words}


def unique(rows: Iterator[Row]) -> Iterator[Row]:
    seen: dict[str, int] = {}
    for number, row in rows:
        if not isinstance(row, BadRow) and "id" in row:
            first = seen.setdefault(str(row["id"]), number)
            if first != number:
                row = BadRow(f"expected an id that no other text has. Received: {shown(row['id'])}, as on line {first}")
        yield number, row


def judgement_lines(path: Path) -> Iterator[Row]:
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        cells = line.split()
        if not cells or (number == 1 and tuple(cells) == BEIR_HEADER):
            continue
        if len(cells) not in (3, 4):
            yield number, BadRow(f"expected query, (anything,) document, gain. Received: {shown(line)}")
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
