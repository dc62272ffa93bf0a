"""SQuAD's format, v1.1 and v2.0, and the forms that other sets and libraries give it."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from bert_tf.data.files import Row, read_text
from bert_tf.data.rows.cells import shown
from bert_tf.data.rows.cells import text as text_cell
from bert_tf.data.rows.table import BadRow
from bert_tf.data.sources.base import FileSource
from bert_tf.errors import UserError

# Our columns, and what files call them: the first that is there counts.
COLUMNS = {
    "id": ("id", "query_id", "qid", "guid"),
    "question": ("question", "query_text"),
    "context": ("context", "context_text"),
    "answers": ("answers", "answer", "answer_text"),
    "answer_start": ("answer_start",),
    "is_impossible": ("is_impossible",),
}
STRUCTURE = ("data", "paragraphs", "qas", "header", "text")
# What says nothing about answers, or, as the last, what is no right answer.
HARMLESS = ("version", "title", "context_id", "document_id", "answer_id", "answer_end", "plausible_answers")
KNOWN = frozenset((*STRUCTURE, *HARMLESS, *(name for names in COLUMNS.values() for name in names)))

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Squad(FileSource):
    """One JSON file for each split, as the Stanford Question Answering Dataset is published: articles of paragraphs of
    questions.

    Also read: the list of articles alone; a list of paragraphs (CMRC's own form, MRQA's); questions each with its
    context, as Transformers' scripts take them; and each of these as JSON lines. A row has the columns `id`,
    `question`, `context` and, where the file has them, `is_impossible` (None where a question does not say it) and
    `answers`, which `bert_tf.data.rows.span_answers.answers_cell` reads; they are empty where `is_impossible` is true.
    A row's line is that of its `id`. Keys that are not known are named on the log.

    >>> import pathlib, tempfile
    >>> source = Squad(files={"train": "train.json"})
    >>> answers = {"text": ["Rome"], "answer_start": [3]}
    >>> row = {"id": "1", "question": "Where?", "context": "In Rome.", "answers": answers}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pathlib.Path(folder, "train.json").write_text(json.dumps([row]))
    ...     table = source.open(folder, "train", {"question": str})
    >>> table.columns["question"]
    ['Where?']
    """

    own_suffixes: ClassVar[tuple[str, ...]] = (".json", ".jsonl", ".ndjson")

    def _read(self, path: Path) -> tuple[Sequence[str], Iterator[Row]]:
        content = read_text(path, self.encoding)
        try:
            value = _json(content)
        except json.JSONDecodeError as error:
            raise UserError(
                f"{path}:{error.lineno}: expected JSON. Received: {error.msg} (column {error.colno})"
            ) from None
        except RecursionError:
            raise UserError(f"{path}:1: expected JSON. Received: too many brackets in brackets") from None
        items = value.get("data") if isinstance(value, dict) else value
        if isinstance(value, dict) and any(name in value for name in ("paragraphs", "qas", *COLUMNS["question"])):
            items = [value]  # JSON lines of a single line
        if not isinstance(items, list):
            raise UserError(f"{path}:1: expected a JSON object with a list 'data', or a list. Received: {shown(value)}")
        return (), _logged(_even(list(_rows(items, _Lines(content)))), path)


def _json(content: str) -> Any:
    """One value, or a list of those that stand on a line each."""
    try:
        return json.loads(content)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise
        values = []
        for number, line in enumerate(content.split("\n"), start=1):
            if line.strip():
                try:
                    values.append(json.loads(line))
                except json.JSONDecodeError as inner:
                    raise json.JSONDecodeError(inner.msg, "\n" * (number - 1) + line, number - 1 + inner.pos) from None
        return values


class _Lines:
    """Finds the line that an id stands on; ids are asked for in the file's order, so it is found in one pass."""

    def __init__(self, content: str) -> None:
        self.content, self.at, self.line = content, 0, 1

    def __call__(self, name: Any) -> int:
        """The line of the next place where `name` stands as JSON; the last line found, where it stands nowhere."""
        if name is None:
            return self.line
        for spelling in {json.dumps(name), json.dumps(name, ensure_ascii=False)}:
            found = self.content.find(spelling, self.at)
            if found >= 0:
                self.line += self.content.count("\n", self.at, found)
                self.at = found + 1
                break
        return self.line


@dataclass(frozen=True)
class _Found:
    """A row, or why there is none, and all keys of the objects that it comes from."""

    row: Mapping[str, Any] | BadRow
    line: int
    keys: Sequence[str] = ()


