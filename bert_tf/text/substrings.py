"""Pieces of texts by their places in characters."""

from __future__ import annotations

from typing import Any, cast

import tensorflow as tf


def substrings(texts: Any, owner: Any, starts: Any, ends: Any) -> Any:
    """`text[start:end]` of N places in B texts, string [N].

    Memory is that of the texts and of the result. (tf.strings.substr of gathered texts copies each text for each of
    its places: a megabyte with ten thousand sentences would take ten gigabytes.)

    Args:
        texts: string [B], in UTF-8; bytes that are not count as U+FFFD.
        owner: int32 [N], the text that each is of.
        starts, ends: int32 [N], in characters of that text.
    """
    with tf.device("CPU"):
        decoded = cast(Any, tf.strings.unicode_decode(texts, "UTF-8"))
        origin = tf.gather(tf.cast(decoded.row_splits, tf.int32), owner)  # [N]
        places = cast(Any, tf.ragged.range(origin + starts, origin + ends))  # [N, (P)]
        points = tf.gather(decoded.flat_values, places.flat_values)
        return tf.strings.unicode_encode(places.with_flat_values(points), "UTF-8")
