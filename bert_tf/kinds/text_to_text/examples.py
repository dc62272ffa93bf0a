"""Texts and what is to be made of them, as text to text reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bert_tf.data.rows.bad_rows import BadRows
from bert_tf.data.rows.cells import text as text_cell
from bert_tf.data.rows.column import new_column, settled, taken
from bert_tf.errors import UserError
from bert_tf.kinds.examples import Examples
from bert_tf.kinds.languages import check_language
from bert_tf.metrics.languages import language_code
from bert_tf.metrics.rouge import check_reference

if TYPE_CHECKING:
    from pathlib import Path

    from bert_tf.data import Source

SPECIAL = 3  # [CLS] source [SEP], and a target's [SEP]


@dataclass(frozen=True, kw_only=True)
class TextPairs(Examples):
    """Texts and what is to be made of them.

    Args:
        references: for each text one or more right answers, the first to be learnt; None where the split has none.

    >>> pairs = TextPairs(texts=["Ein Hund."], references=[("A dog.", "One dog.")])
    >>> len(pairs), pairs.is_labelled
    (1, True)
    """

    references: Sequence[tuple[str, ...]] | None = None

    @property
    def is_labelled(self) -> bool:
        return self.references is not None


def source_length(sequence_length: int, target_length: int) -> int:
    """Most tokens of a text that is read. Raises: UserError where `target_length` leaves no room for it."""
    if sequence_length - target_length < SPECIAL:
        raise UserError(
            f"'data.sequence_length' must be at least {target_length + SPECIAL}, of which {target_length} are for what "
            f"is written. Received: {sequence_length}"
        )
    return sequence_length - target_length


def read_pairs(
    source: Source,
    place: Path | str | None,
    split: str,
    *,
    text: str,
    targets: Sequence[str],
    language: str,
    counts_words: bool,
    skip_bad_rows: bool,
    is_sample: bool,
) -> TextPairs:
    """What `TextToText.read` does.

    Of the columns of references some cells may be empty, but not all of a row. In splits that are not trained on, a
    right answer in which the metrics count no word is a bad row.

    Args:
        source: of the rows, opened at `place`.
        text: the column that is read.
        targets: the column that is to be written, and those of references.
        language: of the targets, a code of ISO 639-1.
        counts_words: whether metrics count words of the targets.
    """
    counts_words = counts_words and split != "train"

    def right(cell: Any) -> str:
        return check_reference(text_cell(cell), language) if counts_words else text_cell(cell)

    def right_or_none(cell: Any) -> str | None:
        is_empty = cell is None or cell != cell or (isinstance(cell, str) and not cell.strip())  # the second: NaN
        return None if is_empty else right(cell)

    target, *references = targets
    table = source.open(
        place,
        split,
        {text: text_cell, target: right, **dict.fromkeys(references, right_or_none)},
        optional=references if split in ("train", "validation") else targets,
        skip_bad_rows=skip_bad_rows,
    )
    texts = table.columns[text]
    columns = [table.columns[name] for name in targets if name in table.columns]
    if not columns:
        return TextPairs(texts=texts, bad_rows=table.skipped, bad_row_reasons=table.reasons, is_sample=is_sample)
    found = new_column(())
    for row in zip(*columns, strict=True):
        found.append(tuple(cell for cell in row if cell is not None))
    found = settled(found)
    empty = [row for row, given in enumerate(found) if not given]
    bad = BadRows(table.origin, may_skip=skip_bad_rows, share=source.bad_rows_share)
    expected = f"expected a text in {'one of ' if len(columns) > 1 else ''}{', '.join(targets)}"
    for row in empty:
        bad.add(f"{table.place(row)}: {expected}. Received: none")
    bad.check(len(found) - len(empty))
    latin_only = counts_words and language_code(language) == "en"
    check_language((given[0] for given in found if given), language, table.origin, latin_only=latin_only)
    if empty:
        kept = [row for row, given in enumerate(found) if given]
        texts, found = taken(texts, kept), taken(found, kept)
    return TextPairs(
        texts=texts,
        references=found,
        bad_rows=table.skipped + len(empty),
        bad_row_reasons=Counter(table.reasons) + bad.reasons,
        is_sample=is_sample,
    )
