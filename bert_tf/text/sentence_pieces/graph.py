"""Texts to SentencePiece's ids and character offsets, in TensorFlow ops."""

from __future__ import annotations

import functools
import itertools
import logging
import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import tensorflow as tf

from bert_tf.text.added_tokens import AddedToken
from bert_tf.text.byte_pairs.whole_words import WholeWords, first_equal
from bert_tf.text.repeated import owners, ranges, repeat
from bert_tf.text.sentence_pieces.characters import END, NAMED, Characters, begins_section, decode, is_text
from bert_tf.text.sentence_pieces.models.model import Model, whole_words
from bert_tf.text.sentence_pieces.models.unigram import Pieces
from bert_tf.text.sentence_pieces.named import Names
from bert_tf.text.sentence_pieces.one_text import TextAlone, normalized
from bert_tf.text.sentence_pieces.simple import SimpleTexts
from bert_tf.text.sentence_pieces.steps import META, build_steps
from bert_tf.text.sentence_pieces.words import Metaspace, WhiteSpace, build_splits
from bert_tf.text.tokens.one_row import Piece, only_text

LOG = logging.getLogger(__name__)
HALVED = 64  # texts of a call from which on it is two halves, which two cores work out at once


class SentencePieceGraph:
    """The tokenizer without special tokens around the text: string [B] to pieces.

    Texts that the steps change character by character take a short cut to their normalised characters. Words that are
    one piece are looked up whole; of all others, each that occurs is split once.

    Args:
        model: what splits a word, and what is known of its pieces.
        normalizer, pre_tokenizer: the steps from a text to its words, as in a tokenizer.json.
        tokens, ids: what texts can name, and the number of each.
        split_special_tokens: special ones are found but not named.
        where: the file that all this is from, for errors.
    """

    def __init__(
        self,
        model: Model,
        *,
        normalizer: Sequence[Mapping[str, Any]],
        pre_tokenizer: Sequence[Mapping[str, Any]],
        tokens: Sequence[AddedToken],
        ids: Sequence[int],
        split_special_tokens: bool,
        where: str | os.PathLike[str],
    ):
        self.steps = build_steps(normalizer, where)
        self.splits = build_splits(pre_tokenizer, where, by_model=model.prefixes)
        schemes = [split.scheme for split in self.splits if isinstance(split, Metaspace)]
        self.needs_places = "first" in schemes
        prefix = chr(META) if "always" in schemes and model.prefixes else ""
        self.model, self.one_word = model.graph(prefix), model.one_word
        at_white = any(isinstance(split, WhiteSpace) for split in self.splits)
        self.words = WholeWords(*whole_words(model, self.model, bare=prefix if at_white else ""))
        self.as_found: dict[int, str] = {}
        """The numbers of tokens that are looked for in normalised text -> their normalised contents."""
        raw: dict[str, tuple[AddedToken, int]] = {}
        normal: dict[str, tuple[AddedToken, int]] = {}
        for place, (token, number) in enumerate(zip(tokens, ids, strict=True)):
            content = self.normalized(token.content) if token.is_normalized else token.content
            if not content:
                continue  # What normalisation removes is never found.
            found = normal if token.is_normalized else raw
            if token.is_normalized:
                self.as_found[number] = content
            if content in found:
                what = (tokens[found[content][1]].content, token.content)
                LOG.warning("added tokens %r and %r are the same when normalised: the first is found", *what)
                continue
            found[content] = token._replace(content=content), place
        if split_special_tokens:  # They matter only for what could be found within them.
            raw, normal = ({} if all(token.special for token, _ in x.values()) else x for x in (raw, normal))
        self.raw, self.normal = (
            Names([t for t, _ in x.values()], [n for _, n in x.values()], passes_over_special=split_special_tokens)
            if x else None
            for x in (raw, normal)
        )  # fmt: skip
        self.ids = tf.constant([*ids, 0], tf.int32)
        # What the first split looks for is told with the normalised characters.
        self.simple = SimpleTexts(
            partial(normalized, self.steps), touched=frozenset().union(*(step.touched for step in self.steps)),
            names={content[0] for content in raw}, found={content[0] for content in normal},
            flags=[split.of for split in self.splits[:1]],
        )  # fmt: skip
        # Functions that are called, not copied into what calls them: a copy would be traced and optimized each time.
        options: Any = {"autograph": False, "experimental_attributes": {"_noinline": True}}
        signature = [tf.TensorSpec([None], tf.string)]
        self._lots, self._calls = (
            {with_offsets: tf.function(partial(call, with_offsets=with_offsets), signature, **options)
             for with_offsets in (False, True)}
            for call in (self._lot, self._call)
        )  # fmt: skip

    def of_one(self, texts: Any) -> list[Piece] | None:
        """The pieces of a single text without a graph; None for one that is for the graph, and in a graph."""
        text = only_text(texts) if tf.executing_eagerly() else None
        return None if text is None else self._one_text(text)

    @functools.cached_property
    def _one_text(self) -> TextAlone:
        before, behind = ([] if names is None else [names] for names in (self.raw, self.normal))
        return TextAlone([*before, *self.steps, *behind], self.splits, self.one_word())

    def normalized(self, text: str) -> str:
        """A text as the steps leave it, before it is split into words."""
        x, _ = decode(tf.constant([text]), with_places=False)
        for step in self.steps:
            x = step(x)
        return "".join(map(chr, x.values.numpy()[:-1]))

    def __call__(self, texts, *, with_offsets: bool):
        """texts string [B] -> int32 [P], or [P, 3] with offsets: id, start, end; and row splits int64 [B + 1]."""
        with tf.device("CPU"):
            return self._calls[with_offsets](texts)

    def _call(self, texts, with_offsets):
        lot, half = self._lots[with_offsets], tf.size(texts) // 2
        return tf.cond(
            half >= HALVED // 2,
            lambda: _one_after_other(lot(texts[:half]), lot(texts[half:])),
            lambda: lot(texts),
        )

    def _lot(self, texts, with_offsets):
        x, last = decode(texts, with_places=with_offsets or self.needs_places)
        origins = tf.concat([tf.zeros_like(last[:1]), last[:-1] + 1], axis=0)
        numbers, is_simple = self.simple.look(x)
        x, begins = tf.cond(is_simple, lambda: self._simple_words(x, numbers), lambda: self._words(x))
        return self._pieces(x, self.model.cut(x, begins) | ~is_text(x), origins, with_offsets)

    def _simple_words(self, x: Characters, numbers):
        x, flags = self.simple(x, numbers)
        begins = begins_section(x)
        for split, marked in itertools.zip_longest(self.splits, flags[: len(self.splits[:1])]):
            x, begins = split(x, begins, marked)
        return x, begins

    def _words(self, x: Characters):
        """The characters of any texts behind all steps, and which of them begin a word."""
        x = x if self.raw is None else self.raw(x)
        for step in self.steps:
            x = step(x)
        x = x if self.normal is None else self.normal(x)
        begins = begins_section(x)
        for split in self.splits:
            x, begins = split(x, begins)
        return x, begins

    def _pieces(self, x: Characters, begins, origins, with_offsets):
        """The pieces of the words that begin where `begins`, bool [N]; added tokens and the ends of texts are words."""
        firsts = tf.cast(tf.where(begins)[:, 0], tf.int32)  # [W]
        stops = tf.concat([firsts[1:], tf.shape(x.values)], axis=0)[: tf.size(firsts)]
        value = tf.gather(x.values, firsts)
        whole, keys = self.words(x.values, firsts, stops)
        token = tf.gather(self.ids, tf.where(value >= NAMED, value - NAMED, 0))
        alone = tf.where(value >= NAMED, token, whole)  # the number of a word that is one piece, or -1
        is_rest = (alone < 0) & (value < END)
        rest = tf.where(is_rest)[:, 0]
        pieces, source = tf.cond(
            tf.size(rest) > 0,
            lambda: self._split(x, *(tf.gather(column, rest) for column in (firsts, stops - firsts, keys))),
            lambda: (Pieces(*([tf.zeros([2], tf.int32)] * 4)), tf.zeros([1], tf.int32)),
        )
        source = tf.where(is_rest, tf.gather(source, tf.cumsum(tf.cast(is_rest, tf.int32), exclusive=True)), 0)
        begin = tf.gather(pieces.row_splits, source)
        counts = tf.gather(pieces.row_splits, source + 1) - begin
        counts = tf.where(is_rest, counts, tf.cast(value != END, tf.int32))
        behind = tf.cumsum(counts, exclusive=True)  # how many pieces there are before each word
        owner = owners(counts)
        known = tf.gather(alone, owner)
        is_alone = known >= 0
        source = ranges(begin, begin + counts)
        ends = tf.boolean_mask(behind, value == END)
        row_splits = tf.concat([tf.zeros([1], tf.int32), ends], axis=0)
        numbers = tf.where(is_alone, known, tf.gather(pieces.ids, source))
        if not with_offsets:
            return numbers, tf.cast(row_splits, tf.int64)
        first = tf.gather(firsts, owner)
        last = tf.where(is_alone, tf.gather(stops, owner), first + tf.gather(pieces.ends, source)) - 1
        first += tf.where(is_alone, 0, tf.gather(pieces.begins, source))
        origin = repeat(origins, row_splits[1:] - row_splits[:-1])
        starts, ends = tf.gather(x.starts, first) - origin, tf.gather(x.ends, last) - origin
        return tf.stack([numbers, starts, ends], axis=1), tf.cast(row_splits, tf.int64)

    def _split(self, x: Characters, firsts, lengths, keys):
        """The pieces of words, each different one once, and for each word, int32 [R + 1], which of those it is."""
        source = first_equal(x.values, firsts, lengths, keys)
        is_first = source == tf.range(tf.size(source))
        kept = tf.where(is_first)[:, 0]
        pieces = self.model(x.values, tf.gather(firsts, kept), tf.gather(lengths, kept))
        number = tf.gather(tf.cumsum(tf.cast(is_first, tf.int32)) - 1, source)
        return pieces, tf.concat([number, [0]], axis=0)


def _one_after_other(first, second):
    """The pieces and row splits of some texts, and of those behind them, as of all."""
    (pieces, row_splits), (more, its_splits) = first, second
    return tf.concat([pieces, more], axis=0), tf.concat([row_splits, its_splits[1:] + row_splits[-1]], axis=0)
