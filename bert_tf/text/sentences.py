"""Texts into sentences, and sentences into rows of tokens, as a TensorFlow graph with character offsets.

A line break always ends a sentence. So do . ! ? and the like, with quotes and brackets that close after them, before
white space and then a capital, a digit, a quote or a letter of a script without capitals; and 。 ！ ？ before anything.
Not after titles and references ("Dr. Who", "et al. Nature", "Fig. 3"), the initials of a name (unless one of the words
follows that often begin a sentence: "vitamin C. The"), or the number that begins an item of a list. What no rule knows
goes wrong, as in "Yahoo! Answers"; who knows better puts a sentence a line.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from bert_tf.text.substrings import substrings

MARK, INSTEAD = "\x01", "\x02"  # where a sentence ends; what a text's own MARK counts as
SPACE = r"[\s\pZ\x{85}]"
CLOSING = r"""[)\]}"'”’»›」』）]*"""
BEGINNING = r"""[(\[]?[\p{Lu}\p{Lt}\p{Lo}]|\p{Nd}|["'“‘„«‹¿¡]"""
NEVER_LAST = r"Mr|Mrs|Ms|Dr|Prof|St|Rev|Gen|Col|Capt|Lt|Sgt|Sen|Rep|Gov|Hon|Mt|vs|cf|viz|[Ee]\.g|[Ii]\.e|et\sal"
BEFORE_NUMBERS = (
    "Nos?|no|Figs?|figs?|Eqs?|eqs?|Eqns?|Secs?|secs?|Sect|sect|Ch|ch|Chap|chap|Refs?|refs?|Tab|tab|Thm|Lem|Prop|Def|Cor|"
    "App|Alg|Vol|vol|pp?|ca|approx|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec"
)
STARTERS = (
    "The|A|An|This|These|That|Those|There|It|Its|We|Our|I|My|You|Your|He|His|She|Her|They|Their|In|On|At|By|For|From|To|"
    "With|As|If|When|While|Since|But|And|Or|So|However|Moreover|Here|Then|Thus"
)
# In this order: put marks, take some away, put some back.
RULES = (
    (rf"([.!?…؟।॥]+{CLOSING})({SPACE}+)({BEGINNING})", rf"\1{MARK}\2\3"),
    (rf"([。！？｡]+{CLOSING})", rf"\1{MARK}"),
    (rf"\b((?:{NEVER_LAST})\.){MARK}", r"\1"),
    (rf"\b((?:{BEFORE_NUMBERS})\.){MARK}({SPACE}+[(\[]?\p{{Nd}})", r"\1\2"),
    (rf"((?:^|[\s\pZ.\-({MARK}])\p{{Lu}}\.){MARK}", r"\1"),
    (rf"((?:^|[\n{MARK}]){SPACE}*\p{{Nd}}{{1,3}}\.){MARK}", r"\1"),
    (rf"(\p{{Lu}}\.)({SPACE}+(?:{STARTERS})[\s\pZ,'’])", rf"\1{MARK}\2"),
)
BREAKS = (ord(MARK), 10, 11, 12, 13, 28, 29, 30, 0x85, 0x2028, 0x2029)
SPACES = (
    *range(9, 14),
    *range(28, 33),
    0x85,
    0xA0,
    0x1680,
    *range(0x2000, 0x200B),
    0x2028,
    0x2029,
    0x202F,
    0x205F,
    0x3000,
)


class Sentences(NamedTuple):
    """texts string [S], the sentences of B texts end to end; starts and ends int32 [S], in characters of their text;
    row_splits int32 [B + 1]."""

    texts: Any
    starts: Any
    ends: Any
    row_splits: Any


class SentenceRows(NamedTuple):
    """token_ids and segment_ids, ragged int32 [B, (T)]; sentences, the first of a text's that found room in its row;
    firsts int32 [S], the place of each one's [CLS] in its row; counts int32 [B], how many sentences each text has, and
    tokens int32 [B], how many tokens a row of all of them would have."""

    token_ids: Any
    segment_ids: Any
    sentences: Sentences
    firsts: Any
    counts: Any
    tokens: Any


