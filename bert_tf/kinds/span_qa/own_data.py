"""Questions over somebody's own texts: which column is what, and whether a question may have no answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bert_tf.config import OwnDataConfig
from bert_tf.data import Source, Squad
from bert_tf.data.files import Wanted
from bert_tf.data.rows.cells import is_missing
from bert_tf.data.rows.span_answers import NO_PLACE, SpanAnswer, answers_cell
from bert_tf.data.rows.table import BadRow
from bert_tf.data.sources.squad import flag_cell
from bert_tf.data.splits.names import TRAIN
from bert_tf.errors import UserError
from bert_tf.kinds.base import Kind
from bert_tf.kinds.own_data import Column, Given, Inferred, OwnKind, column_called, columns_of
from bert_tf.kinds.own_data.base import table_source
from bert_tf.kinds.span_qa.examples import IMPOSSIBLE
from bert_tf.kinds.span_qa.spec import SpanQA

QUESTIONS = ("question", "questions", "query", "query_text", "q")
CONTEXTS = ("context", "contexts", "passage", "paragraph", "article", "document", "text", "context_text", "source")
ANSWERS = ("answers", "answer", "answer_text", "answers_text", "label", "target", "response")
PLACES = ("answer_start", "answer_start_char", "start", "start_char", "start_position", "answer_offset")
SQUAD = "squad"
JSON = (".json", ".jsonl", ".ndjson")
SHORTEST, LONGEST = 128, 384
"""Tokens of a window, at most as many as SQuAD's own recipes have: longer contexts are read in several."""
WITH_NONE = ("f1", "exact_match", "has_answer_f1", "no_answer_f1")


def infer(own: OwnDataConfig, given: Given) -> Inferred:
    """Raises: UserError for columns that are not there or cannot be told."""
    squad = _squad_columns(own, given)
    columns = squad or columns_of(given)
    question = column_called(own.question, "--question", QUESTIONS, columns, (), given.origin)
    context = column_called(_one("--text", own.text), "--text", CONTEXTS, columns, (question,), given.origin)
    label = column_called(_one("--label", own.label), "--label", ANSWERS, columns, (question, context), given.origin)
    place = next((name for name in PLACES if name in columns and name not in (question, context, label)), None)
    counts, lengths = _places(columns, context, label, place)
    none = own.no_answer or ("yes" if counts["none"] else "no")
    rows = len(columns[question].cells)
    settings: dict[str, Any] = {
        "question": question,
        "text": (context,),
        "label": (label,),
        "start": own.start or place,
    }
    settings |= {"layout": SQUAD if squad else None, "no_answer": none, "group": own.group or (context,)}
    settings["metrics"] = own.metrics or (WITH_NONE if none == "yes" else WITH_NONE[:2])
    contexts = len(columns[context].counts)
    return Inferred(
        settings=settings,
        lines=[
            f"question: {question!r}; text that answers it (context): {context!r}; answers: {label!r}"
            + (f", which begin at the character that {place!r} says" if place else ""),
            _answers_line(counts, none, rows),
            f"{contexts:,} different contexts, which stay whole on one side of the validation draw",
        ],
        warnings=_warnings(counts, rows, lengths),
        texts=[
            [str(asked), str(text)]
            for asked, text in zip(columns[question].cells, columns[context].cells, strict=True)
            if not is_missing(asked) and not is_missing(text)
        ],
        rows=rows if squad else None,
        shortest=SHORTEST,
        longest=LONGEST,
        longer="are read in windows that overlap",
    )


def source(own: OwnDataConfig, rows: Source | None) -> Source:
    """All questions of a context stay on one side."""
    assert own.group
    read = rows or (Squad(files={TRAIN: "train.json"}) if own.layout == SQUAD else None)
    return table_source(own, read, same=own.group)


