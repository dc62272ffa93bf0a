"""SQuAD's format, v1.1 and v2.0: one JSON object of articles, paragraphs and questions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bert_tf.data.cells import shown
from bert_tf.data.cells import text as text_cell
from bert_tf.data.sources import FileSource
from bert_tf.data.table import BadRow
from bert_tf.data.text_files import Row, read_text
from bert_tf.errors import UserError


@dataclass(frozen=True)
class SpanAnswer:
    """A right answer: `context[start : start + len(text)] == text`, in Unicode characters."""

    text: str
    start: int


@dataclass(frozen=True, kw_only=True)
class Squad(FileSource):
    """A JSON file a split, as the Stanford Question Answering Dataset is published.

    A row has the columns `id`, `question`, `context` and, where the file has them, `answers`, a list of dicts with
    `text` and `answer_start`; it is empty where `is_impossible` is true. A row's line is that of its `id`.
    """

    def _read(self, path: Path) -> tuple[Sequence[str], Iterator[Row]]:
        content = read_text(path)
        try:
            value = json.loads(content)
        except json.JSONDecodeError as error:
            raise UserError(
                f"{path}:{error.lineno}: expected JSON. Received: {error.msg} (column {error.colno})"
            ) from None
        except RecursionError:
            raise UserError(f"{path}:1: expected JSON. Received: too many brackets in brackets") from None
        if not isinstance(value, dict) or not isinstance(value.get("data"), list):
            raise UserError(f"{path}:1: expected a JSON object with a list 'data'. Received: {shown(value)}")
        return (), _rows(value["data"], _Lines(content))


class _Lines:
    """Finds the line that an id stands on; ids are asked for in the file's order, so it is found in one pass."""

    def __init__(self, content: str) -> None:
        self.content, self.at, self.line = content, 0, 1

    def __call__(self, name: Any) -> int:
        """The line of the next place where `name` stands as JSON; the last line found, where it stands nowhere."""
        for spelling in {json.dumps(name), json.dumps(name, ensure_ascii=False)}:
            found = self.content.find(spelling, self.at)
            if found >= 0:
                self.line += self.content.count("\n", self.at, found)
                self.at = found
                break
        return self.line


def _rows(articles: list[Any], lines: _Lines) -> Iterator[Row]:
    for a, article in enumerate(articles):
        paragraphs = article.get("paragraphs") if isinstance(article, dict) else None
        if not isinstance(paragraphs, list):
            yield (
                lines.line,
                BadRow(f"data[{a}]: expected an object with a list 'paragraphs'. Received: {shown(article)}"),
            )
            continue
        for p, paragraph in enumerate(paragraphs):
            where = f"data[{a}].paragraphs[{p}]"
            questions = paragraph.get("qas") if isinstance(paragraph, dict) else None
            if not isinstance(questions, list) or "context" not in paragraph:
                expected = "expected an object with a text 'context' and a list 'qas'"
                yield lines.line, BadRow(f"{where}: {expected}. Received: {shown(paragraph)}")
                continue
            for q, question in enumerate(questions):
                if not isinstance(question, dict):
                    reason = f"{where}.qas[{q}]: expected an object. Received: {shown(question)}"
                    yield lines.line, BadRow(reason)
                    continue
                yield lines(question.get("id")), _row(question, paragraph["context"])


def _row(question: Mapping[str, Any], context: Any) -> Mapping[str, Any] | BadRow:
    row = {name: question[name] for name in ("id", "question", "answers") if name in question} | {"context": context}
    impossible = question.get("is_impossible", False)
    if not isinstance(impossible, bool):
        return BadRow(f"{named(row)}expected 'is_impossible' true or false. Received: {shown(impossible)}")
    if impossible and row.setdefault("answers", []):
        return BadRow(f"{named(row)}expected no answers where 'is_impossible'. Received: {shown(row['answers'])}")
    return row


def named(row: Mapping[str, Any]) -> str:
    """What a reason starts with, so that the question can be found."""
    return f"question {shown(row['id'])}: " if "id" in row else ""


def question_cell(cell: Any) -> str:
    """A text, which may be blank: published sets have such questions."""
    return cell if isinstance(cell, str) and not cell.strip() else text_cell(cell)


def answers_cell(cell: Any) -> tuple[SpanAnswer, ...]:
    """The answers of a row: a list of dicts as published, or a dict of lists as the hubs have it."""
    if isinstance(cell, Mapping):
        texts, starts = (_listed(cell.get(name)) for name in ("text", "answer_start"))
        if texts is None or starts is None or len(texts) != len(starts):
            raise ValueError(f"expected lists 'text' and 'answer_start' of one length. Received: {shown(cell)}")
        cell = [{"text": text, "answer_start": start} for text, start in zip(texts, starts, strict=True)]
    if not isinstance(cell, (list, tuple)):
        raise ValueError(f"expected a list of answers. Received: {shown(cell)}")
    return tuple(_answer(answer) for answer in cell)


def _listed(values: Any) -> list[Any] | None:
    values = values.tolist() if hasattr(values, "tolist") else values  # NumPy's
    return list(values) if isinstance(values, (list, tuple)) else None


def _answer(answer: Any) -> SpanAnswer:
    if not isinstance(answer, Mapping) or "text" not in answer or "answer_start" not in answer:
        raise ValueError(f"expected an object with 'text' and 'answer_start'. Received: {shown(answer)}")
    text, start = answer["text"], answer["answer_start"]
    text = text.decode("utf-8", errors="surrogateescape") if isinstance(text, bytes) else text
    if isinstance(start, bool) or not isinstance(start, int) or start < 0:
        raise ValueError(f"expected an 'answer_start' of 0 or more. Received: {shown(answer)}")
    return SpanAnswer(text_cell(text), start)


def check_answers(answers: Sequence[SpanAnswer], context: str) -> str | None:
    """What is wrong with the answers' places in their context, or None."""
    for answer in answers:
        there = context[answer.start : answer.start + len(answer.text)]
        if there != answer.text:
            at = context.find(answer.text)
            hint = f"; the answer stands at {at}" if at >= 0 else "; the answer is not in the context at all"
            return (
                f"expected the answer {shown(answer.text)} at character {answer.start} of the context. "
                f"Received: {shown(there)} there{hint}"
            )
    return None