def split_sentences(texts: Any) -> Sentences:
    """The sentences of texts, string [B], in UTF-8; bytes that are not count as U+FFFD.

    White space around a sentence is not part of it, and one of nothing else is none: a text may have no sentence.
    """
    with tf.device("CPU"):
        texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8")
        marked = tf.strings.regex_replace(texts, MARK, INSTEAD)
        for pattern, rewrite in RULES:
            marked = tf.strings.regex_replace(marked, pattern, rewrite)
        decoded: Any = tf.strings.unicode_decode(marked, "UTF-8")
        points = decoded.flat_values  # [P]
        row = tf.cast(decoded.value_rowids(), tf.int32)
        is_mark = points == ord(MARK)
        marks = tf.cumsum(tf.cast(is_mark, tf.int32))
        row_begins = tf.cast(decoded.row_splits[:-1], tf.int32)
        before = tf.gather(tf.concat([[0], marks], axis=0), row_begins)  # [B]
        place = tf.range(tf.size(points)) - marks - tf.gather(row_begins - before, row)  # in the text as given
        group = tf.cumsum(tf.cast(_any_of(points, BREAKS), tf.int32))

        solid = tf.where(~is_mark & ~_any_of(points, SPACES))[:, 0]
        row, place, group = (tf.gather(values, solid) for values in (row, place, group))
        changes = (row[1:] != row[:-1]) | (group[1:] != group[:-1])
        is_first = tf.concat([tf.ones_like(row[:1], tf.bool), changes], axis=0)
        is_last = tf.concat([changes, tf.ones_like(row[:1], tf.bool)], axis=0)
        starts, ends = tf.boolean_mask(place, is_first), tf.boolean_mask(place, is_last) + 1
        owner = tf.boolean_mask(row, is_first)  # [S]
        sentences = substrings(texts, owner, starts, ends)
        splits = tf.searchsorted(owner, tf.range(tf.size(texts) + 1))
        return Sentences(sentences, starts, ends, splits)


def sentence_rows(tokenizer: Any, texts: Any, *, max_length: int) -> SentenceRows:
    """[CLS] first sentence [SEP] [CLS] second sentence [SEP] ..., with segments 0, 1, 0, ... by sentence.

    Sentences that do not fit in `max_length` tokens are left out, from the first that does not; but a first sentence
    that is too long is cut. A text without a sentence is the row [CLS] [SEP], of one sentence from 0 to 0.

    Args:
        tokenizer: a BertTokenizer.
        texts: string [B].
        max_length: tokens a row at most, 2 or more.
    Reference: Liu, 2019, section 2.1, https://arxiv.org/abs/1903.10318
    """
    with tf.device("CPU"):
        found = split_sentences(texts)
        own_counts = found.row_splits[1:] - found.row_splits[:-1]  # [B]
        found = _with_one_at_least(found)
        counts = found.row_splits[1:] - found.row_splits[:-1]
        owner = tf.repeat(tf.range(tf.size(counts)), counts)  # [S]
        pieces = tokenizer.tokenize(found.texts)
        is_first = tf.range(tf.size(owner)) == tf.gather(found.row_splits, owner)
        sizes = tf.cast(pieces.row_lengths(), tf.int32) + 2
        sums = tf.gather(tf.concat([[0], tf.cumsum(sizes)], axis=0), found.row_splits)
        tokens = sums[1:] - sums[:-1]
        sizes = tf.where(is_first, tf.minimum(sizes, max_length), sizes)
        sums = tf.concat([[0], tf.cumsum(sizes)], axis=0)
        ends = sums[1:] - tf.gather(tf.gather(sums, found.row_splits), owner)  # of each in its text's row
        kept = tf.where(ends <= max_length)[:, 0]  # ends rise within a text: what is kept is its first sentences

        owner, ends, sizes = (tf.gather(values, kept) for values in (owner, ends, sizes))
        number = tf.cast(kept, tf.int32) - tf.gather(found.row_splits, owner)  # of the sentence in its text
        splits = tf.searchsorted(owner, tf.range(tf.size(counts) + 1))
        rows = tf.gather(pieces, kept)[:, : max_length - 2]
        special = tf.ones_like(kept[:, None], tf.int32)
        rows = tf.concat([special * tokenizer.cls_id, rows, special * tokenizer.sep_id], axis=1)  # [S, (t)]
        token_splits = tf.gather(rows.row_splits, splits)
        segment = tf.repeat(number % 2, sizes)
        sentences = Sentences(
            tf.gather(found.texts, kept), tf.gather(found.starts, kept), tf.gather(found.ends, kept), splits
        )
        return SentenceRows(
            tf.RaggedTensor.from_row_splits(rows.values, token_splits, validate=False),
            tf.RaggedTensor.from_row_splits(segment, token_splits, validate=False),
            sentences,
            ends - sizes,
            own_counts,
            tokens,
        )


def _with_one_at_least(found: Sentences) -> Sentences:
    """Texts without a sentence get an empty one."""
    is_empty = tf.cast(found.row_splits[1:] == found.row_splits[:-1], tf.int32)  # [B]
    splits = found.row_splits + tf.concat([[0], tf.cumsum(is_empty)], axis=0)
    own = tf.cast(tf.where(tf.repeat(is_empty, tf.maximum(splits[1:] - splits[:-1], 1)) == 0), tf.int32)  # [S, 1]
    size = tf.reshape(splits[-1], [1])
    texts = tf.tensor_scatter_nd_update(tf.fill(size, ""), own, found.texts)
    return Sentences(texts, tf.scatter_nd(own, found.starts, size), tf.scatter_nd(own, found.ends, size), splits)


def _any_of(points: Any, chosen: tuple[int, ...]) -> Any:
    return tf.reduce_any(points[:, None] == tf.constant(chosen, tf.int32), axis=-1)
