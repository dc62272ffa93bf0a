"""From the labels of word pieces to entities, or labelled words, of a raw text, in the graph.

A tagger learns from words that a corpus has cut its own way ("Paris" "."), and is then given ordinary text ("Paris.").
To BERT both are the same pieces, so what it says of each piece holds for both; what remains is to say which pieces are
a word. Here that is what stands between spaces, and its first piece decides for all of it, as in training. But opening
quotes and brackets in front and dashes are words of their own, and closing punctuation (with an English 's) is left off
an entity's end where the model says that it is outside; where each word has a label it is a word of its own. In scripts
that put no spaces between words each piece is a word, and marks that stand between it and other letters are too.

So of words joined by single spaces the entities are those of word-wise decoding, but for words that themselves begin
with opening marks or hold a dash, and for the end within a last word such as "U.S.".
"""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from bert_tf.data.tagged.joining import WITHOUT_SPACES
from bert_tf.data.tagged.label_sets import LabelSet

OPENING = '"([{<“‘‚„«‹¿¡「『《〈【（［｛〔'
CLOSING = "\"'.,;:!?…)]}>”’»›」』》〉】）］｝〕。，、；：！？"
ALONE = "—–―"
APOSTROPHES = "'’"
SPACES = (9, 10, 13, 32, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)


class Pieces(NamedTuple):
    """The P pieces of B texts, end to end: their text int32 [P], and what they cover, int32 [P] in its characters."""

    example: Any
    starts: Any
    ends: Any


