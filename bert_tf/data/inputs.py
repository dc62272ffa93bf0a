"""What predict is given: texts on the command line, or a file of any format that `bert_tf.data.files` knows."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from bert_tf.data.files import FORMATS, DataFile, Format, Notes, Row, Rows, Style, Wanted, format_of, text_lines
from bert_tf.data.files.delimited import SEPARATORS
from bert_tf.data.files.formats import LINE
from bert_tf.data.rows.cells import is_missing, shown, whole_text
from bert_tf.data.rows.table import BadRow, place
from bert_tf.data.sources.base import FileSource, Source
from bert_tf.data.sources.conll import Conll
from bert_tf.data.sources.table_files import Delimited
from bert_tf.data.tagged.joining import join_words
from bert_tf.errors import UserError, did_you_mean

LINES_LOOKED_AT = 50
CONLL_U = ".conllu"  # ten columns: the words are in column 1, their parts of speech in column 3
TAGGED_LINE = re.compile(r"\S+[ \t](?:.*[ \t])?(?:O|[BIESLUM]-\S+)")


class Input(NamedTuple):
    """One text to answer, or what is wrong with it.

    Args:
        place: where it is, for messages: "test.csv:3".
        texts: a text for each of the task's columns.
        others: the other columns of its row, which come back in its answer.
        error: what is wrong, with the place; then there are no texts.
    """

    place: str
    texts: tuple[str, ...] = ()
    others: Mapping[str, Any] = MappingProxyType({})
    error: str | None = None

    @property
    def text(self) -> str:
        """The first text."""
        return self.texts[0] if self.texts else ""

    @property
    def pair(self) -> str | None:
        """The second of a pair."""
        return self.texts[1] if len(self.texts) == 2 else None


def text_only(cell: Any, column: str = "") -> str:
    """A cell that is a text, whatever its column. Raises: ValueError for another one."""
    del column
    if not isinstance(cell, str):
        raise ValueError(f"expected text. Received: {shown(cell)}{', a missing value' if is_missing(cell) else ''}")
    return cell


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a file of inputs is to be read.

    Args:
        columns: the task's columns of text. Lines of a task with several have a tab between the texts.
        read_cell: the text that a cell stands for, of the column that the task calls so; its ValueError says what it
            is not.
        file_format: a name of `INPUT_FORMATS`; None: by the file's suffix.
        text_column, pair_column: what the file calls the task's first and second column; None: as the task does.
        encoding: of text files; None: UTF-8, or what a byte order mark says.
        source: the task's, which knows how its own files are laid out.
        joiner: what stands between the words of CoNLL files: see `bert_tf.data.tagged.joining.join_words`.
    """

    columns: Sequence[str]
    read_cell: Callable[[Any, str], str] = text_only
    file_format: str | None = None
    text_column: str | None = None
    pair_column: str | None = None
    encoding: str | None = None
    source: Source | None = None
    joiner: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The columns by the names that the file has for them. Raises: UserError for a pair that the task has not."""
        if self.pair_column is not None and len(self.columns) == 1:
            raise UserError(f"--pair-column: this task has one text, {self.columns[0]}. Received: {self.pair_column!r}")
        given = (self.text_column, self.pair_column)
        return tuple(name or ours for name, ours in zip_longest(given[: len(self.columns)], self.columns))

    @property
    def named(self) -> list[tuple[str, str]]:
        """What the task calls each column, and what the file does. Raises: as `names`."""
        return list(zip(self.columns, self.names, strict=True))


def conll_rows(file: DataFile, source: Source | None = None, joiner: str | None = None) -> Rows:
    """Sentences of a CoNLL file as the column `text`, their words joined as in training; tags as the column `tags`."""
    assert file.path is not None, "standard input is read into a file first"
    layout = replace(source if isinstance(source, Conll) else Conll(files={}), encoding=file.encoding)
    if file.suffix == CONLL_U:
        layout = replace(layout, word=1, tag=3, scheme=None, columns=None)
    names, rows = layout._read(file.path)
    del names

    def joined() -> Iterator[Row]:
        found = list(rows)
        sentences = [row["words"] for _, row in found if not isinstance(row, BadRow)]
        texts = iter(join_words(sentences, joiner, origin=file.origin).texts)
        for number, row in found:
            if isinstance(row, BadRow):
                yield number, row
            else:
                tags = {"tags": list(row["tags"])} if "tags" in row else {}
                yield number, {"text": next(texts), **tags}

    return Rows((), joined(), Notes(file.origin))


INPUT_FORMATS: Mapping[str, Format] = {
    **FORMATS,
    "conll": Format(
        (".conll", ".conll03", ".iob", ".iob2", ".bio", CONLL_U), lambda file, wanted, style: conll_rows(file)
    ),
}


def read_inputs(texts: Sequence[str] | None, name: str | None, reading: Reading) -> Iterator[Input]:
    """Yields what is to be answered, in order; an empty line or cell is an empty text.

    Args:
        texts: what --text gave, or None.
        name: a path, or "-" for standard input, where `texts` is None.
    Raises: UserError at once for a file that cannot be opened, is of no format known, or lacks the columns; and for
        one that breaks off when it comes to it. A single row that cannot be read comes as an `Input` with an error.
    """
    if texts is not None:
        many = len(texts) > 1
        return (
            input_of_line(text, f"--text{f' {i}' if many else ''}", reading) for i, text in enumerate(texts, start=1)
        )
    assert name is not None
    path = None if name == "-" else Path(name).expanduser()
    file = DataFile(
        path, reading.encoding, sys.stdin.buffer if path is None else None, name if path else "standard input"
    )
    file.is_text = reading.file_format is not None
    if path is not None and not path.is_file():
        came = "a folder" if path.is_dir() else "no such file"
        raise UserError(f"--input={name}: expected a file that can be read. Received: {came}")
    chosen = format_of(file, reading.file_format, formats=INPUT_FORMATS)
    if chosen == "lines":
        if reading.text_column is not None:
            raise UserError(f"--text-column: {file.origin} is a text a line, without columns; see --input-format")
        return _lines(file, reading)
    wanted = Wanted(required=reading.names)
    if chosen == "conll":
        if file.path is None:
            raise UserError("--input=-: a CoNLL file is read by its name. Received: standard input")
        return _of_rows(conll_rows(file, reading.source, reading.joiner), reading)
    source = reading.source
    if isinstance(source, FileSource) and file.path is not None and file.suffix in source.own_suffixes:
        rows = replace(source, encoding=reading.encoding or source.encoding).rows_of(file.path, wanted)
    else:
        rows = INPUT_FORMATS[chosen].read(file, wanted, _style(chosen, reading))
    if rows.names:
        _check_names(rows.names, reading, f"{file.origin}:1")
    return _of_rows(rows, reading)


def _style(chosen: str, reading: Reading) -> Style:
    """A file laid out as the task's own is read so, too, without a header that names the columns."""
    source = reading.source
    own = source.columns if isinstance(source, Delimited) and source.columns is not None else None
    also = (own, source.header) if own is not None and isinstance(source, Delimited) else None
    if chosen == "tsv":
        return Style(separator="\t", header=None, columns=reading.names, quoted=None, also=also)
    return Style(separator=",", header=None, also=also)


