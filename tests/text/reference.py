"""The `tokenizers` library set up for BERT, texts to compare with, and where the comparison fails."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np
import tensorflow as tf
from tokenizers import AddedToken, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece

from bert_tf.text import Tokenizer as Ours

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
POINTS = [point for point in range(0x110000) if not 0xD800 <= point < 0xE000]
# Where a combining character stays although accents are taken off, so that canonical reordering can be seen.
SPACING_MARKS = "\u302e\u302f\u1b44\u1baa\u1bf2\ua953\ua9c0\U000111c0\U0001d165\U0001d166\U0001d16d\U0001d16e"
MARKS = "\u0300\u0301\u0315\u0323\u0327\u0334\u0345\u034f\u093c\u094d\u0e38\u0f71\u20dd\u0488\u3099" + SPACING_MARKS
COMPOSED = "éüñÅİıßẞǰΐΰſᾳŉᾼῇ\u0344\u0f73\u0f75\u0f81\u1fc1≠각힣한ཱི\U0001d15e\U0001d160\u2adcשּׂ"
SPACES = " \t\n\r\u00a0\u2003\u3000\u2028\u2029\u1680\u0085\u000b\u000c\u200b\ufeff"
CONTROLS = "\x00\x01\x02\x03\x1b\x7f\x80\x9f\u00ad\u200d\u200e\u202e\u2066\ufe0f\ufffd\uffff\ue000\U000e0041\U0010ffff"
EMOJI = "😀👩‍👩‍👧‍👦🇩🇪👍🏽❤️⚽🏴󠁧󠁢󠁥󠁮󠁧󠁿1️⃣"
SCRIPTS = ((0x21, 0x7E), (0x41, 0x7A), (0xA1, 0x24F), (0x370, 0x52F), (0x590, 0x6FF), (0x900, 0xE7F), (0x10A0, 0x11FF),
           (0x1C80, 0x1FFF), (0x2000, 0x2BFF), (0x3000, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xF900, 0xFAFF),
           (0xFE00, 0xFFFF), (0x10400, 0x104FF), (0x1D100, 0x1D7FF), (0x1F300, 0x1FAFF),
           (0x20000, 0x2FA1F))  # fmt: skip


@cache
def letters_vocabulary() -> tuple[str, ...]:
    """Every character that could be a token or a part of one, so that no difference hides behind [UNK]."""
    tokens: dict[str, None] = dict.fromkeys(SPECIAL)
    for point in POINTS[: 0x20000 - 0x800]:
        if unicodedata.category(chr(point))[0] not in "CZ":
            tokens[chr(point)] = tokens["##" + chr(point)] = None
    return tuple(tokens)


def reference(vocabulary: Sequence[str], *, lowercase=True, strip_accents=None, split_cjk=True) -> Any:
    """BERT's tokenizer as Transformers sets it up."""
    model: Any = WordPiece
    ids = {token: number for number, token in enumerate(vocabulary)}
    x: Any = Tokenizer(model(ids, unk_token="[UNK]", max_input_chars_per_word=100))
    x.normalizer = normalizers.BertNormalizer(True, split_cjk, strip_accents, lowercase)
    x.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    x.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[(t, ids[t]) for t in SPECIAL[2:4]]
    )
    x.decoder = decoders.WordPiece(prefix="##", cleanup=True)
    x.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    return x


def code_point_texts(per_text: int) -> list[str]:
    """Every code point as a<c>b, so many to a text."""
    words = [f"a{chr(point)}b" for point in POINTS]
    return [" ".join(words[start : start + per_text]) for start in range(0, len(words), per_text)]


def fuzzed_texts(count: int, *, seed: int, vocabulary: Sequence[str]) -> list[str]:
    rng = random.Random(seed)
    texts = []
    for _ in range(count):
        ascii_only = rng.random() < 0.15
        parts = [fuzzed_part(rng, vocabulary) for _ in range(rng.choice((0, 1, 2, 4, 8, 16)))]
        text = rng.choice(("", "", " ")).join(parts)
        texts.append("".join(c for c in text if c.isascii()) if ascii_only else text)
    return texts


def fuzzed_part(rng: random.Random, vocabulary: Sequence[str]) -> str:
    def some(characters: Sequence[str], most: int) -> str:
        return "".join(rng.choice(characters) for _ in range(rng.randint(1, most)))

    def script() -> str:
        low, high = rng.choice(SCRIPTS)
        return chr(rng.randint(low, high))

    kind = rng.randrange(16)
    if kind < 4:
        return rng.choice(vocabulary).removeprefix("##")
    if kind < 6:
        low, high = rng.choice(SCRIPTS)
        return "".join(chr(rng.randint(low, high)) for _ in range(rng.randint(1, 8)))
    if kind == 6:
        return "".join(script() for _ in range(rng.randint(1, 8)))
    if kind == 7:
        return rng.choice(("a", "é", "각", script())) + some(MARKS, 5)
    if kind == 8:
        return some(COMPOSED, 4) + some(MARKS + COMPOSED, 4)
    if kind == 9:
        return some(SPACES, 2)
    if kind == 10:
        return some(CONTROLS, 3)
    if kind == 11:
        return rng.choice((some(EMOJI, 3), EMOJI))
    if kind == 12:
        return chr(rng.choice(POINTS))
    if kind == 13:
        return rng.choice((*SPECIAL, *SPECIAL, "[mask]", "[MASK", "MASK]", "[[MASK]]", "[ MASK ]", "[UNK][SEP]", "[é]"))
    if kind == 14 and rng.random() < 0.3:
        repeated = rng.choice(("a", "é", "e\u0301", "각", "\U00010428", "ß", "un", "a\u200d", script()))
        return repeated * (rng.choice((49, 50, 51, 99, 100, 101, 102, 250)))
    return some("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789.,!?'\"()-#$&", 12)


def find_mismatch(tokenizer: Ours, expected: Any, texts: Iterable[str], batch: int = 4096) -> str | None:
    """The first text whose ids or offsets differ, with both sides; None if there is none."""
    texts = list(texts)
    for start in range(0, len(texts), batch):
        chunk = texts[start : start + batch]
        encodings = expected.encode_batch(chunk, add_special_tokens=False)
        found = tokenizer.tokenize_with_offsets(tf.constant(chunk))
        if all_equal(encodings, found):
            continue
        for text, encoding, *columns in zip(chunk, encodings, *(ragged.to_list() for ragged in found), strict=True):
            theirs = [(number, *place) for number, place in zip(encoding.ids, encoding.offsets, strict=True)]
            ours = list(zip(*columns, strict=True))
            if ours != theirs:
                return f"{text!a}: id, start, end\nexpected {theirs}\nfound    {ours}"
    return None


def all_equal(encodings: Sequence[Any], found: Sequence[Any]) -> bool:
    """Whether ragged ids, starts and ends are those of the library's encodings."""
    ids = np.array([number for e in encodings for number in e.ids], np.int32)
    offsets = np.array([place for e in encodings for place in e.offsets], np.int32).reshape(-1, 2)
    lengths = np.cumsum([0, *(len(e.ids) for e in encodings)])
    values = [np.asarray(ragged.values) for ragged in found]
    return (
        np.array_equal(np.asarray(found[0].row_splits), lengths)
        and np.array_equal(values[0], ids)
        and np.array_equal(np.stack(values[1:], axis=1), offsets)
    )
