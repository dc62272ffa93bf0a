"""The tokenizer inside a TFLite file: tensorflow_text's operators that TFLite has kernels for, with our own table.

There are three: one replaces each code point by a string (`FastBertNormalize`), one splits at white space, and one
looks up pieces of words. The first is made for another normalisation, but it reads its table from a tensor, so that
ours fits in: what stands alone gets a space on both sides, what goes becomes nothing.

What differs from `BertTokenizer`: a text that names a special token ("[SEP]") gets its pieces, not the token; combining
marks that are kept are not sorted (texts that are not lower-cased, and 83 rare marks); a word is unknown from 401
bytes on, not from 101 characters; bytes that are not UTF-8 are spaces; and characters that the tokenizer removes count
to the piece before them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import tensorflow as tf
import tensorflow_text

from bert_tf.errors import UserError
from bert_tf.exporting.tflite.flat_tables import Table, pack
from bert_tf.exporting.tflite.text.double_array import double_array
from bert_tf.exporting.tflite.text.words import replacements
from bert_tf.text import BertTokenizer, Tokenizer
from bert_tf.text.windows import Layout, truncated_lengths
from bert_tf.text.wordpiece.lookup import build_model
from bert_tf.text.wordpiece.normalize import MAX_WORD_BYTES

OPERATORS = frozenset({
    "FastBertNormalize", "TFText>FastBertNormalize", "TFText>WhitespaceTokenizeWithOffsetsV2",
    "TFText>FastWordpieceTokenizeWithOffsets", "FastWordpieceTokenizeWithOffsets",
})  # fmt: skip
REPLACED = 1 << 30  # marks a code point's value: the rest is where its string is in the pool, and how long it is
LENGTH_BITS = 6


class LiteTokenizer:
    """A `BertTokenizer` for batches of one, in operators that TFLite has.

    Args:
        tokenizer: the one to be like.
        length: tokens of a row, special ones included.
    Raises: UserError for a tokenizer with added tokens, or other rules that these operators cannot follow.
    """

    def __init__(self, tokenizer: Tokenizer, length: int) -> None:
        if tokenizer.odd_rules:
            raise UserError(
                "a TFLite file that takes text follows no such rules of a tokenizer: "
                f"{'; '.join(tokenizer.odd_rules)}. Export one that takes tensors, and tokenize with bert_tf.Tokenizer"
            )
        assert isinstance(tokenizer, BertTokenizer)  # the only one without such rules
        self.length, self.separators = length, tokenizer.pair_separators
        self.cls_id, self.sep_id, self.pad_id = tokenizer.cls_id, tokenizer.sep_id, tokenizer.pad_id
        buffer = np.frombuffer(normalizer(replacements(tokenizer)), np.uint8)
        text = cast(Any, tensorflow_text)
        with tf.init_scope():
            self.normalizer = text.FastBertNormalizer(model_buffer=tf.constant(buffer))
            self.splitter = text.WhitespaceTokenizer()
            unknown = tokenizer.special_tokens["unk_token"]
            words = build_model(tokenizer.wordpieces, MAX_WORD_BYTES, unknown, pretokenized=True)
            self.pieces = text.FastWordpieceTokenizer(model_buffer=words, token_out_type=tf.int32)

    def __call__(self, texts: Sequence[Any], *, first_tokens: int | None = None) -> dict[str, Any]:
        """One row, [CLS] text [SEP] or [CLS] text [SEP] text [SEP].

        Args:
            texts: one or two, string [1] each.
            first_tokens: keep so many tokens of the first text and cut the second; None: cut the longer one.
        Returns: int32 [1, T] of token_ids, padding_mask, segment_ids, and starts and ends: where in the bytes of its
            text each token begins and ends, 0 and 0 for special ones.
        """
        sides = [self._places(text) for text in texts]
        if first_tokens is not None:
            sides[0] = sides[0][:first_tokens]
        lengths = [tf.shape(side)[0] for side in sides]
        truncation = "longest_first" if first_tokens is None else "only_second"
        layout = Layout(self.length, truncation, separators=self.separators)
        if first_tokens is None:
            kept = truncated_lengths(lengths, layout)
        else:
            kept = [lengths[0], tf.minimum(lengths[1], self.length - layout.special(2) - lengths[0])]
        rows = [_special(self.cls_id)]
        for number, (side, count) in enumerate(zip(sides, kept, strict=True)):
            between = number == 0 and len(sides) == 2
            rows += [side[:count], *[_special(self.sep_id)] * (self.separators if between else 1)]
        total = tf.add_n(kept) + layout.special(len(kept))
        rows.append(tf.fill([self.length - total, 3], 0) + tf.constant([[self.pad_id, 0, 0]]))
        row = tf.reshape(tf.concat(rows, axis=0), [self.length, 3])
        places = tf.range(self.length)
        second = (places >= kept[0] + 1 + self.separators) & (places < total)
        columns = {
            "token_ids": row[:, 0],
            "padding_mask": tf.cast(places < total, tf.int32),
            "segment_ids": tf.cast(second, tf.int32) if len(sides) == 2 else tf.zeros_like(places),
            "starts": row[:, 1],
            "ends": row[:, 2],
        }
        return {name: tf.reshape(column, [1, self.length]) for name, column in columns.items()}

    def _places(self, text: Any) -> Any:
        """string [1] -> int32 [P, 3], the first pieces of it, as many as a row has: number, start and end in bytes."""
        normal, sources = self.normalizer.normalize_with_offsets(text)
        words, word_starts, _ = self.splitter.tokenize_with_offsets(normal)
        strings, word_starts = words.flat_values[: self.length], word_starts.flat_values[: self.length]
        ids, starts, ends = self.pieces.tokenize_with_offsets(strings)
        numbers = ids.flat_values[: self.length]
        splits = tf.cast(ids.row_splits, tf.int32)
        before = tf.cast(tf.range(tf.size(numbers))[:, None] >= splits[None, 1:], tf.int32)  # [P, W]
        origin = tf.gather(tf.cast(word_starts, tf.int32), tf.reduce_sum(before, axis=1))
        sources = tf.cast(sources.flat_values, tf.int32)
        first = tf.gather(sources, origin + tf.cast(starts.flat_values[: self.length], tf.int32))
        last = tf.gather(sources, origin + tf.cast(ends.flat_values[: self.length], tf.int32) - 1)
        # A piece ends where what follows its last byte comes from.
        after = tf.where(sources[None] > last[:, None], sources[None], 2**31 - 1)
        return tf.stack([numbers, first, tf.reduce_min(after, axis=1)], axis=1)


def _special(number: int) -> Any:
    return tf.constant([[number, 0, 0]])


def normalizer(strings: Mapping[int, str]) -> bytes:
    """The table in the form that the kernel reads: code points, and what each is replaced by.

    Raises: ValueError for a string of 64 bytes or more.
    """
    pool = bytearray()
    places: dict[str, int] = {}
    entries: dict[bytes, int] = {}
    zero = 0
    for point, string in strings.items():
        coded = string.encode()
        if len(coded) >= 1 << LENGTH_BITS:
            raise ValueError(f"`strings` must be of {(1 << LENGTH_BITS) - 1} bytes at most. Received: {string!r}")
        if string not in places:
            places[string] = len(pool)
            pool += coded
        value = REPLACED | places[string] << LENGTH_BITS | len(coded)
        if point:
            entries[chr(point).encode()] = value
        else:
            zero = value
    return pack(Table({0: np.True_, 1: double_array(entries), 2: np.int32(zero), 3: np.frombuffer(pool, np.uint8)}))