def _check_names(names: Sequence[str], reading: Reading, origin: str) -> None:
    for wanted, flag in zip_longest(reading.names, ("--text-column", "--pair-column")[: len(reading.names)]):
        if wanted not in names:
            how = f" Say which it is with {flag}=NAME; a file without a line that names its columns needs one"
            raise UserError(
                f"{origin}: expected the column{'s' * (len(reading.names) > 1)} {', '.join(reading.names)}. Received: "
                f"{shown(list(names), 200)} without {wanted!r}.{did_you_mean(wanted, names)}{how if flag else ''}"
            )


def _of_rows(rows: Rows, reading: Reading) -> Iterator[Input]:
    first = next(rows.rows, None)
    if first is not None and not rows.names and not isinstance(first[1], BadRow):
        _check_names(list(first[1]), reading, place(rows.notes.origin, first[0], rows.has_lines))

    def each() -> Iterator[Input]:
        names = reading.names
        for number, row in chain([] if first is None else [first], rows.rows):
            yield _of_row(place(rows.notes.origin, number, rows.has_lines), row, names, reading)
        rows.notes.tell()

    return each()


def _of_row(where: str, row: Mapping[str, Any] | BadRow, names: Sequence[str], reading: Reading) -> Input:
    if isinstance(row, BadRow):
        return Input(where, error=f"{where}: {row.reason}")
    others = {name: cell for name, cell in row.items() if name not in names}
    found = []
    for name, column in zip(names, reading.columns, strict=True):
        try:
            if name not in row:
                raise ValueError(f"expected the column {name!r}. Received: {shown(list(row))}")
            found.append(whole_text(reading.read_cell(row[name], column)))
        except ValueError as error:
            problem = error if name not in row else f"column {name!r}: {error}"
            return Input(where, others=others, error=f"{where}: {problem}")
    return Input(where, tuple(found), others)


