"""Texts to SentencePiece's ids and character offsets, in TensorFlow ops."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import tensorflow as tf

from bert_tf.text.added_tokens import AddedToken
from bert_tf.text.sentence_pieces.characters import END, Characters, begins_section, decode, is_text
from bert_tf.text.sentence_pieces.named import Names
from bert_tf.text.sentence_pieces.steps import META, build_steps
from bert_tf.text.sentence_pieces.unigram import Unigram
from bert_tf.text.sentence_pieces.words import Metaspace, build_splits

LOG = logging.getLogger(__name__)


class SentencePieceGraph:
    """The tokenizer without special tokens around the text: string [B] to pieces.

    Args:
        pieces: the vocabulary with its scores.
        unk_id: the piece of unknown characters.
        byte_fallback: as `Unigram` has it.
        normalizer, pre_tokenizer: the steps from a text to its words, as in a tokenizer.json.
        tokens, ids: what texts can name, and the number of each.
        split_special_tokens: special ones are found but not named.
        where: the file that all this is from, for errors.
    """

    def __init__(
        self,
        pieces: Sequence[tuple[str, float]],
        *,
        unk_id: int,
        byte_fallback: bool,
        normalizer: Sequence[Mapping[str, Any]],
        pre_tokenizer: Sequence[Mapping[str, Any]],
        tokens: Sequence[AddedToken],
        ids: Sequence[int],
        split_special_tokens: bool,
        where: str | os.PathLike[str],
    ):
        self.steps, self.splits = build_steps(normalizer, where), build_splits(pre_tokenizer, where)
        schemes = [split.scheme for split in self.splits if isinstance(split, Metaspace)]
        self.needs_places = "first" in schemes
        prefix = chr(META) if "always" in schemes else ""
        self.model = Unigram(pieces, unk_id=unk_id, byte_fallback=byte_fallback, prefix=prefix)
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
        self.ids = tf.constant(list(ids), tf.int32)
        # Functions that are called, not copied into what calls them: a copy would be traced and optimized each time.
        options: Any = {"autograph": False, "experimental_attributes": {"_noinline": True}}
        signature = [tf.TensorSpec([None], tf.string)]
        self._lots = {
            with_offsets: tf.function(partial(self._lot, with_offsets=with_offsets), signature, **options)
            for with_offsets in (False, True)
        }

    def of_one(self, texts: Any) -> None:
        """No text has a way of its own."""

    def normalized(self, text: str) -> str:
        """A text as the steps leave it, before it is split into words."""
        x, _ = decode(tf.constant([text]), with_places=False)
        for step in self.steps:
            x = step(x)
        return "".join(map(chr, x.values.numpy()[:-1]))

    def __call__(self, texts, *, with_offsets: bool):
        """texts string [B] -> int32 [P], or [P, 3] with offsets: id, start, end; and row splits int64 [B + 1]."""
        with tf.device("CPU"):
            return self._lots[with_offsets](texts)

    def _lot(self, texts, with_offsets):
        x, origins = decode(texts, with_places=with_offsets or self.needs_places)
        x = x if self.raw is None else self.raw(x)
        for step in self.steps:
            x = step(x)
        x = x if self.normal is None else self.normal(x)
        begins = begins_section(x)
        for split in self.splits:
            x, begins = split(x, begins)
        return self._pieces(x, begins | ~is_text(x), origins, with_offsets)

    def _pieces(self, x: Characters, begins, origins, with_offsets):
        """The pieces of the words that begin where `begins`, bool [N]; added tokens and the ends of texts are words."""
        firsts = tf.cast(tf.where(begins)[:, 0], tf.int32)  # [W]
        borders = tf.concat([firsts, tf.shape(x.values)], axis=0)
        points = tf.where(is_text(x), x.values, 0)
        words = tf.strings.unicode_encode(tf.RaggedTensor.from_row_splits(points, borders, validate=False), "UTF-8")
        distinct, word = tf.unique(words)
        pieces = self.model(distinct)
        # Behind the distinct words: the end of a text, of no piece, and added tokens.
        value = tf.gather(x.values, firsts)
        word = tf.where(value >= END, tf.size(distinct) + value - END, word)
        tokens = tf.range(tf.size(self.ids) + 1)
        splits = tf.concat([pieces.row_splits, pieces.row_splits[-1] + tokens], axis=0)
        ids = tf.concat([pieces.ids, self.ids], axis=0)
        begin = tf.gather(splits, word)
        counts = tf.gather(splits, word + 1) - begin
        behind = tf.cumsum(counts, exclusive=True)  # how many pieces there are before each word
        owner = tf.repeat(tf.range(tf.size(word)), counts)
        source = tf.range(tf.size(owner)) + tf.gather(begin - behind, owner)
        ends = tf.boolean_mask(behind, value == END)
        row_splits = tf.concat([tf.zeros([1], tf.int32), ends], axis=0)
        numbers = tf.gather(ids, source)
        if not with_offsets:
            return numbers, tf.cast(row_splits, tf.int64)
        nothing = tf.zeros_like(self.ids)
        first = tf.gather(firsts, owner)
        last = first + tf.gather(tf.concat([pieces.ends, nothing + 1], axis=0), source) - 1
        first += tf.gather(tf.concat([pieces.begins, nothing], axis=0), source)
        origin = tf.repeat(origins, row_splits[1:] - row_splits[:-1])
        starts, ends = tf.gather(x.starts, first) - origin, tf.gather(x.ends, last) - origin
        return tf.stack([numbers, starts, ends], axis=1), tf.cast(row_splits, tf.int64)