def make(own: OwnDataConfig, rows: Source, sequence_length: int) -> Kind:
    """The task; windows share a third of their tokens."""
    assert own.question
    assert own.text
    assert own.label
    assert own.metrics
    return SpanQA(
        source=rows,
        question=own.question,
        context=own.text[0],
        answers=own.label[0],
        answer_start=own.start or "answer_start",
        no_answer=own.no_answer == "yes",
        metrics=own.metrics,
        sequence_length=sequence_length,
        stride=sequence_length // 3,
        question_tokens=min(64, sequence_length // 2),
    )


OWN_DATA = OwnKind(
    keys=("question", "text", "label", "start", "no_answer", "layout", "group", "metrics"),
    example="--question=question --text=context --label=answer",
    infer=infer,
    source=source,
    make=make,
)


def _squad_columns(own: OwnDataConfig, given: Given) -> dict[str, Column] | None:
    """The columns of the training rows where they are SQuAD's own JSON, or a form of it; None of another file."""
    path = given.files.get(TRAIN)
    if path is None or not _is_json(path) or own.split_column is not None:
        return None
    rows = Squad(files={}, encoding=given.encoding).rows_of(path, Wanted()).rows
    kept: list[Mapping[str, Any]] = [row for _, row in rows if not isinstance(row, BadRow) and "context" in row]
    names = dict.fromkeys(name for row in kept for name in row)
    return {name: Column(name, [row.get(name) for row in kept]) for name in names} or None


def _is_json(path: Path) -> bool:
    return any(suffix in JSON for suffix in path.suffixes)


def _one(flag: str, names: tuple[str, ...] | None) -> str | None:
    if names is not None and len(names) > 1:
        raise UserError(f"{flag}={','.join(names)}: expected one column")
    return names[0] if names else None


def _places(
    columns: Mapping[str, Column], context: str, label: str, place: str | None
) -> tuple[Counter[str], Counter[int]]:
    """How many questions have no answer, one with a place, or one that must be looked for; and how many answers."""
    counts: Counter[str] = Counter()
    lengths: Counter[int] = Counter()
    starts = columns[place].cells if place else [None] * len(columns[label].cells)
    flags = columns[IMPOSSIBLE].cells if IMPOSSIBLE in columns else [None] * len(starts)
    for text, cell, start, flag in zip(columns[context].cells, columns[label].cells, starts, flags, strict=True):
        try:
            answers = () if flag_cell(flag) else _answers(cell, start)
        except ValueError:
            counts["unreadable"] += 1  # whoever reads the row again says why
            continue
        lengths[len(answers)] += 1
        if not answers:
            counts["none"] += 1
        elif answers[0].start != NO_PLACE:
            counts["placed"] += 1
        else:
            times = text.count(answers[0].text) if isinstance(text, str) else 0
            counts["once" if times == 1 else "several" if times else "nowhere"] += 1
    return counts, lengths


def _answers(cell: Any, start: Any) -> tuple[SpanAnswer, ...]:
    answers = answers_cell(cell)
    if len(answers) == 1 and answers[0].start == NO_PLACE and start is not None:
        return answers_cell({"text": answers[0].text, "answer_start": start})
    return answers


def _answers_line(counts: Mapping[str, int], none: str, rows: int) -> str:
    found = [f"{counts['placed']:,} of {rows:,} answers have their place in the context"]
    if counts["once"]:
        found.append(f"{counts['once']:,} without one stand once in it, and are taken there")
    if none == "yes":
        found.append(f"without an answer: {counts['none']:,}, so the model may say that there is none")
    return "; ".join(found)


def _warnings(counts: Mapping[str, int], rows: int, lengths: Mapping[int, int]) -> list[str]:
    bad = counts["several"] + counts["nowhere"]
    if not bad:
        return []
    share = min(1.0, -(-bad * 1000 // rows) / 1000)
    return [
        f"{counts['several']:,} answers without a place stand more than once in their context, and "
        f"{counts['nowhere']:,} not at all: which one is meant is not guessed. Give their first character as "
        f"'answer_start', or leave these rows out with --skip-bad-rows={share:g}"
    ]
