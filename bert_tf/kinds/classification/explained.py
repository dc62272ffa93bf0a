"""What an explanation of a class, a label or a number is of, of a text that is cut or read in windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from bert_tf.kinds.explained import Explained, arrays_of
from bert_tf.kinds.long_texts.windows import Windows, window_rows

if TYPE_CHECKING:
    from bert_tf.text import Tokenizer


def explained_output(
    kind: Any, number: int, model: Any, tokenizer: Tokenizer, texts: Sequence[str], sequence_length: int | None
) -> Explained:
    """An output of the model; of a text in several windows what `kind.merge` makes of theirs.

    Args:
        kind: a `Pooled` one.
        number: of the output.
        texts: one, or the two of a pair.
    """
    columns = [tf.constant([text], tf.string) for text in texts]
    name, width = kind.output_names[number], len(kind.output_names)
    if kind.reads_windows:
        found = window_rows(tokenizer, *columns, reading=kind.reading(sequence_length), return_offsets=True)
        rows, windows = arrays_of(found.rows), found.windows
        if len(rows["token_ids"]) > 1:
            return Explained(name=name, rows=rows, merge=lambda logits: _merged(kind, logits, windows, model, number))
    else:
        length = sequence_length or kind.sequence_length
        rows = arrays_of(tokenizer(*columns, max_length=length, padding="longest", return_offsets=True))
    return Explained(name=name, rows=rows, weights=np.eye(width, dtype=np.float32)[None, number])


def _merged(kind: Any, logits: Any, windows: Windows, model: Any, number: int) -> Any:
    """The output at each of P points, [P], of the logits of the windows there, [P * W, C]."""
    count = windows.example.shape[0]
    points = logits.shape[0] // count
    several = Windows(tf.repeat(tf.range(points), count), tf.tile(windows.new_tokens, [points]))
    return kind.merge(logits, several, model)[:, number]