def tokenize_windows(tokenizer: Any, texts: Any, *, max_length: int, stride: int) -> dict[str, Any]:
    """Rows of at most `max_length` tokens, several for a long text, that overlap by `stride` pieces.

    Returns: what the tokenizer gives with offsets and a stride, W rows, and `scored`, bool [W, T]: each piece of each
        text in one of its windows, that where it is furthest from a cut. In the order of the rows these are the
        pieces in their order.
    """
    rows = tokenizer(texts, max_length=max_length, stride=stride, return_offsets=True)
    example = rows["example"]  # [W]
    same_as_before = tf.concat([[False], example[1:] == example[:-1]], axis=0)
    goes_on = tf.concat([example[1:] == example[:-1], [False]], axis=0)
    pieces = tf.reduce_sum(rows["padding_mask"], axis=1) - 2  # [W]
    # Of an overlap, the window before keeps the first half, the one after it the rest.
    low = tf.where(same_as_before, stride // 2, 0)
    high = tf.where(goes_on, max_length - 2 - stride + stride // 2, pieces)
    number = tf.range(tf.shape(rows["token_ids"])[1])[None] - 1  # [1, T]
    return rows | {"scored": (number >= low[:, None]) & (number < high[:, None])}


def pieces_of(rows: dict[str, Any]) -> Pieces:
    """The scored pieces of the rows of `tokenize_windows`."""
    scored = rows["scored"]
    example = tf.repeat(rows["example"], tf.reduce_sum(tf.cast(scored, tf.int32), axis=1))
    return Pieces(example, tf.boolean_mask(rows["starts"], scored), tf.boolean_mask(rows["ends"], scored))


class Words(NamedTuple):
    """What the pieces of a text are to its words, each [P].

    Args:
        begins: bool, whether the piece begins a word.
        closing: int32, 1: a closing mark; 2: the s of an English 's.
        unspaced: bool, whether the piece is of a script that puts no spaces between words.
    """

    begins: Any
    closing: Any
    unspaced: Any


def entities(pieces: Pieces, words: Words, probabilities: Any, labels: LabelSet) -> dict[str, Any]:
    """What is named in texts, of the labels' probabilities float32 [P, C].

    Where each word has a label, rather than words together being an entity, every word is one.

    Returns: of N entities, in their order: `example`, `type` (of `labels.types`), `start` and `end` int32 [N]
        (characters of the text), and `score` float32 [N], the mean probability of its words' labels.
    """
    best = tf.argmax(probabilities, axis=-1, output_type=tf.int32)  # [P]
    begins, closing = deciding(words, labels), words.closing
    kind = tf.gather(tf.constant(labels.type_of, tf.int32), best)  # [P], -1 outside
    if not labels.is_entities:
        closing = tf.zeros_like(closing)
    word = tf.cumsum(tf.cast(begins, tf.int32)) - 1  # [P]
    first = tf.cast(tf.where(begins)[:, 0], tf.int32)  # [W], the words' first pieces

    # A word ends with its last piece that is not closing punctuation outside of everything.
    before = tf.concat([[-1], kind[:-1]], axis=0)
    outside = tf.where(closing == 2, before, kind) < 0
    kept = begins | (closing == 0) | ~outside
    last = tf.math.segment_max(tf.where(kept, tf.range(tf.size(word)), -1), word)  # [W]

    kind, example = tf.gather(kind, first), tf.gather(pieces.example, first)  # [W]
    opens = tf.gather(tf.constant([letter in "BS" for letter in labels.letters]), tf.gather(best, first))
    ends = tf.gather(tf.constant([letter in "ES" for letter in labels.letters]), tf.gather(best, first))
    follows = (example[1:] == example[:-1]) & (kind[1:] == kind[:-1]) & ~ends[:-1]
    starts = (kind >= 0) & (opens | ~tf.concat([[False], follows], axis=0))
    inside = tf.where(kind >= 0)[:, 0]  # the words of entities
    entity = tf.gather(tf.cumsum(tf.cast(starts, tf.int32)) - 1, inside)
    opening = tf.where(starts)[:, 0]  # [N], the entities' first words
    likely = tf.gather(tf.reduce_max(probabilities, axis=-1), first)  # [W]
    return {
        "example": tf.gather(example, opening),
        "type": tf.gather(kind, opening),
        "start": tf.gather(pieces.starts, tf.gather(first, opening)),
        "end": tf.math.segment_max(tf.gather(pieces.ends, tf.gather(last, inside)), entity),
        "score": tf.math.segment_mean(tf.gather(likely, inside), entity),
    }


def words_of(texts: Any, pieces: Pieces) -> Words:
    """Which pieces begin a word of raw texts, string [B]."""
    decoded = tf.strings.unicode_decode(texts, "UTF-8", errors="replace")
    points = tf.concat([decoded.flat_values, [0]], axis=0)
    origin = tf.gather(tf.cast(decoded.row_splits, tf.int32), pieces.example) + pieces.starts  # [P]
    spaces = tf.gather(tf.cumsum(tf.cast(_any_of(points, SPACES), tf.int32)), origin)  # before each piece
    new = (spaces[1:] != spaces[:-1]) | (pieces.example[1:] != pieces.example[:-1])
    new = tf.concat([tf.ones_like(origin[:1], tf.bool), new], axis=0)  # the first piece between two spaces

    points = tf.gather(points, origin)  # [P], the first characters
    unspaced = tf.zeros_like(new)
    for low, high in WITHOUT_SPACES:
        unspaced |= (points >= low) & (points <= high)
    points = tf.where(pieces.ends - pieces.starts == 1, points, 0)  # [P], of pieces that are a single mark
    is_opening, is_apostrophe = _any_of(points, _points(OPENING)), _any_of(points, _points(APOSTROPHES))
    is_closing, alone = _any_of(points, _points(CLOSING)), _any_of(points, _points(ALONE)) | unspaced
    after = _after(alone) & ~new
    new |= alone | after
    # Marks in front of a word are words of their own: opening ones, and any after what is alone.
    group = tf.cumsum(tf.cast(new, tf.int32)) - 1  # [P]
    marks = is_opening | (is_closing & tf.gather(tf.boolean_mask(after, new), group))
    others = tf.cumsum(tf.cast(~marks, tf.int32), exclusive=True)  # pieces other than these before each
    begins = new | (others == tf.gather(tf.boolean_mask(others, new), group))
    possessive = _any_of(points, _points("sS")) & _after(is_apostrophe) & ~begins
    return Words(begins, tf.where(is_closing, 1, tf.where(possessive, 2, 0)), unspaced)


def deciding(words: Words, labels: LabelSet) -> Any:
    """bool [P], the pieces that begin a word, whose label is the word's."""
    return words.begins if labels.is_entities else _closing_apart(words.begins, words.closing)


def heads_of(words: Words) -> Any:
    """bool [P], the pieces that can speak for a word that the caller knows: beginnings of words, and closing marks."""
    return words.begins | (words.closing == 1)


def _closing_apart(begins: Any, closing: Any) -> Any:
    """`begins`, where closing marks at a word's end are words of their own, and an English 's is one."""
    number = tf.range(tf.size(closing))
    word = tf.cumsum(tf.cast(begins, tf.int32)) - 1
    core = tf.math.segment_max(tf.where(begins | (closing == 0), number, -1), word)  # [W]
    return begins | ((number > tf.gather(core, word)) & (closing == 1))


def _after(flags: Any) -> Any:
    return tf.concat([tf.zeros_like(flags[:1]), flags[:-1]], axis=0)


def _points(characters: str) -> tuple[int, ...]:
    return tuple(ord(character) for character in characters)


def _any_of(points: Any, chosen: tuple[int, ...]) -> Any:
    return tf.reduce_any(points[:, None] == tf.constant(chosen, tf.int32), axis=-1)
