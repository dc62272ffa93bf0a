"""Texts to WordPiece ids and character offsets, in TensorFlow and tensorflow_text ops."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import tensorflow as tf
import tensorflow_text
from tensorflow_text.core.pybinds import pywrap_fast_wordpiece_tokenizer_model_builder as model_builder

from bert_tf.text.normalize import MAX_WORD_BYTES, WordSplitter
from bert_tf.text.tables import NormalizationTable
from bert_tf.text.vocabulary import MAX_WORD_CHARACTERS

PREFIX = "##"


class WordPieceGraph:
    """The tokenizer without special tokens around the text: string [B] to pieces.

    Texts of printable ASCII that can name no special token take a short cut: there one tensorflow_text op splits and
    looks up as the reference does, and a byte is a character. All others go through the normalisation table.
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        table: NormalizationTable,
        *,
        lowercase: bool,
        unk_token: str,
        special_tokens: Sequence[str],
    ):
        self.lowercase = lowercase
        self.splitter = WordSplitter(table, special_tokens)
        self.piece_characters = tf.constant([len(token.removeprefix(PREFIX)) for token in vocabulary], tf.int32)
        self.words_model = build_model(vocabulary, MAX_WORD_BYTES, unk_token, pretokenized=True)
        # The first character of each special token, other than letters and digits where it has another.
        tells = {next((c for c in token if not c.isalnum()), token[0]) for token in special_tokens if token.isascii()}
        ascii_characters = "".join(re.escape(chr(c)) for c in (9, 10, 13, *range(32, 127)) if chr(c) not in tells)
        self.short_cut = f"[{ascii_characters}]*"
        try:
            self.ascii_model = build_model(vocabulary, MAX_WORD_CHARACTERS, unk_token, pretokenized=False)
        except RuntimeError:  # No token of the vocabulary can occur in such a text.
            self.ascii_model = None

    def __call__(self, texts, *, with_offsets: bool):
        """texts string [B] -> int32 [P], or [P, 3] with offsets: id, start, end; and row splits int64 [B + 1]."""
        with tf.device("CPU"):
            if self.ascii_model is None:
                return self._any(texts, with_offsets)
            return self._any_or_ascii(texts, with_offsets)

    def _any_or_ascii(self, texts, with_offsets):
        short = tf.strings.regex_full_match(texts, self.short_cut)
        return tf.cond(
            tf.reduce_all(short),
            lambda: self._ascii(texts, with_offsets),
            lambda: self._mixed(texts, short, with_offsets),
        )

    def _mixed(self, texts, short, with_offsets):
        short_rows, other_rows = tf.where(short)[:, 0], tf.where(~short)[:, 0]
        values, splits = self._ascii(tf.gather(texts, short_rows), with_offsets)
        other_values, other_splits = self._any(tf.gather(texts, other_rows), with_offsets)
        values = tf.concat([values, other_values], axis=0)
        splits = tf.concat([splits, splits[-1] + other_splits[1:]], axis=0)
        back = tf.math.invert_permutation(tf.concat([short_rows, other_rows], axis=0))
        ragged = cast(Any, tf.gather(tf.RaggedTensor.from_row_splits(values, splits, validate=False), back))
        return ragged.values, ragged.row_splits

    def _ascii(self, texts, with_offsets):
        texts = tf.strings.lower(texts) if self.lowercase else texts
        ids, starts, ends = lookup(self.ascii_model, texts)
        if not with_offsets:
            return ids.values, ids.row_splits
        offsets = tf.cast(tf.stack([starts.values, ends.values], axis=1), tf.int32)
        return tf.concat([ids.values[:, None], offsets], axis=1), ids.row_splits

    def _any(self, texts, with_offsets):
        words = self.splitter(texts)
        ids, _, _ = lookup(self.words_model, words.strings)
        row_splits = tf.gather(ids.row_splits, words.row_splits)
        if not with_offsets:
            return ids.values, row_splits
        # The pieces of a word tile it, so their lengths give their places. An unknown word is one piece.
        word_characters = words.character_splits[1:] - words.character_splits[:-1]
        alone = tf.repeat(tf.where(ids.row_lengths() == 1, word_characters, 0), ids.row_lengths())
        characters = tf.where(alone > 0, alone, tf.gather(self.piece_characters, ids.values))
        last = tf.cumsum(characters)
        origins = tf.repeat(words.origins, row_splits[1:] - row_splits[:-1])
        starts = tf.gather(words.positions, last - characters) - origins
        ends = tf.gather(words.positions, last - 1) + 1 - origins
        return tf.stack([ids.values, starts, ends], axis=1), row_splits


def build_model(vocabulary, max_word_bytes, unk_token, *, pretokenized):
    buffer = model_builder.build_fast_wordpiece_model(
        list(vocabulary), max_word_bytes, PREFIX, unk_token, pretokenized, False
    )
    return tf.constant(np.frombuffer(bytes(buffer), np.uint8))


def lookup(model, texts):
    """Returns ragged ids int32, starts and ends in bytes, a row for each text."""
    tokenizer = cast(Any, tensorflow_text).FastWordpieceTokenizer(model_buffer=model, token_out_type=tf.int32)
    return tokenizer.tokenize_with_offsets(texts)
