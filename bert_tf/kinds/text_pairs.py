"""Texts and what is to be made of them, as text to text reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bert_tf.config import SAMPLE
from bert_tf.data.bad_rows import BadRows
from bert_tf.data.cells import text as text_cell
from bert_tf.kinds.examples import Examples
from bert_tf.kinds.languages import check_language
from bert_tf.metrics.languages import language_code
from bert_tf.metrics.rouge import check_reference

if TYPE_CHECKING:
    from bert_tf.kinds.text_to_text import TextToText


@dataclass(frozen=True, kw_only=True)
class TextPairs(Examples):
    """Texts and what is to be made of them.

    Args:
        references: for each text one or more right answers, the first to be learnt; None where the split has none.
    """

    references: Sequence[tuple[str, ...]] | None = None

    @property
    def is_labelled(self) -> bool:
        return self.references is not None


def read_pairs(kind: TextToText, where: str, split: str, *, skip_bad_rows: bool) -> TextPairs:
    """What `TextToText.read` does.

    Of the columns `references` some cells may be empty, but not all of a row. In splits that are not trained on, a
    right answer in which the metrics count no word is a bad row.
    """
    counts_words = kind.counts_words and split != "train"

    def right(cell: Any) -> str:
        return check_reference(text_cell(cell), kind.language) if counts_words else text_cell(cell)

    def right_or_none(cell: Any) -> str | None:
        is_empty = cell is None or cell != cell or (isinstance(cell, str) and not cell.strip())  # the second: NaN
        return None if is_empty else right(cell)

    wanted = (kind.target, *kind.references)
    table = kind.source.open(
        kind.place(where),
        split,
        {kind.text: text_cell, kind.target: right, **dict.fromkeys(kind.references, right_or_none)},
        optional=wanted[1:] if split in ("train", "validation") else wanted,
        skip_bad_rows=skip_bad_rows,
    )
    texts = table.columns[kind.text]
    columns = [table.columns[name] for name in wanted if name in table.columns]
    if not columns:
        return TextPairs(texts=texts, bad_rows=table.skipped, bad_row_reasons=table.reasons, is_sample=where == SAMPLE)
    found = [tuple(text for text in row if text is not None) for row in zip(*columns, strict=True)]
    empty = [row for row, given in enumerate(found) if not given]
    bad = BadRows(table.origin, may_skip=skip_bad_rows, share=kind.source.bad_rows_share)
    expected = f"expected a text in {'one of ' if len(columns) > 1 else ''}{', '.join(wanted)}"
    for row in empty:
        bad.add(f"{table.place(row)}: {expected}. Received: none")
    bad.check(len(found) - len(empty))
    latin_only = counts_words and language_code(kind.language) == "en"
    check_language((given[0] for given in found if given), kind.language, table.origin, latin_only=latin_only)
    return TextPairs(
        texts=[text for text, given in zip(texts, found, strict=True) if given],
        references=[given for given in found if given],
        bad_rows=table.skipped + len(empty),
        bad_row_reasons=Counter(table.reasons) + bad.reasons,
        is_sample=where == SAMPLE,
    )
