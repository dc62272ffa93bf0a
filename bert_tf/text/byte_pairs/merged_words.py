"""Words that are no token whole, as the tokens that merges make of them, in TensorFlow ops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from bert_tf.text.byte_pairs.alphabet import ALPHABET
from bert_tf.text.byte_pairs.merging import Merger
from bert_tf.text.byte_pairs.whole_words import first_equal
from bert_tf.text.byte_pairs.words import END
from bert_tf.text.repeated import owners, ranges

UNKNOWN, DROPPED = -1, -2  # of bytes: those that no token stands for, and what stands between texts
NOWHERE = (0xC0, 0xC1, *range(0xF5, 0x100))  # bytes that UTF-8 does not have


class WordMerger:
    """Bytes of words to tokens. A word that occurs again is merged once.

    Args:
        ids: token -> number, of the vocabulary.
        merges: pairs of tokens, by rank.
        unknown: the number of the token for bytes that have none; None: they are left out.
        fuse_unknown: several of them in a row are one token.
    """

    def __init__(
        self, ids: Mapping[str, int], merges: Sequence[tuple[str, str]], *, unknown: int | None, fuse_unknown: bool
    ) -> None:
        self.merger = Merger(merges, ids)
        of_bytes = [ids.get(ALPHABET[byte], UNKNOWN) for byte in range(256)]
        has_all = UNKNOWN not in [number for byte, number in enumerate(of_bytes) if byte not in NOWHERE]
        self.fused = unknown if fuse_unknown and not has_all else None
        self.drops = not has_all and unknown is None
        if unknown is not None:
            of_bytes = [unknown if number == UNKNOWN else number for number in of_bytes]
        of_bytes[END] = DROPPED
        self.of_bytes = tf.constant(of_bytes)
        self.widths = tf.constant([len(ALPHABET[byte].encode()) for byte in range(256)])

    def __call__(self, data, begins, ends, keys) -> tuple[Any, Any]:
        """
        Args:
            data: int32 [N], bytes.
            begins, ends: int32 [R], where each word begins and ends in them.
            keys: int64 [R], equal for equal words.
        Returns: ids and places, int32 [T], in no order: a token is where its first byte is.
        """
        lengths, count = ends - begins, tf.size(begins)
        words = owners(lengths)  # [S], the word that each byte is of
        within = ranges(0, lengths)
        source = first_equal(data, begins, lengths, keys)  # [R]
        kept = tf.where(tf.gather(source, words) == words)[:, 0]
        words, within = tf.gather(words, kept), tf.gather(within, kept)
        symbols = tf.gather(self.of_bytes, tf.gather(data, tf.gather(begins, words) + within))
        is_symbol = symbols >= 0
        if self.fused is not None:
            again = (symbols[1:] == self.fused) & (symbols[:-1] == self.fused) & (words[1:] == words[:-1])
            is_symbol &= ~tf.concat([tf.zeros_like(is_symbol[:1]), again], axis=0)
        kept = tf.where(is_symbol)[:, 0]
        symbols, words, within = (tf.gather(column, kept) for column in (symbols, words, within))
        ids, places = self.merger(symbols, tf.range(tf.size(symbols)), words)
        laid_out = tf.scatter_nd(places[:, None], ids + 1, tf.shape(symbols))  # in their order again
        places = tf.where(laid_out > 0)[:, 0]
        ids, words, within = tf.gather(laid_out, places) - 1, tf.gather(words, places), tf.gather(within, places)
        # Each word has the tokens of the first that is equal to it.
        counts = tf.math.unsorted_segment_sum(tf.ones_like(words), words, count)
        firsts = tf.cumsum(counts, exclusive=True)
        counts, firsts = tf.gather(counts, source), tf.gather(firsts, source)
        owner = owners(counts)
        token = ranges(firsts, firsts + counts)
        return tf.gather(ids, token), tf.gather(begins, owner) + tf.gather(within, token)

    def without_dropped(self, data, first, places, stops) -> tuple[Any, Any]:
        """Where the library finds tokens in words with unknown bytes: it leaves them out before it counts, so that what
        follows is found that much earlier. It counts the bytes of the characters that stand for the word's bytes.

        Args:
            first, places, stops: int32 [T], where the word of each token begins, and where it does and ends itself.
        """
        width = tf.gather(self.widths, data)
        total, kept = tf.cumsum(width), tf.cumsum(tf.where(tf.gather(self.of_bytes, data) >= 0, width, 0))
        kept = tf.pad(kept, [[1, 0]])
        base = tf.gather(total - width, first) - tf.gather(kept, first)
        places, stops = (base + tf.gather(kept, place) for place in (places, stops))
        return tf.searchsorted(total, places, side="right"), tf.searchsorted(total, stops - 1, side="right") + 1
