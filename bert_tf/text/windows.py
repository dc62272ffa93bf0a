"""Pieces of texts and pairs to rows of a model's input: truncation, windows with a stride, special tokens, padding."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

TRUNCATIONS = ("longest_first", "only_first", "only_second", "none")
PADDINGS = ("longest", "max_length")


class Layout(NamedTuple):
    """How rows are made: Python values only."""

    max_length: int
    truncation: str = "longest_first"
    padding: str = "longest"
    stride: int | None = None
    return_offsets: bool = False
    separators: int = 1  # [SEP] between the texts of a pair

    def special(self, texts: int) -> int:
        """Special tokens of a row of one or two texts."""
        return 2 if texts == 1 else 2 + self.separators


def check_layout(layout: Layout, *, pair: bool) -> None:
    """Raises ValueError if the layout cannot be met."""
    special = layout.special(2 if pair else 1)
    if layout.truncation not in TRUNCATIONS:
        raise ValueError(f"`truncation` must be one of {', '.join(TRUNCATIONS)}. Received: {layout.truncation!r}")
    if layout.padding not in PADDINGS:
        raise ValueError(f"`padding` must be one of {', '.join(PADDINGS)}. Received: {layout.padding!r}")
    if layout.truncation == "only_second" and not pair:
        raise ValueError("`truncation`='only_second' needs `pairs`. Received: pairs=None")
    if isinstance(layout.max_length, bool) or not isinstance(layout.max_length, int) or layout.max_length < special:
        raise ValueError(
            f"`max_length` must be an int of at least {special}, the number of special tokens. "
            f"Received: {layout.max_length!r}"
        )
    if layout.stride is None:
        return
    if layout.truncation == "none":
        raise ValueError(f"`stride` needs a truncation. Received: truncation='none', stride={layout.stride!r}")
    room = layout.max_length - special
    if isinstance(layout.stride, bool) or not isinstance(layout.stride, int) or not 0 <= layout.stride < room:
        raise ValueError(
            f"`stride` must be an int in [0, {room}): `max_length` less {special} special tokens. "
            f"Received: stride={layout.stride!r}, max_length={layout.max_length}"
        )


def truncated_lengths(lengths, layout: Layout):
    """Shortens sequences to fit together with their special tokens, as the `tokenizers` library does.

    Args:
        lengths: one int32 [B] for each of one or two sequences.
    Returns: the same, shortened.
    """
    room = layout.max_length - layout.special(len(lengths))
    if layout.truncation == "none":
        return lengths
    if len(lengths) == 1:
        return [tf.minimum(lengths[0], room)]
    if room == 0:
        return [tf.zeros_like(n) for n in lengths]
    remove = tf.maximum(lengths[0] + lengths[1] - room, 0)
    if layout.truncation == "longest_first":
        shorter, longer = tf.minimum(*lengths), tf.maximum(*lengths)
        longer = tf.maximum(shorter, room - shorter)
        both = shorter + longer > room
        shorter, longer = tf.where(both, room // 2, shorter), tf.where(both, room - room // 2, longer)
        swapped = lengths[0] > lengths[1]
        new = [tf.where(swapped, longer, shorter), tf.where(swapped, shorter, longer)]
        return [tf.where(remove > 0, *nn) for nn in zip(new, lengths, strict=True)]
    target = 0 if layout.truncation == "only_first" else 1
    tf.debugging.Assert(
        tf.reduce_all((lengths[target] > remove) | (remove == 0)),
        [f"`max_length`={layout.max_length} leaves no room for the sequence that `truncation`={layout.truncation} "
         "may shorten. Received lengths in tokens, of texts and of pairs:", *lengths],
    )  # fmt: skip
    return [n - remove if i == target else n for i, n in enumerate(lengths)]


def build_rows(sequences, layout: Layout, *, cls_id: int, sep_id: int, pad_id: int) -> dict[str, Any]:
    """[CLS] first [SEP] second [SEP], padded: W rows of length T, of B inputs. Of several [SEP] between both texts all
    are the first one's.

    Args:
        sequences: for each of one or two sequences, values int32 [P] or with offsets [P, 3], and row splits [B + 1].
    Returns: dict of int32 [W, T] token_ids, segment_ids, padding_mask, and starts and ends if asked for (0 at special
        tokens and padding); with a stride also example, int32 [W]; without, where W = B, also cut, int32 [B], how many
        tokens each input has lost. Also lengths, int32 [W].
    """
    splits = [tf.cast(s, tf.int32) for _, s in sequences]
    sizes = [tf.size(s) - 1 for s in splits]
    tf.debugging.Assert(
        tf.equal(sizes[0], sizes[-1]), ["`pairs` must be as many as `texts`. Received texts and pairs:", *sizes]
    )
    counts = [s[1:] - s[:-1] for s in splits]
    kept = truncated_lengths(counts, layout)
    starts, lengths, example = [s[:-1] for s in splits], kept, None
    if layout.stride is not None:
        starts, lengths, example = place_windows(starts, counts, kept, layout.stride)

    total = tf.add_n(lengths) + layout.special(len(lengths))
    width = tf.reduce_max(tf.concat([total, [0]], axis=0))
    if layout.padding == "max_length":
        width = tf.maximum(width, layout.max_length) if layout.truncation == "none" else layout.max_length
    places = tf.range(width)[None]
    # Every place points into [pad, cls, sep, first sequence's pieces, second's].
    index, begin, behind = tf.where(places == 0, 1, tf.zeros_like(total)[:, None]), 1, 3
    segment_ids = tf.zeros_like(index)
    for number, (values, _) in enumerate(sequences):
        end = begin + lengths[number][:, None]
        index = tf.where((places >= begin) & (places < end), starts[number][:, None] + places - begin + behind, index)
        for _ in range(layout.separators - 1 if number == 0 and len(sequences) == 2 else 0):
            index = tf.where(places == end, 2, index)
            end += 1
        index = tf.where(places == end, 2, index)
        if number == 1:
            segment_ids = tf.cast((places >= begin) & (places <= end), tf.int32)
        begin, behind = end + 1, behind + tf.shape(values)[0]
    special = tf.constant([pad_id, cls_id, sep_id])
    if layout.return_offsets:
        special = tf.stack([special, tf.zeros_like(special), tf.zeros_like(special)], axis=1)
    gathered = tf.gather(tf.concat([special, *(values for values, _ in sequences)], axis=0), index)
    names = ("token_ids", "starts", "ends")
    rows = (
        dict(zip(names, tf.unstack(gathered, axis=-1), strict=True)) if layout.return_offsets else {names[0]: gathered}
    )
    rows |= {"segment_ids": segment_ids, "padding_mask": tf.cast(places < total[:, None], tf.int32), "lengths": total}
    if example is None:
        return rows | {"cut": tf.add_n(counts) - tf.add_n(kept)}
    return rows | {"example": example}


def place_windows(starts, counts, kept, stride: int):
    """All windows of each input, in the order of the `tokenizers` library.

    Args:
        starts, counts, kept: for each sequence int32 [B], where it begins, its length, and that of a window.
    Returns: starts and lengths for each sequence, int32 [W], and the input that each window is of, int32 [W].
    """
    windows = []
    for n, k in zip(counts, kept, strict=True):
        tf.debugging.Assert(
            tf.reduce_all((n == k) | (k > stride)),
            [f"`stride`={stride} must be less than what `max_length` leaves for a window. Received lengths:", n, k],
        )
        step = tf.maximum(k - stride, 1)
        windows.append(1 + tf.where(n > k, (n - k + step - 1) // step, 0))
    per_input = windows[0] * windows[1] if len(windows) == 2 else windows[0]
    example = tf.repeat(tf.range(tf.size(per_input)), per_input)
    number = tf.range(tf.size(example)) - tf.gather(tf.cumsum(per_input, exclusive=True), example)
    numbers = [number]
    if len(windows) == 2:  # The first of both, then each other first with all seconds, then the first with the others.
        seconds = tf.gather(windows[1], example)
        main = (tf.gather(windows[0], example) - 1) * seconds
        crossed = (number > 0) & (number <= main)
        numbers = [
            tf.where(crossed, (number - 1) // seconds + 1, 0),
            tf.where(crossed, (number - 1) % seconds, tf.maximum(number - main, 0)),
        ]
    new_starts, lengths = [], []
    for s, n, k, w in zip(starts, counts, kept, numbers, strict=True):
        skipped = w * tf.gather(tf.maximum(k - stride, 1), example)
        new_starts.append(tf.gather(s, example) + skipped)
        lengths.append(tf.minimum(tf.gather(k, example), tf.gather(n, example) - skipped))
    return new_starts, lengths, example
