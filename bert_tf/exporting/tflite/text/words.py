"""What `BertTokenizer` makes of single characters, for readers that have a tokenizer of their own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from bert_tf.text.wordpiece.tables import (
    CLASS_BITS,
    EXPANDS,
    ISOLATED,
    KIND_BITS,
    MARK,
    PAGE_BITS,
    REMOVED,
    SPACE,
    load_table,
)

if TYPE_CHECKING:
    from bert_tf.text import Tokenizer

UNKNOWN = "\x01"  # stands for every character that is a word by itself and in no vocabulary
SURROGATES = range(0xD800, 0xE000)
PREFIX = "##"
CHUNK = 4096
ACCENTED = "éèáàäöóüíñçï"
ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}  # which is what MediaPipe does to a text


def replacements(tokenizer: Tokenizer) -> dict[int, str]:
    """Code points that do not stay as they are, and what becomes of each: a character that stands alone gets a space on
    both sides, and all that are in no vocabulary are the same, unknown one."""
    strip = tokenizer.lowercase if tokenizer.strip_accents is None else tokenizer.strip_accents
    table = load_table(tokenizer.lowercase, strip, tokenizer.split_cjk)
    points = np.arange(0x110000)
    entries = table.entries[(table.pages[points >> PAGE_BITS] << PAGE_BITS) + (points & (1 << PAGE_BITS) - 1)]
    kinds, deltas = entries & (1 << KIND_BITS) - 1, entries >> (KIND_BITS + CLASS_BITS)
    found = {}
    for point in np.flatnonzero((kinds != 0) | (deltas != 0)).tolist():
        if point in SURROGATES:
            continue
        kind, value = int(kinds[point]), point + int(deltas[point])
        if kind in (REMOVED, MARK):
            found[point] = ""
        elif kind == SPACE:
            found[point] = " "
        elif kind == ISOLATED:
            found[point] = f" {chr(value) if chr(value) in tokenizer.token_to_id else UNKNOWN} "
        elif kind == EXPANDS:
            start, end = table.expansion_splits[value : value + 2]
            found[point] = "".join(map(chr, table.expansion_points[start:end]))
        else:
            found[point] = chr(value)
    return found


def words_for_others(tokenizer: Tokenizer, texts: Iterable[str] = ()) -> tuple[list[str], np.ndarray]:
    """A vocabulary for readers that look up pieces of words as BERT does, but do not take accents off: for them a word
    with an accent is unknown as a whole.

    Args:
        texts: in whose spelling pieces are put into the vocabulary, such as "##iché" beside "##iche". Single
            characters are there without it, and what `_one_accent` adds.
    Returns: K words, the tokenizer's own first; and int32 [K], the token that each stands for. Of a tokenizer that does
        not look up pieces so, its own alone.
    """
    if tokenizer.piece_prefix != PREFIX:
        return list(tokenizer.vocabulary), np.arange(tokenizer.vocabulary_size, dtype=np.int32)
    others = _characters(tokenizer) | _one_accent(tokenizer) | _pieces(tokenizer, texts)
    words = [*tokenizer.vocabulary, *(word for word in others if word not in tokenizer.token_to_id)]
    return words, np.array([others.get(word, number) for number, word in enumerate(words)], np.int32)


def _characters(tokenizer: Tokenizer) -> dict[str, int]:
    """Characters that the tokenizer reads as another one that is a token, and that token's number."""
    found = {}
    for point, string in replacements(tokenizer).items():
        if point < 128 or len(string) != 1 or string.isspace():
            continue
        for prefix in ("", PREFIX):
            number = tokenizer.token_to_id.get(prefix + string)
            if number is not None:
                found[f"{prefix}{chr(point)}"] = number
    return found


def _one_accent(tokenizer: Tokenizer) -> dict[str, int]:
    """Tokens with an accent on one of their letters: any of ACCENTED in pieces that continue a word, which are few,
    and the most frequent one in whole words."""
    letters = replacements(tokenizer)
    accents = [(letters[ord(letter)], letter) for letter in ACCENTED if ord(letter) in letters]
    found = {}
    for number, token in enumerate(tokenizer.vocabulary):
        first = len(PREFIX) if token.startswith(PREFIX) else 0
        if not token[first:].isascii() or not token[first:].isalpha():
            continue
        for plain, accented in accents if first else accents[:1]:
            for place in range(first, len(token)):
                if token[place] == plain:
                    found[token[:place] + accented + token[place + 1 :]] = number
    return found


def _pieces(tokenizer: Tokenizer, texts: Iterable[str]) -> dict[str, int]:
    """Pieces as they are spelt in the texts, where that is not how the vocabulary has them, and their numbers."""
    unusual = [text for text in texts if not text.isascii()]
    found: dict[str, int] = {}
    for start in range(0, len(unusual), CHUNK):
        chunk = unusual[start : start + CHUNK]
        ids, starts, ends = tokenizer.tokenize_with_offsets(chunk)
        owners = ids.value_rowids().numpy()
        columns = (column.values.numpy().tolist() for column in (ids, starts, ends))
        for owner, number, first, last in zip(owners, *columns, strict=True):
            token = tokenizer.vocabulary[number]
            piece = chunk[owner][first:last]
            if piece.isascii() or number == tokenizer.unk_id:
                continue
            word = (PREFIX if token.startswith(PREFIX) else "") + piece.translate(ASCII_LOWER)
            if word != token and word not in tokenizer.token_to_id:
                found.setdefault(word, number)
    return found
