"""Files of tagged sentences in any form that is known: which it is shows in the file."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bert_tf.data.files import DataFile, Notes, Row, Rows, Wanted, format_of, read_rows, text_lines
from bert_tf.data.files.formats import STYLES
from bert_tf.data.rows.table import BadRow, Parsers, Table, collect
from bert_tf.data.sources.annotated.cells import as_list
from bert_tf.data.sources.annotated.conllu import columns_of, columns_of_tags, conllu_rows, is_conllu
from bert_tf.data.sources.annotated.docbin import docbin_rows, docbin_tags
from bert_tf.data.sources.annotated.shapes import (
    CONLL,
    CONLLU,
    SPACY,
    Shape,
    best_tags,
    find_shape,
    shaped,
)
from bert_tf.data.sources.annotated.tools import flat_rows
from bert_tf.data.sources.base import FileSource, Source
from bert_tf.data.sources.conll import COMMENT, DOCUMENT, Conll
from bert_tf.data.sources.in_memory import InMemory
from bert_tf.errors import UserError

CONLL_SUFFIXES = ("", ".txt", ".conll", ".conll03", ".conll2003", ".iob", ".iob2", ".bio", ".bioes", ".ner", ".pos")
CONLLU_SUFFIXES = (".conllu", ".conllup")
DOCBIN = ".spacy"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Annotated(FileSource):
    r"""Sentences of tagged words in any form that people have them, a file a split.

    - A word a line with its columns, as the CoNLL tasks have them (`Conll`), and CoNLL-U, of which a word is what the
      text writes as one, and the text that of the file.
    - spaCy's DocBin (`.spacy`), with the extra `spacy`.
    - JSON, JSON lines, Parquet, CSV, TSV or Excel with a text and spans of characters (doccano, Label Studio's JSON and
      JSON_MIN, spaCy 2, Prodigy), with a list of words and one of tags, or with a word a row.

    Gives the columns `words` (a list, a text with spans, or a `Sentence`), `tags` and `document`, what was tagged as
    one: sentences of a document are best not parted when some are held out.

    Args:
        words, tags, sentence: the columns, where a file leaves a choice: by name, or in files without names by number
            from 0; None: as the file shows.
        names: of tags that are numbers, from 0.
        delimiter: what stands between the cells of CSV and TSV; None: a comma, and a tab.

    >>> import pathlib, tempfile
    >>> source = Annotated(files={"train": "train.jsonl"})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "train.jsonl")
    ...     _ = path.write_text('{"text": "Ann left.", "label": [[0, 3, "PER"]]}\n')
    ...     table = source.open(folder, "train", {"words": str, "tags": list})
    >>> table.columns["words"], table.columns["tags"]
    (['Ann left.'], [[[0, 3, 'PER']]])
    """

    words: str | None = None
    tags: str | None = None
    sentence: str | None = None
    names: tuple[str, ...] = ()
    delimiter: str | None = None

    def rows_of(self, path: Path, wanted: Wanted) -> Rows:
        return annotated_rows(DataFile(path, self.encoding), self)

    def found(self, path: Path) -> Shape:
        """What a file is. Raises: UserError for one that is of no form known, or lacks a column."""
        file = DataFile(path, self.encoding)
        form = _form(file)
        if form == CONLL:
            return _conll(file, self)
        if form == CONLLU:
            return _conllu(file, self)
        if form == SPACY:
            return Shape(SPACY, "text", docbin_tags(file, self.tags))
        rows, _ = _table(file, self.delimiter)
        return find_shape(rows, file.origin, words=self.words, tags=self.tags, sentence=self.sentence)

    def all_rows(self, path: Path) -> list[Row]:
        """The rows of a file with their numbers, unchecked."""
        return list(annotated_rows(DataFile(path, self.encoding), self).rows)


@dataclasses.dataclass(frozen=True, kw_only=True)
class AnnotatedRows(Source):
    """The same of rows in memory.

    Args:
        rows: has them, as `Annotated` reads them from tables and JSON.
        how: the columns.
    """

    rows: InMemory
    how: Annotated

    def found(self, split: str) -> Shape:
        """What the rows of a split are. Raises: UserError for rows of no form known, or without a column."""
        return self._shape(self._flat(split, Notes(split)), split)

    def rows_of_split(self, split: str) -> list[Row]:
        """The rows of a split with their numbers, unchecked."""
        return list(self._shaped(split, Notes(split)))

    def _open(self, where: str | os.PathLike[str] | None, split: str, parsers: Parsers, **options: Any) -> Table:
        notes = Notes(split)
        table = collect(self._shaped(split, notes), parsers, origin=split, has_lines=False, **options)
        notes.tell()
        return table

    def _flat(self, split: str, notes: Notes) -> list[Row]:
        return list(flat_rows(iter(enumerate(self.rows.rows(split))), notes))

    def _shape(self, rows: Sequence[Row], origin: str) -> Shape:
        return find_shape(rows, origin, words=self.how.words, tags=self.how.tags, sentence=self.how.sentence)

    def _shaped(self, split: str, notes: Notes) -> Iterator[Row]:
        rows = self._flat(split, notes)
        return shaped(iter(rows), self._shape(rows, split), notes, self.how.names)


def annotated_rows(file: DataFile, how: Annotated) -> Rows:
    """The rows of a file: see `Annotated`."""
    form = _form(file)
    if form == CONLL:
        found = _conll(file, how)
        source = Conll(files={}, word=int(found.words), tag=int(found.tags), encoding=file.encoding)
        assert file.path is not None
        return Rows((), _with_documents(source, file), Notes(file.origin))
    if form == CONLLU:
        return conllu_rows(file, _conllu(file, how).tags)
    if form == SPACY:
        return docbin_rows(file, docbin_tags(file, how.tags))
    rows, read = _table(file, how.delimiter)
    shape = find_shape(rows, file.origin, words=how.words, tags=how.tags, sentence=how.sentence)
    return Rows((), shaped(iter(rows), shape, read.notes, how.names), read.notes, read.has_lines)


def _table(file: DataFile, delimiter: str | None) -> tuple[list[Row], Rows]:
    """All rows of a file whose columns have names, and their reader, which has notes of them."""
    name = format_of(file)
    style = STYLES.get(name)
    if style is not None and delimiter is not None:
        style = dataclasses.replace(style, separator=delimiter, quoted=None if delimiter == "\t" else True)
    read = read_rows(file, Wanted(whole=True), name, style)
    rows = list(flat_rows(read.rows, read.notes))
    if len(rows) == 1 and isinstance(rows[0][1], Mapping) and not _has_sentence(rows[0][1]):
        read = read_rows(file, Wanted(), name, style)  # its rows may be an object's list
        rows = list(flat_rows(read.rows, read.notes))
    return rows, read


def _has_sentence(row: Mapping[str, Any]) -> bool:
    """Whether a row has a text with spans, or lists of words and tags."""
    lists = [cell for cell in map(as_list, row.values()) if cell]
    return len(lists) > 1 or (bool(lists) and any(isinstance(cell, str) and " " in cell for cell in row.values()))


def _form(file: DataFile) -> str:
    """CONLL, CONLLU, SPACY or "table"."""
    if file.suffix == DOCBIN:
        return SPACY
    if file.suffix in CONLLU_SUFFIXES:
        return CONLLU
    if file.suffix in CONLL_SUFFIXES or (file.suffix in (".tsv", ".tab") and _is_conll(file)):
        lines = [line.rstrip("\r\n") for line in text_lines(file)]
        return CONLLU if is_conllu(lines) else CONLL
    return "table"


def _is_conll(file: DataFile) -> bool:
    """Whether a file with tabs has sentences with empty lines between, and no header."""
    lines = [line.rstrip("\r\n") for line in text_lines(file)]
    while lines and not lines[-1].strip():
        lines.pop()
    return any(not line.strip() or line.startswith((DOCUMENT, COMMENT)) for line in lines)


def _conll(file: DataFile, how: Annotated) -> Shape:
    assert file.path is not None
    numbers = {}
    for flag, name in (("--text", how.words), ("--label", how.tags)):
        if name is not None and not name.lstrip("-").isdigit():
            raise UserError(
                f"{flag}={name}: expected a number from 0, or below 0 from the last, as the columns of {file.origin} "
                f"have no names. Received: {name!r}"
            )
        numbers[flag] = None if name is None else int(name)
    word = numbers["--text"] or 0
    every = [numbers["--label"]] if numbers["--label"] is not None else None
    columns: dict[str, list[str]] = {}
    words: set[str] = set()
    width = len(_first_row(file, word))
    for tag in every or range(word % width + 1, width):
        rows = list(Conll(files={}, word=word, tag=tag, encoding=file.encoding)._read(file.path)[1])
        good = [row for _, row in rows if not isinstance(row, BadRow)]
        columns[str(tag)] = [cell for row in good for cell in row.get("tags", ())]
        words |= {word for row in good for word in row["words"]}
    columns = {name: cells for name, cells in columns.items() if cells}
    chosen = best_tags(columns, different=len(words))
    if chosen is None:
        raise UserError(f"{file.origin}: expected words and their tags, with tabs or spaces between. Received: words")
    return Shape(CONLL, str(word), chosen, candidates=tuple(name for name in columns if name != chosen))


def _first_row(file: DataFile, word: int) -> list[str]:
    """The columns of the first line that is a word's for certain."""
    for line in text_lines(file):
        line = line.rstrip("\r\n")
        if line.strip() and not line.startswith((COMMENT, DOCUMENT)):
            cells = line.split("\t") if "\t" in line else line.split()
            return cells if len(cells) < 2 or cells[-1] else cells[:-1]
    raise UserError(f"{file.origin}: expected one sentence at least. Received: none")


