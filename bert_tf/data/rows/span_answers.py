"""Answers that are pieces of a text: what a cell says of them, and where in their context they stand."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bert_tf.data.rows.cells import shown
from bert_tf.data.rows.cells import text as text_cell
from bert_tf.data.rows.units import other_units

NO_PLACE = -1
NEAR = 2  # characters that a place may be off by, which people's tools often are
ARRAY = re.compile(r"\barray\((\[[^\]]*\])(?:,\s*dtype=[\w'<>|]+)?\)")  # as pandas writes NumPy's arrays into CSV


@dataclass(frozen=True)
class SpanAnswer:
    """A right answer: `context[start : start + len(text)] == text`, in Unicode characters, where it is trained on.

    Scores need the text alone; `start` is NO_PLACE where the data do not say it.

    >>> answer, context = SpanAnswer("Rome", 13), "She lives in Rome."
    >>> context[answer.start : answer.start + len(answer.text)]
    'Rome'
    """

    text: str
    start: int = NO_PLACE


def answers_cell(cell: Any) -> tuple[SpanAnswer, ...]:
    """The answers of a row; none where all are blank, as the official script of SQuAD v2.0 has it.

    A list of dicts as published, a dict of lists as the hubs have it (or of one text and one number), a text or a list
    of texts without places, or one of these as JSON or Python writes it, as in a CSV file. A place may be a number, or
    a text of digits; what is no place, such as -1, is NO_PLACE.
    Raises: ValueError for anything else.
    """
    if isinstance(cell, str):
        cell = _parsed(cell)
    if cell is None or (isinstance(cell, float) and cell != cell):  # NaN: an empty cell of pandas
        return ()
    if isinstance(cell, (str, bytes)):
        cell = [cell]
    if isinstance(cell, Mapping):
        cell = _one_by_one(cell)
    items: Any = cell.tolist() if hasattr(cell, "tolist") else cell  # pyright: ignore[reportAttributeAccessIssue]
    if not isinstance(items, (list, tuple)):
        raise ValueError(f"expected a list of answers. Received: {shown(cell)}")
    answers = [_answer(item) for item in items]
    return tuple(answer for answer in answers if answer is not None)


def _parsed(text: str) -> Any:
    """What a dict or a list stands for that is written out in a cell; any other text as it is."""
    if text.lstrip()[:1] not in ("{", "["):
        return text
    plain = ARRAY.sub(r"\1", text)
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(plain.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    if text.lstrip().startswith("{"):
        raise ValueError(f"expected answers, as JSON or Python writes them. Received: {shown(text)}")
    return text


def _one_by_one(cell: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    texts, starts = (_listed(cell.get(name)) for name in ("text", "answer_start"))
    if texts is None or (starts is not None and len(texts) != len(starts)):
        raise ValueError(f"expected lists 'text' and 'answer_start' of one length. Received: {shown(cell)}")
    return [
        {"text": text, "answer_start": start} for text, start in zip(texts, starts or [None] * len(texts), strict=True)
    ]


def _listed(values: Any) -> list[Any] | None:
    values = values.tolist() if hasattr(values, "tolist") else values
    if values is None:
        return None
    return list(values) if isinstance(values, (list, tuple)) else [values]


def _answer(answer: Any) -> SpanAnswer | None:
    if isinstance(answer, (str, bytes)):
        answer = {"text": answer}
    if not isinstance(answer, Mapping) or "text" not in answer:
        raise ValueError(f"expected a text, or an object with 'text' and 'answer_start'. Received: {shown(answer)}")
    text = answer["text"]
    text = text.decode("utf-8", errors="surrogateescape") if isinstance(text, bytes) else text
    if isinstance(text, str) and not text.strip():
        return None
    return SpanAnswer(text_cell(text), _place(answer.get("answer_start")))


def _place(start: Any) -> int:
    """A character; NO_PLACE for what is none."""
    value = start.item() if hasattr(start, "item") else start  # NumPy's
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]+(\.0+)?\s*", value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        return NO_PLACE
    return int(value) if value == int(value) else NO_PLACE


def placed(answers: Sequence[SpanAnswer], context: str) -> tuple[tuple[SpanAnswer, ...], str | None]:
    """The same answers, the first of them at its place in the context, and what had to be changed for that, or None.

    A place that is wrong is put right where the context leaves no doubt: see `_found`. Where the first answer is not in
    the context, another one that is comes first.
    Raises: ValueError where none can be placed.

    >>> placed([SpanAnswer("Rome", 4)], "She lives in Rome.")
    ((SpanAnswer(text='Rome', start=13),), 'stands once in the context')
    """
    for number, answer in enumerate(answers):
        if answer.start >= 0 and context.startswith(answer.text, answer.start):
            how, right = None, answer
        else:
            found = _found(answer, context)
            if found is None:
                continue
            right, how = found
        if number:
            how = "another answer of the question is in the context"
        return (right, *answers[:number], *answers[number + 1 :]), how
    raise ValueError(_problem(answers[0], context))


def _found(answer: SpanAnswer, context: str) -> tuple[SpanAnswer, str] | None:
    """Where a misplaced answer can only be: where its place is right in other units, or off by little; or its only
    place, white space apart.
    """
    text, start = answer.text, answer.start
    if start >= 0:
        units = other_units(context, start, "context")
        other = {other: how for how, other in units if other >= 0 and context.startswith(text, other)}
        if len(other) == 1:
            ((at, how),) = other.items()
            return SpanAnswer(text, at), how
    pattern = r"\s+".join(re.escape(word) for word in text.split())
    found = [match.span(1) for match in re.finditer(f"(?=({pattern}))", context)]
    near = [span for span in found if start >= 0 and abs(span[0] - start) <= NEAR]
    for spans, how in ((near, f"was off by {NEAR} characters or fewer"), (found, "stands once in the context")):
        if len(spans) == 1:
            first, last = spans[0]
            return SpanAnswer(context[first:last], first), how
    return None


def _problem(answer: SpanAnswer, context: str) -> str:
    where = f"at character {answer.start} of the context" if answer.start >= 0 else "in the context"
    count = context.count(answer.text)
    hint = f"the answer stands {count} times in the context" if count else "the answer is not in the context at all"
    there = f"{shown(context[answer.start : answer.start + len(answer.text)])} there; " if answer.start >= 0 else ""
    return f"expected the answer {shown(answer.text)} {where}. Received: {there}{hint}"
