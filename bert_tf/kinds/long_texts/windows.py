"""Long texts as rows that overlap, in the graph, and one output a text of those of its rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from bert_tf.kinds.long_texts.notes import CUT_TOKENS, TEXT_TOKENS, TEXT_WINDOWS
from bert_tf.kinds.long_texts.reading import Reading
from bert_tf.kinds.spans import WINDOWS_AT_ONCE, in_parts
from bert_tf.models.base import inputs_of
from bert_tf.text import Tokenizer
from bert_tf.text.windows import Layout, build_rows


class Windows(NamedTuple):
    """Which windows are of which of B texts.

    Args:
        example: int32 [W], rising, every number in [0, B): the text of each window.
        new_tokens: int32 [W], tokens of the text that are in no window before it, special ones not counted. Of a pair
            only those of the text that is read in windows.
    """

    example: Any
    new_tokens: Any

    @property
    def counts(self) -> Any:
        """int32 [B]: how many windows each text has."""
        return tf.math.segment_sum(tf.ones_like(self.example), self.example)

    @property
    def is_first(self) -> Any:
        """bool [W]: which is the first window of its text."""
        return tf.concat([tf.ones_like(self.example[:1], tf.bool), self.example[1:] != self.example[:-1]], axis=0)


class WindowRows(NamedTuple):
    """What `window_rows` gives.

    Args:
        rows: int32 [W, T] token_ids, segment_ids and padding_mask, and starts and ends if asked for.
        windows: which rows are of which text.
        lengths: int32 [W], tokens of each row.
        overlap: tokens that neighbouring windows share.
        text_tokens, cut_tokens: int32 [B], as `LENGTHS` of `bert_tf.kinds.long_texts.notes`.
    """

    rows: dict[str, Any]
    windows: Windows
    lengths: Any
    overlap: int
    text_tokens: Any
    cut_tokens: Any

    @property
    def answer_lengths(self) -> dict[str, Any]:
        """The parts of an answer that say how its texts were read."""
        return {TEXT_TOKENS: self.text_tokens, CUT_TOKENS: self.cut_tokens, TEXT_WINDOWS: self.windows.counts}


def window_rows(
    tokenizer: Tokenizer, texts: Any, pairs: Any = None, *, reading: Reading, return_offsets: bool = False
) -> WindowRows:
    """[CLS] a part of the text [SEP], or [CLS] text [SEP] pair [SEP] with a part of the longer one: W rows of B texts.

    Of a pair the longer text, the second of equal ones, is read in windows, and the other one is in each of them; of
    that no more is kept than half of a row holds.

    Args:
        texts, pairs: string [B]; pairs None where there are single texts.
    """
    columns = [texts] if pairs is None else [texts, pairs]
    with tf.device("CPU"):
        sides = [_pieces(tokenizer, column, with_offsets=return_offsets) for column in columns]
        counts = [tf.cast(side.row_lengths(), tf.int32) for side in sides]  # [B] each
        layout = Layout(reading.max_length, return_offsets=return_offsets, separators=tokenizer.pair_separators)
        special = layout.special(len(columns))
        reading = reading._replace(max_length=reading.max_length - special + 1 + len(columns))
        half, overlap = reading.other_tokens(len(columns)), reading.overlap_tokens(len(columns))
        other = tf.minimum(tf.minimum(*counts), half) if len(sides) == 2 else tf.zeros_like(counts[0])
        window = reading.room(len(columns)) - other  # tokens of the longer text in one row
        most = window + (reading.max_windows - 1) * (window - overlap)
        kept = [tf.minimum(counts[0], most)]
        if len(sides) == 2:
            first_is_longer = counts[0] > counts[1]
            kept = [
                tf.minimum(counts[0], tf.where(first_is_longer, most, half)),
                tf.minimum(counts[1], tf.where(first_is_longer, half, most)),
            ]
        sequences = [_first_pieces(side, keep) for side, keep in zip(sides, kept, strict=True)]
        layout = layout._replace(stride=overlap)
        rows = build_rows(sequences, layout, cls_id=tokenizer.cls_id, sep_id=tokenizer.sep_id, pad_id=tokenizer.pad_id)
        example, lengths = rows.pop("example"), rows.pop("lengths")
        windows = Windows(example, lengths - special - tf.gather(other, example))
        windows = windows._replace(new_tokens=windows.new_tokens - tf.where(windows.is_first, 0, overlap))
        whole = tf.add_n(counts)
        cut = whole - tf.add_n(kept)
    return WindowRows(rows, windows, lengths, overlap, whole + special, cut)


def ask(function: Callable[..., Any], rows: dict[str, Any], *, texts: Any, width: int) -> Any:
    """What a model gives for rows, float32 [W, `width`], without holding more than some of the rows at once.

    Args:
        function: the model's inputs, by name, to its outputs.
        rows: the inputs, [W, T].
        texts: int32 [], how many texts the rows are of: so many rows go at once where that is more than
            `WINDOWS_AT_ONCE`, as if none of them were long.
    """
    signature = {"outputs": tf.TensorSpec([None, width], tf.float32)}
    at_once: Any = tf.maximum(texts, WINDOWS_AT_ONCE)
    found = in_parts(
        lambda part: {"outputs": tf.cast(function(inputs_of(part)), tf.float32)}, rows, signature, rows=at_once
    )
    return tf.ensure_shape(found["outputs"], [None, width])


def mean_over_windows(outputs: Any, windows: Windows) -> Any:
    """The mean of each text's windows, each counting as much as it has new tokens: float32 [W, C] to [B, C]."""
    new = tf.cast(windows.new_tokens, tf.float32)
    of_text = tf.gather(tf.math.segment_sum(new, windows.example), windows.example)
    return tf.math.segment_sum(outputs * tf.math.divide_no_nan(new, of_text)[:, None], windows.example)


def where_several(several: Any, outputs: Any, windows: Windows) -> Any:
    """`several` [B, C] for texts of several windows; for one of a single window its own of `outputs` [W, C], as is."""
    return tf.where(windows.counts[:, None] > 1, several, tf.boolean_mask(outputs, windows.is_first))


def _pieces(tokenizer: Tokenizer, texts: Any, *, with_offsets: bool) -> Any:
    """Ragged int32 [B, (P)], or [B, (P), 3] of ids, starts and ends."""
    if not with_offsets:
        return tokenizer.tokenize(texts)
    columns = tokenizer.tokenize_with_offsets(texts)
    return columns[0].with_values(tf.stack([column.values for column in columns], axis=1))


def _first_pieces(pieces: Any, keep: Any) -> tuple[Any, Any]:
    """Values and row splits of the first `keep` [B] pieces of each text."""
    splits = tf.cast(pieces.row_splits, tf.int32)
    owner = tf.repeat(tf.range(tf.size(keep)), splits[1:] - splits[:-1])
    place = tf.range(tf.size(owner)) - tf.gather(splits, owner)
    values = tf.boolean_mask(pieces.values, place < tf.gather(keep, owner))
    return values, tf.concat([[0], tf.cumsum(keep)], axis=0)
