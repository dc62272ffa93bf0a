"""Questions, their contexts and answers, as span QA reads them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bert_tf.data.rows.bad_rows import BadRows
from bert_tf.data.rows.cells import shown
from bert_tf.data.rows.column import new_column, settled, taken
from bert_tf.data.rows.span_answers import NO_PLACE, SpanAnswer, answers_cell, placed
from bert_tf.data.sources.squad import blank_or_text, flag_cell, named
from bert_tf.errors import UserError
from bert_tf.kinds.examples import Examples
from bert_tf.kinds.languages import check_language

if TYPE_CHECKING:
    from pathlib import Path

    from bert_tf.data import Source, Table

logger = logging.getLogger(__name__)

IMPOSSIBLE = "is_impossible"
MISPLACED = "expected each answer at its place in the context"
ONE_ANSWER = "answer"  # the column of sets in which a question has one answer


@dataclass(frozen=True, kw_only=True)
class SpanExamples(Examples):
    """Questions as texts, their contexts as pairs.

    Args:
        answers: for each question the right answers, of which the first is trained on; None without labels.

    >>> from bert_tf.data import SpanAnswer
    >>> examples = SpanExamples(texts=["Where?"], pairs=["She lives in Rome."], answers=[(SpanAnswer("Rome", 13),)])
    >>> examples.pairs[0][13:17], examples.is_labelled
    ('Rome', True)
    """

    answers: Sequence[tuple[SpanAnswer, ...]] | None = None

    @property
    def is_labelled(self) -> bool:
        return self.answers is not None


def read_spans(
    source: Source,
    place: Path | str | None,
    split: str,
    *,
    question: str,
    context: str,
    answers: str,
    answer_start: str,
    no_answer: bool,
    language: str,
    skip_bad_rows: bool,
    is_sample: bool,
) -> SpanExamples:
    """What `SpanQA.read` does.

    Only "train" needs the places of answers: there, one that is wrong is put right where the context leaves no doubt,
    which is counted and said, and is a bad row elsewhere. A split that is scored keeps every question.

    Args:
        source: of the rows, opened at `place`.
        question, context, answers, answer_start: the columns.
        no_answer: whether a question may have none.
        language: of the contexts, a code of ISO 639-1.
    """
    columns = dict.fromkeys(("id", ONE_ANSWER, answer_start), lambda cell: cell)
    columns |= {IMPOSSIBLE: flag_cell, answers: answers_cell}
    columns |= dict.fromkeys((question, context), blank_or_text)
    table = source.open(
        place,
        split,
        columns,
        optional=("id", IMPOSSIBLE, ONE_ANSWER, answer_start, answers),
        skip_bad_rows=skip_bad_rows,
    )
    contexts = table.columns[context]
    check_language(contexts, language, table.origin)
    given = table.columns.get(answers, table.columns.get(ONE_ANSWER))
    if given is None and split in ("train", "validation"):
        raise UserError(f"{table.place(0)}: expected the column {answers!r}. Received: none")
    if given is not None and answers not in table.columns:
        logger.warning("%s: has no column %r: answers are those of %r", table.origin, answers, ONE_ANSWER)
    kept, rights = list(range(len(table))), given
    bad = BadRows(table.origin, may_skip=skip_bad_rows, share=source.bad_rows_share)
    if given is not None:
        kept, rights = [], new_column(())
        changes: Counter[str] = Counter()
        first = ""
        for row in range(len(table)):
            try:
                found = given[row] if answers in table.columns else answers_cell(given[row])
                right, change = _answers(
                    found,
                    table,
                    row,
                    answer_start=answer_start,
                    no_answer=no_answer,
                    context=contexts[row] if split == "train" else None,
                )
            except ValueError as error:
                bad.add(f"{_place(table, row)}{error}", MISPLACED if "the context" in str(error) else None)
                continue
            kept.append(row)
            rights.append(right)
            if change is not None:
                first = first or f"{_place(table, row)}{shown(right[0].text)} now begins at character {right[0].start}"
                changes[change] += 1
        if changes:
            counts = ", ".join(f"{count} {how}" for how, count in changes.most_common())
            logger.warning("%s: answers moved to their place: %s. The first: %s", table.origin, counts, first)
        bad.check(len(kept))
    return SpanExamples(
        texts=taken(table.columns[question], kept),
        pairs=taken(contexts, kept),
        answers=settled(rights),
        bad_rows=table.skipped + len(bad),
        bad_row_reasons=Counter(table.reasons) + bad.reasons,
        is_sample=is_sample,
    )


def _answers(
    answers: tuple[SpanAnswer, ...], table: Table, row: int, *, answer_start: str, no_answer: bool, context: str | None
) -> tuple[tuple[SpanAnswer, ...], str | None]:
    """A question's answers, and how the first came to its place where that was wrong.

    Args:
        answer_start: the column of the place of a question's only answer.
        context: where answers need a place; None where they need none.
    Raises: ValueError that says what is wrong.
    """
    if len(answers) == 1 and answers[0].start == NO_PLACE and answer_start in table.columns:
        answers = answers_cell({"text": answers[0].text, "answer_start": table.columns[answer_start][row]})
    impossible = table.columns[IMPOSSIBLE][row] if IMPOSSIBLE in table.columns else None
    if impossible and answers:
        raise ValueError(f"expected no answers where {IMPOSSIBLE!r}. Received: {answers[0].text!r}")
    if not answers and not no_answer:
        raise ValueError("expected an answer at least: this task has no unanswerable questions. Received: none")
    if context is None or not answers:
        if context is not None and impossible is False:
            raise ValueError(f"expected an answer where {IMPOSSIBLE!r} is false. Received: none")
        return answers, None
    return placed(answers, context)


def _place(table: Table, row: int) -> str:
    return f"{table.place(row)}: {named({'id': table.columns['id'][row]} if 'id' in table.columns else {})}"