def _rows(items: list[Any], lines: _Lines) -> Iterator[_Found]:
    for i, item in enumerate(items):
        where = f"data[{i}]"
        if not isinstance(item, dict):
            expected = "expected an object with a list 'paragraphs' or 'qas', or with a question"
            yield _Found(BadRow(f"{where}: {expected}. Received: {shown(item)}"), lines.line)
        elif isinstance(item.get("paragraphs"), list):
            for p, paragraph in enumerate(item["paragraphs"]):
                for found in _of_paragraph(paragraph, f"{where}.paragraphs[{p}]", lines):
                    yield _Found(found.row, found.line, [*item, *found.keys])
        elif "qas" in item:
            yield from _of_paragraph(item, where, lines)
        elif any(name in item for name in COLUMNS["question"]):
            yield _row(item, item, where, lines)
        elif set(item) != {"header"}:  # the first line of MRQA's files
            expected = "expected an object with a list 'paragraphs' or 'qas', or with a question"
            yield _Found(BadRow(f"{where}: {expected}. Received: {shown(item)}"), lines.line)


def _even(rows: list[_Found]) -> Iterator[_Found]:
    """The rows; where one says whether it has an answer, all have a cell for that."""
    is_said = any(isinstance(found.row, Mapping) and "is_impossible" in found.row for found in rows)
    for found in rows:
        if is_said and isinstance(found.row, Mapping):
            yield replace(found, row={"is_impossible": None, **found.row})
        else:
            yield found


def _of_paragraph(paragraph: Any, where: str, lines: _Lines) -> Iterator[_Found]:
    questions = paragraph.get("qas") if isinstance(paragraph, dict) else None
    if not isinstance(questions, list) or _named(paragraph, "context") is None:
        expected = "expected an object with a text 'context' and a list 'qas'"
        yield _Found(BadRow(f"{where}: {expected}. Received: {shown(paragraph)}"), lines.line)
        return
    for q, question in enumerate(questions):
        yield _row(question, paragraph, f"{where}.qas[{q}]", lines)


def _row(question: Any, context: Mapping[str, Any], where: str, lines: _Lines) -> _Found:
    """The columns of a question, whose context another object may hold."""
    if not isinstance(question, dict):
        return _Found(BadRow(f"{where}: expected an object. Received: {shown(question)}"), lines.line)
    row: dict[str, Any] = {}
    for column in COLUMNS:
        of = context if column == "context" else question
        name = _named(of, column)
        if name is not None:
            row[column] = of[name]
    keys = [*question, *context]
    answers = row.get("answers")
    for answer in answers if isinstance(answers, list) else ():
        keys += answer if isinstance(answer, dict) else []
    line = lines(row.get("id"))
    if "is_impossible" in row:
        try:
            row["is_impossible"] = flag_cell(row["is_impossible"])
        except ValueError as error:
            return _Found(BadRow(f"{named(row)}expected 'is_impossible' {error}"), line, keys)
        if row["is_impossible"]:
            row.setdefault("answers", [])
    return _Found(row, line, keys)


def _named(item: Mapping[str, Any], column: str) -> str | None:
    """What this object calls a column of ours, or None where it has none."""
    return next((name for name in COLUMNS[column] if name in item), None)


def _logged(rows: Iterator[_Found], path: Path) -> Iterator[Row]:
    """The rows; after the last one it names keys that were not read and ids that came again."""
    unknown: Counter[str] = Counter()
    lines: dict[str, int] = {}
    again: list[str] = []
    for found in rows:
        unknown.update(set(found.keys) - KNOWN)
        if isinstance(found.row, Mapping) and "id" in found.row:
            name = str(found.row["id"])
            if name in lines:
                again.append(f"{shown(name)} on lines {lines[name]} and {found.line}")
            lines.setdefault(name, found.line)
        yield found.line, found.row
    if unknown:
        logger.warning("%s: keys that are not read: %s", path, ", ".join(map(shown, sorted(unknown))))
    if again:
        logger.warning(
            "%s: ids of more than one question, which scripts that go by ids take for one: %d, such as %s",
            path,
            len(again),
            ", ".join(again[:3]),
        )


def named(row: Mapping[str, Any]) -> str:
    """What a reason starts with, so that the question can be found."""
    return f"question {shown(row['id'])}: " if "id" in row else ""


def flag_cell(cell: Any) -> bool | None:
    """True or false, as JSON, a number or a text says it; None where nothing does."""
    value = cell.strip().lower() if isinstance(cell, str) else cell
    if value is None or value == "" or (isinstance(value, float) and value != value):
        return None
    if value in (True, "true", "1"):
        return True
    if value in (False, "false", "0"):
        return False
    raise ValueError(f"true or false. Received: {shown(cell)}")


def blank_or_text(cell: Any) -> str:
    """A text, which may be blank: published sets have such questions, and contexts without an answer."""
    return cell if isinstance(cell, str) and not cell.strip() else text_cell(cell)
