"""Texts in batches of like lengths, several of which are answered at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bert_tf.inference.engine.rows import rows_of
from bert_tf.machine.side_by_side import several_at_a_time
from bert_tf.machine.threads import runs_at_a_time

if TYPE_CHECKING:
    from bert_tf.kinds import Answer

Columns = Sequence[Sequence[str]]

TOKENS = 1024
"""Of a batch of short texts: enough to keep a core busy, and few enough that their lengths hardly differ."""
COUNTED = 4096  # texts that are tokenised together, to be counted


def in_batches(
    answer: Callable[..., dict[str, Any]],
    columns: Columns,
    batches: Sequence[np.ndarray],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> list[Answer]:
    """The rows of what a graph answers, in the order of the texts.

    Args:
        answer: string tensors [B], one a column, to tensors of B rows.
        columns: E texts each.
        batches: numbers of the texts, each once.
        progress: called with (texts done, E) after each batch.
    """
    import tensorflow as tf

    def work(numbers: np.ndarray) -> list[Answer]:
        return list(rows_of(answer(*(tf.constant([column[i] for i in numbers], tf.string) for column in columns))))

    found: list[Answer] = [{}] * len(columns[0])
    done = 0
    for numbers, rows in several_at_a_time(work, batches, workers=min(runs_at_a_time(), len(batches))):
        for i, row in zip(numbers, rows, strict=True):
            found[i] = row
        done += len(numbers)
        if progress is not None:
            progress(done, len(found))
    return found


def batches_of(tokenizer: Any, columns: Columns, *, batch_examples: int, sequence_length: int) -> list[np.ndarray]:
    """Numbers of texts, batch by batch; texts that need several are counted, and like lengths put together.

    Args: as of `batches_by_length` and `token_counts`.
    """
    total = len(columns[0])
    if total <= batch_examples:
        return [np.arange(total)] if total else []
    counts = token_counts(tokenizer, columns)
    return batches_by_length(counts, batch_examples=batch_examples, sequence_length=sequence_length)


def batches_by_length(
    counts: np.ndarray, *, batch_examples: int, sequence_length: int, tokens: int = TOKENS
) -> list[np.ndarray]:
    """Numbers of texts, batch by batch, the longest first: hardly any of a batch is padding, and memory is known early.

    Args:
        counts: int [E], tokens of each text.
        batch_examples: texts in a batch; where they are short there are more.
        sequence_length: most tokens of a row.
        tokens: of a batch of short texts.

    >>> [batch.tolist() for batch in batches_by_length(np.array([3, 9, 2, 8, 3]), batch_examples=2, sequence_length=8)]
    [[1, 3, 0, 4, 2]]
    >>> few = batches_by_length(np.array([3, 9, 2, 8, 3]), batch_examples=2, sequence_length=8, tokens=9)
    >>> [batch.tolist() for batch in few]
    [[1, 3], [0, 4, 2]]
    """
    order = np.argsort(-counts, kind="stable")
    batches, start = [], 0
    while start < len(order):
        longest = int(np.clip(counts[order[start]], 1, sequence_length))
        stop = start + max(batch_examples, tokens // longest)
        batches.append(order[start:stop])
        start = stop
    return batches


def token_counts(tokenizer: Any, columns: Columns) -> np.ndarray:
    """int64 [E]: tokens of the texts of all columns together, without special ones."""
    counts = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        for start in range(0, len(column), COUNTED):
            part = slice(start, start + COUNTED)
            counts[part] += tokenizer.tokenize(list(column[part])).row_lengths().numpy()
    return counts
