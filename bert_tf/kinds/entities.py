"""From the tags of word pieces to entities of a raw text, in the graph.

A tagger learns from words that a corpus has cut its own way ("Paris" "."), and is then given ordinary text ("Paris.").
To BERT both are the same pieces, so what it says of each piece holds for both; what remains is to say which pieces are
a word. Here that is what stands between spaces, and its first piece decides for all of it, as in training. But opening
quotes and brackets in front, dashes and Chinese characters are words of their own, and closing punctuation (with an
English 's) is left off an entity's end where the model says that it is outside.

So of words joined by single spaces the entities are those of word-wise decoding, but for words that themselves begin
with opening marks or hold a dash or Chinese characters among others, and for the end within a last word such as "U.S.".
"""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

OPENING = '"([{<“‘‚„«‹¿¡「『《〈【（［｛〔'
CLOSING = "\"'.,;:!?…)]}>”’»›」』》〉】）］｝〕。，、；：！？"
ALONE = "—–―"
APOSTROPHES = "'’"
SPACES = (9, 10, 13, 32, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)
# The characters that BERT splits off as Chinese (google-research/bert, tokenization.py).
CHINESE = (
    (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF), (0x2F800, 0x2FA1F),
)  # fmt: skip


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


def entities(texts: Any, pieces: Pieces, probabilities: Any) -> dict[str, Any]:
    """What is named in texts [B], of the tags' probabilities float32 [P, C]; C is 1 + 2 K for K types.

    A tag that goes on with a type other than that of the word before begins an entity (conlleval's rule).

    Returns: of N entities, in their order: `example`, `type`, `start` and `end` int32 [N] (characters of the text), and
        `score` float32 [N], the mean probability of its words' tags.
    """
    tags = tf.argmax(probabilities, axis=-1, output_type=tf.int32)  # [P]
    begins, closing = _words(texts, pieces)  # bool [P]
    word = tf.cumsum(tf.cast(begins, tf.int32)) - 1  # [P]
    first = tf.cast(tf.where(begins)[:, 0], tf.int32)  # [W], the words' first pieces

    # A word ends with its last piece that is not closing punctuation outside of everything.
    before = tf.concat([[0], tags[:-1]], axis=0)
    outside = tf.where(closing == 2, before, tags) == 0
    kept = begins | (closing == 0) | ~outside
    last = tf.math.segment_max(tf.where(kept, tf.range(tf.size(word)), -1), word)  # [W]

    tag, example = tf.gather(tags, first), tf.gather(pieces.example, first)  # [W]
    kind = (tag + 1) // 2 - 1  # [W], -1 outside
    follows = (example[1:] == example[:-1]) & (kind[1:] == kind[:-1])
    starts = (kind >= 0) & ((tag % 2 == 1) | ~tf.concat([[False], follows], axis=0))
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


def _words(texts: Any, pieces: Pieces) -> tuple[Any, Any]:
    """Which pieces begin a word, bool [P]; and closing marks, int32 [P]: 1 one itself, 2 the s of an English 's."""
    decoded = tf.strings.unicode_decode(texts, "UTF-8", errors="replace")
    points = tf.concat([decoded.flat_values, [0]], axis=0)
    origin = tf.gather(tf.cast(decoded.row_splits, tf.int32), pieces.example) + pieces.starts  # [P]
    spaces = tf.gather(tf.cumsum(tf.cast(_any_of(points, SPACES), tf.int32)), origin)  # before each piece
    new = (spaces[1:] != spaces[:-1]) | (pieces.example[1:] != pieces.example[:-1])
    new = tf.concat([tf.ones_like(origin[:1], tf.bool), new], axis=0)  # the first piece between two spaces

    is_single = pieces.ends - pieces.starts == 1
    points = tf.where(is_single, tf.gather(points, origin), 0)
    is_opening, is_apostrophe = _any_of(points, _points(OPENING)), _any_of(points, _points(APOSTROPHES))
    alone = _any_of(points, _points(ALONE))
    for low, high in CHINESE:
        alone |= (points >= low) & (points <= high)
    # Pieces other than opening marks, counted from the last space.
    others = tf.cumsum(tf.cast(~is_opening, tf.int32), exclusive=True)
    at_space = tf.gather(tf.boolean_mask(others, new), tf.cumsum(tf.cast(new, tf.int32)) - 1)
    begins = new | (others == at_space) | alone | _after(alone)
    possessive = _any_of(points, _points("sS")) & _after(is_apostrophe) & ~begins
    closing = tf.where(_any_of(points, _points(CLOSING)), 1, tf.where(possessive, 2, 0))
    return begins, closing


def _after(flags: Any) -> Any:
    return tf.concat([tf.zeros_like(flags[:1]), flags[:-1]], axis=0)


def _points(characters: str) -> tuple[int, ...]:
    return tuple(ord(character) for character in characters)


def _any_of(points: Any, chosen: tuple[int, ...]) -> Any:
    return tf.reduce_any(points[:, None] == tf.constant(chosen, tf.int32), axis=-1)
