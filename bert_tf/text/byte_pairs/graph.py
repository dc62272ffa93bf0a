"""Texts to byte pairs and character offsets, in TensorFlow ops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from bert_tf.text.added_tokens import AddedToken
from bert_tf.text.byte_pairs.alphabet import ALPHABET, BYTES, SPACE, bytes_of
from bert_tf.text.byte_pairs.merging import Merger
from bert_tf.text.byte_pairs.naming import Naming
from bert_tf.text.byte_pairs.whole_words import LONGEST, WholeWords
from bert_tf.text.byte_pairs.words import END, ByteSplitter
from bert_tf.text.tokens.one_row import Piece
from bert_tf.text.tokens.splitting import Parts

UNKNOWN, DROPPED = -1, -2  # of bytes: those that no token stands for, and what stands between texts
NOWHERE = (0xC0, 0xC1, *range(0xF5, 0x100))  # bytes that UTF-8 does not have
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
        self.naming = Naming(tokens, numbers, passes_over_special=split_special_tokens)
        self.splitter, self.merger = ByteSplitter(by_pattern=rules.split_words), Merger(merges, ids)
        of_bytes = [ids.get(ALPHABET[byte], UNKNOWN) for byte in range(256)]
        self.has_all_bytes = UNKNOWN not in [number for byte, number in enumerate(of_bytes) if byte not in NOWHERE]
        if rules.unknown is not None:
            of_bytes = [rules.unknown if number == UNKNOWN else number for number in of_bytes]
        of_bytes[END] = DROPPED
        self.of_bytes = tf.constant(of_bytes)
        self.widths = tf.constant([len(ALPHABET[byte].encode()) for byte in range(256)])
        words = self._whole_words(ids)
        self.words = WholeWords(list(words), list(words.values()))
        named = {number: token.content for number, token in zip(numbers, tokens, strict=True)}
        texts = {number: token for token, number in ids.items()} | named
        blanks = np.zeros((2, max(texts) + 1), np.int32)
        for number, token in texts.items():
            blanks[:, number] = [_blanks(token), _blanks(token[::-1])]
        self.leading, self.trailing = tf.constant(blanks[0]), tf.constant(blanks[1])
        self.is_blank = tf.constant([set(texts.get(number, "-")) <= WHITE for number in range(max(texts) + 1)])

    def _whole_words(self, ids: Mapping[str, int]) -> dict[bytes, int]:
        """The words that are one token, and its number: of the vocabulary, what the merges make one token of."""
        candidates = [(token, number) for token, number in ids.items() if token and all(c in BYTES for c in token)]
        candidates = [pair for pair in candidates if _is_text(bytes_of(pair[0]))]  # as every word is
        if self.rules.ignore_merges:  # Then every token is one as a word, however the merges would split it.
            return {bytes_of(token): number for token, number in candidates}
        candidates = [pair for pair in candidates if len(pair[0]) <= LONGEST and all(c in ids for c in pair[0])]
        word = np.repeat(np.arange(len(candidates)), [len(token) for token, _ in candidates]).astype(np.int32)
        symbols = np.array([ids[c] for token, _ in candidates for c in token], np.int32)
        found, owner = (x.numpy() for x in self.merger(*map(tf.constant, (symbols, word, word))))
        alone = np.bincount(owner, minlength=len(candidates))[owner] == 1
        whole = dict(zip(owner[alone].tolist(), found[alone].tolist(), strict=True))
        candidates = [pair for number, pair in enumerate(candidates) if whole.get(number) == pair[1]]
        return {bytes_of(token): number for token, number in candidates}

    def of_one(self, texts: Any) -> list[Piece] | None:
        """None: every text needs the graph."""
        return None

    def __call__(self, texts, *, with_offsets: bool):
        """texts string [B] -> int32 [P], or [P, 3] with offsets: id, start, end; and row splits int64 [B + 1]."""
        with tf.device("CPU"):
            texts = tf.cond(
                tf.reduce_all(tf.strings.regex_full_match(texts, ASCII)),
                lambda: texts,
                lambda: tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace"),
            )
            return self._pieces(self.naming(texts), with_offsets)

    def _pieces(self, parts: Parts, with_offsets: bool):
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
        whole = self.words(data, begins, ends)
        found, rest = tf.where(whole >= 0)[:, 0], tf.where(whole < 0)[:, 0]
        ids, places = self.merger(*self._symbols(data, begins, ends, rest))
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
        if not self.has_all_bytes and self.rules.unknown is None:
            places, stops = self._without_dropped(data, tf.gather(begins, owner), places, stops)
        part = tf.searchsorted(firsts, places, side="right") - 1
        base = tf.gather(tf.gather(characters, firsts) + prefixed, part)
        # A prefixed space is where the first character is; a token of a part of a character is at all of it.
        first = tf.maximum(tf.gather(characters, places) - base, 0)
        last = tf.maximum(tf.gather(characters, stops - 1) - base, 0)
        starts, ends = self.naming.places(parts, part, first, last)
        if self.rules.trim_offsets:
            left, right = (tf.gather(column, part) for column in (parts.left, parts.right))
            starts, ends = self._trimmed(ids, starts, ends, left, right)
        return tf.stack([ids, starts, ends], axis=1), row_splits

    def _symbols(self, data, begins, ends, rest):
        """The bytes of the words `rest`, int64 [R], as a `Merger` takes symbols: ids, places and words, int32 [S]."""
        first = tf.gather(begins, rest)
        lengths = tf.gather(ends, rest) - first
        words = tf.repeat(tf.range(tf.size(lengths)), lengths)
        places = tf.range(tf.size(words)) + tf.gather(first - tf.cumsum(lengths, exclusive=True), words)
        ids = tf.gather(self.of_bytes, tf.gather(data, places))
        is_symbol = ids >= 0
        if self.rules.fuse_unknown and not self.has_all_bytes and self.rules.unknown is not None:
            unknown = ids == self.rules.unknown
            again = unknown[1:] & unknown[:-1] & (words[1:] == words[:-1])
            is_symbol &= ~tf.concat([tf.zeros_like(unknown[:1]), again], axis=0)
        kept = tf.where(is_symbol)[:, 0]
        return [tf.gather(column, kept) for column in (ids, places, words)]

    def _without_dropped(self, data, first, places, stops):
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
        return (tf.searchsorted(total, places, side="right"), tf.searchsorted(total, stops - 1, side="right") + 1)

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
