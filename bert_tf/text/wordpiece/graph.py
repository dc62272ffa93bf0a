"""Texts to WordPiece ids and character offsets, in TensorFlow and tensorflow_text ops."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Sequence
from typing import Any, cast

import tensorflow as tf

from bert_tf.text.added_tokens import AddedToken
from bert_tf.text.tokens.one_row import Piece, only_text
from bert_tf.text.wordpiece.lookup import PREFIX, build_model, lookup
from bert_tf.text.wordpiece.matching import CLOSE, HARMLESS, OPEN
from bert_tf.text.wordpiece.normalize import WordSplitter
from bert_tf.text.wordpiece.one_text import OneText
from bert_tf.text.wordpiece.tables import NormalizationTable

LOG = logging.getLogger(__name__)
RARE = "zqxjkvbpygfwmucdlhrsnioate"  # letters, by how often they occur in English
WHITE = "\t\n\r "
TWO_HALVES = 2**16  # bytes; of fewer, to cut and join takes as long as is won
_OTHER_WORD = rf"[^{WHITE}]*[^\x00-\x7F][^{WHITE}]*"
OTHER_WORDS = rf"{_OTHER_WORD}(?:[{WHITE}]+{_OTHER_WORD})*"


class WordPieceGraph:
    """The tokenizer without special tokens around the text: string [B] to pieces.

    Texts of printable ASCII that can name no special token take a short cut: there one tensorflow_text op splits and
    looks up as the reference does, and a byte is a character. Of other texts, the words with other characters go
    through the normalisation table, and what stands between them takes the short cut; so does no part of a text that
    may name a special token.
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        table: NormalizationTable,
        *,
        lowercase: bool,
        unk_token: str,
        tokens: Sequence[AddedToken],
        ids: Sequence[int],
        max_word_characters: int,
        split_special_tokens: bool,
    ):
        """
        Args:
            vocabulary: tokens of WordPiece, each different.
            tokens, ids: what texts can name, and the number of each.
        """
        self.lowercase = lowercase
        # Of this, what one text alone needs is made when one comes.
        self._of_one_text = {"table": table, "unk_token": unk_token, "max_word_characters": max_word_characters}
        self._vocabulary = vocabulary
        first = WordSplitter(table, max_word_characters=max_word_characters)
        self.as_found: dict[int, str] = {}
        """The numbers of tokens that are looked for in normalised text -> their normalised contents."""
        raw, normal, tells = {}, {}, []
        for token, number in zip(tokens, ids, strict=True):
            content = first.normalized(token.content) if token.is_normalized else token.content
            if not content:
                continue  # What normalisation removes is never found.
            found = normal if token.is_normalized else raw
            if token.is_normalized:
                self.as_found[number] = content
            if content in found:
                what = (tokens[list(ids).index(found[content][1])].content, token.content)
                LOG.warning("added tokens %r and %r are the same when normalised: the first is found", *what)
                continue
            found[content] = token._replace(content=content), number
            if content.isascii() and not (token.special and split_special_tokens):
                tells.append(content)
        if split_special_tokens:  # They matter only for what could be found within them.
            raw, normal = ({} if all(token.special for token, _ in x.values()) else x for x in (raw, normal))
        known = {token: number for number, token in enumerate(vocabulary)}
        simple = not normal and all(
            known.get(content) == number and not any((token.single_word, token.lstrip, token.rstrip))
            and not content.startswith(PREFIX) and len(content) <= max_word_characters
            and not (token.special and split_special_tokens)
            for content, (token, number) in raw.items()
        )  # fmt: skip
        self.splitter = WordSplitter(
            table,
            max_word_characters=max_word_characters,
            raw=[token for token, _ in raw.values()],
            normal=[token for token, _ in normal.values()],
            keeps_marks=not simple,
            split_special_tokens=split_special_tokens,
        )
        keys = [] if simple else [
            (chr(mark) + content, number)
            for mark, found in ((OPEN, raw), (CLOSE, normal)) for content, (_, number) in found.items()
        ]  # fmt: skip
        words = [*vocabulary, *(key for key, _ in keys)]
        self.piece_characters = tf.constant([len(token.removeprefix(PREFIX)) for token in words], tf.int32)
        longest = max([max_word_characters, *(len(key) for key, _ in keys)])
        self.words_model = build_model(words, 4 * longest, unk_token, pretokenized=True)
        self.numbers = tf.constant([*range(len(vocabulary)), *(number for _, number in keys)]) if keys else None
        told = set().union(*map(telling, tells))
        ascii_characters = "".join(re.escape(chr(c)) for c in (9, 10, 13, *range(32, 127)) if chr(c) not in told)
        self.short_cut = f"[{ascii_characters}]*" if ascii_characters else "()"
        # Tokens that are not told by their ASCII characters may stand across words. Bytes that are not UTF-8
        # match U+FFFD or half a surrogate pair; another op counts them otherwise, so texts with these stay whole.
        told_all = not normal and all(content.isascii() for content in raw)
        others = r"\x{80}-\x{D7FF}\x{E000}-\x{FFFC}\x{FFFE}-\x{10FFFF}"
        self.with_parts = f"[{ascii_characters}{others}]*" if told_all and ascii_characters else None
        try:
            self.ascii_model = build_model(vocabulary, max_word_characters, unk_token, pretokenized=False)
        except RuntimeError:  # No token of the vocabulary can occur in such a text.
            self.ascii_model = None

    def of_one(self, texts: Any) -> list[Piece] | None:
        """The pieces of a single text that takes the short cut, without a graph; None for what is another, in a graph
        too."""
        text = only_text(texts) if tf.executing_eagerly() and self.ascii_model is not None else None
        return None if text is None else self._one_text(text)

    @functools.cached_property
    def _one_text(self) -> OneText:
        return OneText(self._vocabulary, short_cut=self.short_cut, **self._of_one_text)

    def __call__(self, texts, *, with_offsets: bool):
        """texts string [B] -> int32 [P], or [P, 3] with offsets: id, start, end; and row splits int64 [B + 1]."""
        with tf.device("CPU"):
            if self.ascii_model is None:
                return self._any(texts, with_offsets)
            return self._any_or_ascii(texts, with_offsets)

    def _any_or_ascii(self, texts, with_offsets):
        if self.with_parts is None:
            short = tf.strings.regex_full_match(texts, self.short_cut)
            mixed = functools.partial(self._each_its_way, texts, short, with_offsets)
        else:
            can = tf.strings.regex_full_match(texts, self.with_parts)
            short = can & _all_ascii(texts)
            mixed = functools.partial(self._in_parts, texts, can, with_offsets)
        long = tf.reduce_sum(tf.strings.length(texts)) > TWO_HALVES
        ascii_way = functools.partial(self._ascii, texts, with_offsets)
        halves = functools.partial(self._ascii_halves, texts, with_offsets)
        # One choice of three: in a choice within a choice the halves would wait for each other.
        return tf.switch_case(tf.where(tf.reduce_all(short), tf.cast(long, tf.int32), 2), [ascii_way, halves, mixed])

    def _in_parts(self, texts, can, with_offsets):
        """Words of other characters, with the white space between two of them, are parts of their own: no rule of the
        normalisation reaches over ASCII white space."""
        marked = tf.where(
            can,
            tf.strings.regex_replace(texts, OTHER_WORDS, rf"{chr(OPEN)}\0{chr(OPEN)}"),
            tf.strings.regex_replace(texts, chr(OPEN), chr(HARMLESS)),  # as normalisation has it
        )
        parts: Any = tf.strings.split(marked, chr(OPEN))
        short = tf.repeat(can, parts.row_lengths()) & _all_ascii(parts.values)
        values, splits = self._each_its_way(parts.values, short, with_offsets)
        if with_offsets:
            characters = tf.strings.length(parts.values, "UTF8_CHAR")
            before = tf.cumsum(characters, exclusive=True)
            first = tf.gather(tf.concat([before, [0]], axis=0), parts.row_splits[:-1])
            before -= tf.repeat(first, parts.row_lengths())
            before = tf.repeat(before, splits[1:] - splits[:-1])
            values += tf.stack([tf.zeros_like(before), before, before], axis=1)
        return values, tf.gather(splits, parts.row_splits)

    def _each_its_way(self, texts, short, with_offsets):
        short_rows, other_rows = tf.where(short)[:, 0], tf.where(~short)[:, 0]
        values, splits = self._ascii_halves(tf.gather(texts, short_rows), with_offsets)
        other_values, other_splits = self._any(tf.gather(texts, other_rows), with_offsets)
        values, splits = _joined((values, splits), (other_values, other_splits))
        back = tf.math.invert_permutation(tf.concat([short_rows, other_rows], axis=0))
        ragged = cast(Any, tf.gather(tf.RaggedTensor.from_row_splits(values, splits, validate=False), back))
        return ragged.values, ragged.row_splits

    def _ascii_halves(self, texts, with_offsets):
        """In two halves, which two cores work on: the op itself uses one."""
        size = tf.cumsum(tf.strings.length(texts))
        middle = tf.searchsorted(size, tf.reduce_max(tf.concat([[0], size], axis=0))[None] // 2)[0]
        return _joined(*(self._ascii(half, with_offsets) for half in (texts[:middle], texts[middle:])))

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
        numbers = ids.values if self.numbers is None else tf.gather(self.numbers, ids.values)
        if not with_offsets:
            return numbers, row_splits
        # The pieces of a word tile it, so their lengths give their places. An unknown word is one piece.
        word_characters = words.character_splits[1:] - words.character_splits[:-1]
        alone = tf.repeat(tf.where(ids.row_lengths() == 1, word_characters, 0), ids.row_lengths())
        characters = tf.where(alone > 0, alone, tf.gather(self.piece_characters, ids.values))
        last = tf.cumsum(characters)
        origins = tf.repeat(words.origins, row_splits[1:] - row_splits[:-1])
        starts = tf.gather(words.positions, last - characters) - origins
        ends = tf.gather(words.positions, last - 1) + 1 - origins
        return tf.stack([numbers, starts, ends], axis=1), row_splits


def _all_ascii(texts):
    """bool [B]; bytes that are not UTF-8 may count as ASCII."""
    return tf.strings.length(texts) == tf.strings.length(texts, "UTF8_CHAR")


def _joined(first, second):
    """Values and row splits of two lots of texts, as those of one."""
    (values, splits), (more, more_splits) = first, second
    return tf.concat([values, more], axis=0), tf.concat([splits, splits[-1] + more_splits[1:]], axis=0)


def telling(token: str) -> set[str]:
    """Characters of printable ASCII of which every such text has one that names the token, as few texts as can be."""
    found = next((c for c in token if not c.isalnum() and c not in WHITE), None)
    found = found or next((c for c in token if c.isdigit()), None)
    if found is not None:
        return {found}
    letters = sorted((c for c in token if c.isalpha()), key=lambda c: RARE.index(c.lower()))
    return {letters[0].lower(), letters[0].upper()} if letters else set(WHITE)
