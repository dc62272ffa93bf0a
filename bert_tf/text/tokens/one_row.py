"""One text alone, and one row of a model's input, without a graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from bert_tf.text.windows import Layout

Piece = tuple[int, int, int]
"""A token's id, and where it starts and ends in the text, in characters."""


def only_text(texts: Any) -> str | None:
    """The text, where there is one alone and it is a str, or a tensor of one that has a value."""
    only: Any = texts[0] if isinstance(texts, (list, tuple)) and len(texts) == 1 else texts
    if isinstance(only, tf.Tensor) and only.dtype == tf.string and only.shape in ((), (1,)):
        return np.asarray(only.numpy()).item().decode("utf-8", errors="replace")
    return only if isinstance(only, str) else None


def one_row(pieces: Sequence[Piece], layout: Layout, *, cls_id: int, sep_id: int, pad_id: int) -> dict[str, Any]:
    """What `bert_tf.text.windows.build_rows` makes of the pieces of one text, without a stride."""
    room = len(pieces) if layout.truncation == "none" else layout.max_length - 2
    kept = [(cls_id, 0, 0), *pieces[:room], (sep_id, 0, 0)]
    width = max(len(kept), layout.max_length) if layout.padding == "max_length" else len(kept)
    columns = np.zeros((3, 1, width), np.int32)
    columns[0] = pad_id
    columns[:, 0, : len(kept)] = np.array(kept, np.int32).T
    mask = (np.arange(width, dtype=np.int32) < len(kept)).astype(np.int32)[None]
    rows = {
        "token_ids": columns[0],
        **({"starts": columns[1], "ends": columns[2]} if layout.return_offsets else {}),
        "segment_ids": np.zeros_like(mask),
        "padding_mask": mask,
        "lengths": np.array([len(kept)], np.int32),
        "cut": np.array([len(pieces) + 2 - len(kept)], np.int32),
    }
    return {name: tf.convert_to_tensor(array) for name, array in rows.items()}
