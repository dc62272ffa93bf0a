"""Questions, their contexts and answers, as span QA reads them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bert_tf.config import SAMPLE
from bert_tf.data.bad_rows import BadRows
from bert_tf.data.span_answers import NO_PLACE, SpanAnswer, answers_cell, placed
from bert_tf.data.squad import blank_or_text, flag_cell, named
from bert_tf.errors import UserError
from bert_tf.kinds.examples import Examples
from bert_tf.kinds.languages import check_language

if TYPE_CHECKING:
    from bert_tf.data import Table
    from bert_tf.kinds.span_qa import SpanQA

logger = logging.getLogger(__name__)

IMPOSSIBLE = "is_impossible"
MISPLACED = "expected each answer at its place in the context"
ONE_ANSWER, ITS_PLACE = "answer", "answer_start"  # columns of sets in which a question has one answer


@dataclass(frozen=True, kw_only=True)
class SpanExamples(Examples):
    """Questions as texts, their contexts as pairs.

    Args:
        answers: for each question the right answers, of which the first is trained on; None without labels.
    """

    answers: Sequence[tuple[SpanAnswer, ...]] | None = None

    @property
    def is_labelled(self) -> bool:
        return self.answers is not None


def read_spans(kind: SpanQA, where: str, split: str, *, skip_bad_rows: bool) -> SpanExamples:
    """What `SpanQA.read` does.

    Only "train" needs the places of answers: there, one that is wrong is put right where the context leaves no doubt,
    which is counted and said, and is a bad row elsewhere. A split that is scored keeps every question.
    """
    columns = dict.fromkeys(("id", ONE_ANSWER, ITS_PLACE), lambda cell: cell)
    columns |= {IMPOSSIBLE: flag_cell, kind.answers: answers_cell}
    columns |= dict.fromkeys((kind.question, kind.context), blank_or_text)
    table = kind.source.open(
        kind.place(where),
        split,
        columns,
        optional=("id", IMPOSSIBLE, ONE_ANSWER, ITS_PLACE, kind.answers),
        skip_bad_rows=skip_bad_rows,
    )
    contexts = table.columns[kind.context]
    check_language(contexts, kind.language, table.origin)
    given = table.columns.get(kind.answers, table.columns.get(ONE_ANSWER))
    if given is None and split in ("train", "validation"):
        raise UserError(f"{table.place(0)}: expected the column {kind.answers!r}. Received: none")
    if given is not None and kind.answers not in table.columns:
        logger.warning("%s: has no column %r: answers are those of %r", table.origin, kind.answers, ONE_ANSWER)
    kept, answers = list(range(len(table))), given
    bad = BadRows(table.origin, may_skip=skip_bad_rows, share=kind.source.bad_rows_share)
    if given is not None:
        kept, answers = [], []
        changes: Counter[str] = Counter()
        first = ""
        for row in range(len(table)):
            try:
                right, change = _answers(kind, table, given[row], row, needs_place=split == "train")
            except ValueError as error:
                bad.add(f"{_place(table, row)}{error}", MISPLACED if "the context" in str(error) else None)
                continue
            kept.append(row)
            answers.append(right)
            if change is not None:
                first = first or f"{_place(table, row)}{right[0]}"
                changes[change] += 1
        if changes:
            counts = ", ".join(f"{count} {how}" for how, count in changes.most_common())
            logger.warning("%s: answers put in their place: %s. The first: %s", table.origin, counts, first)
        bad.check(len(kept))
    return SpanExamples(
        texts=[table.columns[kind.question][row] for row in kept],
        pairs=[contexts[row] for row in kept],
        answers=answers,
        bad_rows=table.skipped + len(bad),
        bad_row_reasons=Counter(table.reasons) + bad.reasons,
        is_sample=where == SAMPLE,
    )


def _answers(
    kind: SpanQA, table: Table, given: Any, row: int, *, needs_place: bool
) -> tuple[tuple[SpanAnswer, ...], str | None]:
    """A question's answers, and how the first came to its place where that was wrong.

    Raises: ValueError that says what is wrong.
    """
    answers = given if kind.answers in table.columns else answers_cell(given)
    if len(answers) == 1 and answers[0].start == NO_PLACE and ITS_PLACE in table.columns:
        answers = answers_cell({"text": answers[0].text, "answer_start": table.columns[ITS_PLACE][row]})
    impossible = table.columns[IMPOSSIBLE][row] if IMPOSSIBLE in table.columns else None
    if impossible and answers:
        raise ValueError(f"expected no answers where {IMPOSSIBLE!r}. Received: {answers[0].text!r}")
    if not answers and not kind.no_answer:
        raise ValueError("expected an answer at least: this task has no unanswerable questions. Received: none")
    if not needs_place or not answers:
        if needs_place and impossible is False:
            raise ValueError(f"expected an answer where {IMPOSSIBLE!r} is false. Received: none")
        return answers, None
    return placed(answers, table.columns[kind.context][row])


def _place(table: Table, row: int) -> str:
    return f"{table.place(row)}: {named({'id': table.columns['id'][row]} if 'id' in table.columns else {})}"