def _lines(file: DataFile, reading: Reading) -> Iterator[Input]:
    _refuse_tagged(file, reading)
    rows = FORMATS["lines"].read(file, Wanted(), Style())
    for number, row in rows.rows:
        where = place(file.origin, number, rows.has_lines)
        if number == 1 and reading.file_format is None and not isinstance(row, BadRow):
            _refuse_table(row[LINE], where, reading.names)
        if isinstance(row, BadRow):
            yield Input(where, error=f"{where}: {row.reason}")
        else:
            yield input_of_line(row[LINE], where, reading)


def _refuse_table(first: str, where: str, names: Sequence[str]) -> None:
    """Raises: UserError for a first line that names the task's columns, where nobody said that lines are texts."""
    found = ""
    if any(set(names) <= {cell.strip(' "') for cell in first.split(s)} != {first} for s in SEPARATORS):
        found = "a header of columns"
    elif first.startswith("{"):
        with contextlib.suppress(ValueError, RecursionError):
            value = json.loads(first)
            found = "a JSON object" if isinstance(value, dict) and set(names) <= set(value) else ""
    if found:
        raise UserError(
            f"{where}: expected a text a line. Received: {found} with {', '.join(map(repr, names))}: {shown(first)}; "
            "say what the file is with --input-format=csv, tsv, jsonl or lines"
        )


def input_of_line(line: str, where: str, reading: Reading) -> Input:
    """A text, or the texts of the task's columns with a tab between them; `where` is its place, for messages."""
    try:
        whole_text(line)
    except ValueError as error:
        return Input(where, error=f"{where}: {error}")
    texts = tuple(line.split("\t", len(reading.columns) - 1))
    if len(texts) < len(reading.columns):
        tabs = "no tab" if len(texts) == 1 else f"{len(texts) - 1} tab{'s' * (len(texts) > 2)}"
        expected = f"expected {', a tab, '.join(reading.columns)}"
        return Input(where, error=f"{where}: {expected}. Received: {tabs} in {shown(line)}")
    if len(texts) > 1:  # as a row of a table
        return _of_row(where, dict(zip(reading.columns, texts, strict=True)), reading.columns, reading)
    return Input(where, texts)


def _refuse_tagged(file: DataFile, reading: Reading) -> None:
    """Raises: UserError for a file whose every line is a word and a tag, where nobody said that lines are texts."""
    if reading.file_format is not None or file.path is None:
        return
    seen = 0
    for number, line in enumerate(text_lines(file)):
        line = line.rstrip("\r\n ")
        if number == LINES_LOOKED_AT:
            break
        if line and not line.startswith(("-DOCSTART-", "# ")):
            if TAGGED_LINE.fullmatch(line) is None:
                return
            seen += 1
    if seen > 1:
        raise UserError(
            f"{file.origin}: expected a text a line, as its name says. Received: a word and its tag on every line, as "
            "in CoNLL files; say which it is with --input-format=conll or --input-format=lines"
        )