def _conllu(file: DataFile, how: Annotated) -> Shape:
    lines = [line.rstrip("\r\n") for line in text_lines(file)]
    names, tags = columns_of(lines), how.tags
    values = columns_of_tags(lines)
    if not any(values.values()):
        raise UserError(f"{file.origin}: expected one sentence of CoNLL-U at least. Received: none")
    telling = {name: counts for name, counts in values.items() if len(counts) > 1}
    if tags is None:
        tags = "UPOS" if "UPOS" in telling else "XPOS" if "XPOS" in telling else None
        others: Mapping[str, Counter[str]] = {
            name: counts for name, counts in telling.items() if name not in ("ID", "FORM", "LEMMA", "HEAD", "DEPS")
        }
        tags = tags or best_tags(
            {name: list(counts) for name, counts in others.items()}, different=len(values.get("FORM", ()))
        )
    if tags is None:
        raise UserError(f"{file.origin}: expected a column of tags, such as UPOS. Received: none with two values")
    offered = tuple(name for name in telling if name not in (tags, "ID", "FORM", "LEMMA", "HEAD"))
    return Shape(CONLLU, "FORM" if "FORM" in names else names[min(1, len(names) - 1)], tags, candidates=offered)


def _with_documents(source: Conll, file: DataFile) -> Iterator[Row]:
    """Sentences with the number of the document that they are of: a sentence each where none is marked."""
    assert file.path is not None
    marks = [
        number for number, line in enumerate(text_lines(file), start=1) if line[: len(DOCUMENT)].upper() == DOCUMENT
    ]
    at = 0
    for number, row in source._read(file.path)[1]:
        while at < len(marks) and marks[at] < number:
            at += 1
        yield number, row if isinstance(row, BadRow) else {**row, "document": at if marks else number}
