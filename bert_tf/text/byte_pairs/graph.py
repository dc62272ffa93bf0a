"""Texts to byte pairs and character offsets, in TensorFlow ops."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from bert_tf.text.added_tokens import AddedToken
from bert_tf.text.byte_pairs.alphabet import SPACE, bytes_in
from bert_tf.text.byte_pairs.merged_words import WordMerger
from bert_tf.text.byte_pairs.naming import Named, Naming
from bert_tf.text.byte_pairs.one_text import OneText
from bert_tf.text.byte_pairs.whole_words import LONGEST, WholeWords
from bert_tf.text.byte_pairs.words import END, ByteSplitter
from bert_tf.text.tokens.one_row import Piece, only_text

ASCII = r"[\x00-\x7f]*"
# Unicode's White_Space, which is what the library trims offsets by.
WHITE = {*map(chr, (*range(9, 14), 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F,
                    0x3000)), SPACE}  # fmt: skip


class Rules(NamedTuple):
    """How texts are read, as `BytePairTokenizer` takes it; `unknown` is the number of the token for unknown bytes."""

    add_prefix_space: bool = False
    trim_offsets: bool = True
    split_words: bool = True
    ignore_merges: bool = False
    unknown: int | None = None
    fuse_unknown: bool = False
    keep_first_space: bool = False
    normalization: str | None = None


class BytePairGraph:
    """The tokenizer without special tokens around the text: string [B] to pieces.

    All texts become one array of bytes, with a byte behind each that UTF-8 has nowhere. Words that are a token whole
    take a short cut: they are looked up. All others go through the merges together.

    Args:
        ids: token -> number, of the vocabulary.
        merges: pairs of tokens, by rank.
        tokens, numbers: what texts can name, and the number of each.
        rules: how texts are read.
        split_special_tokens: a text that names a special token gets the pieces of its name.
    """

    def __init__(
        self,
        ids: Mapping[str, int],
        merges: Sequence[tuple[str, str]],
        *,
        tokens: Sequence[AddedToken],
        numbers: Sequence[int],
        rules: Rules,
        split_special_tokens: bool,
    ) -> None:
        self.rules = rules
        composes = rules.normalization == "nfc"
        self.naming = Naming(tokens, numbers, composes=composes, passes_over_special=split_special_tokens)
        self.splitter = ByteSplitter(by_pattern=rules.split_words)
        self.merged = WordMerger(ids, merges, unknown=rules.unknown, fuse_unknown=rules.fuse_unknown)
        words = self._whole_words(ids)
        self.words = WholeWords(list(words), list(words.values()))
        named = {number: token.content for number, token in zip(numbers, tokens, strict=True)}
        texts = {number: token for token, number in ids.items()} | named
        blanks = np.zeros((2, max(texts) + 1), np.int32)
        for number, token in texts.items():
            if token[0] in WHITE or token[-1] in WHITE:
                blanks[:, number] = [_blanks(token), _blanks(token[::-1])]
        self.leading, self.trailing = tf.constant(blanks[0]), tf.constant(blanks[1])
        self._of_one_text = ids, merges, [self.naming.as_found.get(number, token) for number, token in named.items()]
        self._blanks = blanks
        self.is_blank = tf.constant([n > 0 and n == len(texts[i]) for i, n in enumerate(blanks[0].tolist())])

    def _whole_words(self, ids: Mapping[str, int]) -> dict[bytes, int]:
        """The words that are one token, and its number: of the vocabulary, what the merges make one token of."""
        found = {token: data for token in ids if (data := bytes_in(token)) and _is_text(data)}  # as every word is
        if self.rules.ignore_merges:  # Then every token is one as a word, however the merges would split it.
            return {data: ids[token] for token, data in found.items()}
        symbols_of = set(ids)
        candidates = [(t, ids[t]) for t, data in found.items() if len(data) <= LONGEST and symbols_of.issuperset(t)]
        word = np.repeat(np.arange(len(candidates)), [len(token) for token, _ in candidates]).astype(np.int32)
        symbols = np.array([ids[c] for token, _ in candidates for c in token], np.int32)
        left, owner = (x.numpy() for x in self.merged.merger(*map(tf.constant, (symbols, word, word))))
        alone = np.bincount(owner, minlength=len(candidates))[owner] == 1
        whole = dict(zip(owner[alone].tolist(), left[alone].tolist(), strict=True))
        candidates = [pair for number, pair in enumerate(candidates) if whole.get(number) == pair[1]]
        return {found[token]: number for token, number in candidates}

    def of_one(self, texts: Any) -> list[Piece] | None:
        """The pieces of a single text without a graph; None for one that is for the graph, and in a graph."""
        text = only_text(texts) if tf.executing_eagerly() else None
        return None if text is None else self._one_text(text)

    @functools.cached_property
    def _one_text(self) -> OneText:
        (ids, merges, names), rules = self._of_one_text, self.rules
        places = np.flatnonzero(self._blanks.any(axis=0)).tolist()
        return OneText(
            ids, merges, names=names, blanks={number: tuple(self._blanks[:, number].tolist()) for number in places},
            add_prefix_space=rules.add_prefix_space, trim_offsets=rules.trim_offsets,
            keep_first_space=rules.keep_first_space, split_words=rules.split_words, ignore_merges=rules.ignore_merges,
        )  # fmt: skip

    def __call__(self, texts, *, with_offsets: bool):
        """texts string [B] -> int32 [P], or [P, 3] with offsets: id, start, end; and row splits int64 [B + 1]."""
        with tf.device("CPU"):
            texts = tf.cond(
                tf.reduce_all(tf.strings.regex_full_match(texts, ASCII)),
                lambda: texts,
                lambda: tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace"),
            )
            return self._pieces(self.naming(texts), with_offsets)

    def _pieces(self, named_parts: Named, with_offsets: bool):
        parts = named_parts.parts
        strings, prefixed = parts.strings, tf.zeros_like(parts.starts)
        if self.rules.add_prefix_space:
            needs_space = (strings != "") & (tf.strings.substr(strings, 0, 1) != " ")
            strings = tf.where(needs_space, tf.strings.join([" ", strings]), strings)
            prefixed = tf.cast(needs_space, tf.int32)
        lengths = tf.strings.length(strings) + 1
        joined = tf.strings.reduce_join(tf.strings.join([strings, bytes([END])]))
        data = tf.cast(tf.io.decode_raw(joined, tf.uint8), tf.int32)  # [N]
        firsts = tf.cumsum(lengths, exclusive=True)  # [P], of each part
        begins, characters = self.splitter(data)
        ends = tf.concat([begins[1:], [tf.size(data)]], axis=0)[: tf.size(begins)]  # [W]
        whole, keys = self.words(data, begins, ends)
        found, rest = tf.where(whole >= 0)[:, 0], tf.where(whole < 0)[:, 0]
        ids, places = self.merged(data, *(tf.gather(column, rest) for column in (begins, ends, keys)))
        named = tf.where(parts.numbers >= 0)[:, 0]
        # A named token stands where its part ends. All tokens are put at their bytes, and found again in their order.
        places = tf.concat([tf.gather(begins, found), places, tf.gather(firsts + lengths - 1, named)], axis=0)
        ids = tf.concat([tf.gather(whole, found), ids, tf.gather(parts.numbers, named)], axis=0)
        laid_out = tf.scatter_nd(places[:, None], ids + 1, tf.shape(data))
        places = tf.cast(tf.where(laid_out > 0)[:, 0], tf.int32)  # [T]
        ids = tf.gather(laid_out, places) - 1
        edges = tf.gather(tf.concat([firsts, [tf.size(data)]], axis=0), parts.row_splits)
        row_splits = tf.searchsorted(places, edges, out_type=tf.int64)
        if not with_offsets:
            return ids, row_splits
        owner = tf.searchsorted(begins, places, side="right") - 1
        stops = tf.minimum(tf.concat([places[1:], [tf.size(data)]], axis=0), tf.gather(ends, owner))
        if self.merged.drops:
            places, stops = self.merged.without_dropped(data, tf.gather(begins, owner), places, stops)
        part = tf.searchsorted(firsts, places, side="right") - 1
        base = tf.gather(tf.gather(characters, firsts) + prefixed, part)
        # A prefixed space is where the first character is; a token of a part of a character is at all of it.
        first = tf.maximum(tf.gather(characters, places) - base, 0)
        last = tf.maximum(tf.gather(characters, stops - 1) - base, 0)
        starts, ends = self.naming.places(named_parts, part, first, last)
        if self.rules.trim_offsets:
            left, right = (tf.gather(column, part) for column in (parts.left, parts.right))
            starts, ends = self._trimmed(ids, starts, ends, left, right)
        return tf.stack([ids, starts, ends], axis=1), row_splits

    def _trimmed(self, ids, starts, ends, left, right):
        """Takes the white space of tokens off their places, that which named ones have taken too."""
        is_blank = tf.gather(self.is_blank, ids)
        leading = tf.gather(self.leading, ids) + left + tf.where(is_blank, right, 0)
        trailing = tf.gather(self.trailing, ids) + right + tf.where(is_blank, left, 0)
        if self.rules.keep_first_space:
            leading = tf.where((starts == 0) & (leading == 1), 0, leading)
        starts = tf.minimum(starts + leading, ends)
        trims = (trailing > 0) & (ends >= trailing)
        return starts, tf.where(trims, tf.maximum(ends - trailing, starts), ends)


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _blanks(token: str) -> int:
    """How many spaces a token begins with."""
    return next((i for i, character in enumerate(token) if character not in WHITE), len(token))
