"""A data set of long texts as windows, and one output a text of what a model gives for each window."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from bert_tf.data.batching.cut import Cut
from bert_tf.data.batching.features import Features
from bert_tf.kinds.long_texts.reading import Reading
from bert_tf.kinds.long_texts.windows import Windows, window_rows

if TYPE_CHECKING:
    from bert_tf.text import Tokenizer

CHUNK = 1024  # texts tokenised in one go


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class WindowFeatures(Features):
    """Windows of texts, each a row of its own.

    Args:
        example: int32 [W], rising: the text that each window is of.
        new_tokens: int32 [W]: see `Windows`.
    """

    example: np.ndarray
    new_tokens: np.ndarray

    @property
    def raises(self) -> dict[str, int]:
        return {**super().raises, "example": int(self.example[-1]) + 1}

    @property
    def counts(self) -> np.ndarray:
        """int [N]: how many windows each text has."""
        return np.bincount(self.example)

    @property
    def first_windows(self) -> np.ndarray:
        """int32 [N]: which window is the first of each text."""
        return np.searchsorted(self.example, np.arange(self.example[-1] + 1)).astype(np.int32)

    def of_texts(self, labels: np.ndarray | None) -> WindowFeatures:
        """Each window with its text's label, and a weight by which a text counts once, however many it has."""
        return dataclasses.replace(
            self,
            labels=None if labels is None else labels[self.example],
            weights=(1.0 / self.counts).astype(np.float32)[self.example],
        )


def encode_windows(
    tokenizer: Tokenizer,
    texts: Sequence[str],
    pairs: Sequence[str] | None = None,
    *,
    reading: Reading,
    progress: Callable[[int, int], None] | None = None,
) -> WindowFeatures:
    """Tokenises a whole data set, with the graph that also serves.

    Args:
        progress: called with (texts done, N) after each chunk.
    """
    columns = [texts] if pairs is None else [texts, pairs]
    make = tf.function(
        lambda *sides: window_rows(tokenizer, *sides, reading=reading), reduce_retracing=True, autograph=False
    )
    parts: list[dict[str, np.ndarray]] = []
    for start in range(0, len(texts), CHUNK):
        stop = min(start + CHUNK, len(texts))
        found = make(*(tf.constant(column[start:stop], tf.string) for column in columns))
        real = found.rows["padding_mask"].numpy().astype(bool)
        parts.append(
            {
                "token_ids": found.rows["token_ids"].numpy()[real],
                "segment_ids": found.rows["segment_ids"].numpy()[real].astype(np.int8),
                "lengths": found.lengths.numpy().astype(np.int64),
                "example": found.windows.example.numpy() + np.int32(start),
                "new_tokens": found.windows.new_tokens.numpy(),
                "tokens": found.text_tokens.numpy(),
                "lost": found.cut_tokens.numpy(),
            }
        )
        if progress is not None:
            progress(stop, len(texts))
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return WindowFeatures(
        token_ids=joined["token_ids"],
        segment_ids=joined["segment_ids"],
        splits=np.append(np.zeros(1, np.int64), np.cumsum(joined["lengths"])),
        example=joined["example"],
        new_tokens=joined["new_tokens"],
        cut=Cut(joined["tokens"], joined["lost"]),
    )


def merged(
    outputs: Sequence[np.ndarray], features: WindowFeatures, merge: Callable[[Any, Windows], Any]
) -> list[np.ndarray]:
    """One output a text, float32 [C], N of them, of one a window.

    Args:
        merge: float32 [W, C] and the windows to [N, C].
    """
    windows = Windows(tf.constant(features.example), tf.constant(features.new_tokens))
    return list(merge(tf.constant(np.stack(outputs)), windows).numpy())
