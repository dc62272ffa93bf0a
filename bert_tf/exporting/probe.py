"""Texts of a given number of tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bert_tf.text import Tokenizer

WORDS = 200  # different ones


def texts_of_length(tokenizer: Tokenizer, count: int, tokens: int) -> list[str]:
    """`count` different texts of so many tokens each, special ones not counted: words that are a token each."""
    named = set(tokenizer.special_tokens.values())
    whole = [word for word in tokenizer.vocabulary if word.isascii() and word.isalpha() and word not in named]
    whole = whole[-20 * WORDS :: 20] if len(whole) > 20 * WORDS else whole[-WORDS:]
    sizes = tokenizer.tokenize(whole).row_lengths().numpy()
    words = [word for word, size in zip(whole, sizes, strict=True) if size == 1] or ["a"]
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(words, size=tokens)) for _ in range(count)]
