"""Which added tokens texts name, and where the parts between them are: what comes before bytes and merges."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from bert_tf.text.added_tokens import AddedToken
from bert_tf.text.tokens.splitting import Parts, TokenSplitter, whole

Numbered = tuple[AddedToken, int]


class Naming:
    """Cuts texts at added tokens: first at those that are looked for as they are, then at those in normalised text.

    Args:
        tokens, numbers: what texts can name, and the number of each.
        passes_over_special: special tokens are found, so that nothing else is found in them, but are not cut out.
    """

    def __init__(self, tokens: Sequence[AddedToken], numbers: Sequence[int], *, passes_over_special: bool) -> None:
        pairs = list(zip(tokens, numbers, strict=True))
        raw = [pair for pair in pairs if not pair[0].is_normalized]
        normal = [pair for pair in pairs if pair[0].is_normalized]
        if not meet(raw, normal):  # Then one search finds the same as two.
            raw, normal = pairs, []
        self.steps = [
            TokenSplitter(*zip(*some, strict=True), passes_over_special=passes_over_special)
            for some in (raw, normal)
            if some
        ]

    def __call__(self, texts) -> Parts:
        """string [B], valid UTF-8 -> Parts."""
        if not self.steps:
            return whole(texts)
        parts = self.steps[0](texts)
        for step in self.steps[1:]:
            parts = step.again(parts)
        return parts

    def places(self, parts: Parts, part, first, last) -> tuple[Any, Any]:
        """Where tokens are in their texts.

        Args:
            part: int32 [T], the part that each token is of.
            first, last: int32 [T], its first and last character, in characters of that part.
        Returns: starts and ends, int32 [T], in characters of the text.
        """
        is_named = tf.gather(parts.numbers >= 0, part)
        start = tf.gather(parts.starts, part)
        return (
            tf.where(is_named, start, start + first),
            tf.where(is_named, tf.gather(parts.ends, part), start + last + 1),
        )


def meet(some: Sequence[Numbered], others: Sequence[Numbered]) -> bool:
    """Whether a text can name tokens of both in each other's way: then the order of the searches counts."""
    if not some or not others:
        return False
    tokens = [token for token, _ in (*some, *others)]
    if any(token.single_word for token in tokens):
        return True
    if any(token.lstrip or token.rstrip for token in tokens) and any(
        character.isspace() for token in tokens for character in token.content
    ):
        return True
    return any(overlap(a.content, b.content) for (a, _), (b, _) in itertools.product(some, others))


def overlap(a: str, b: str) -> bool:
    """Whether two strings can share characters of a text.

    >>> overlap("<mask>", "s>!"), overlap("<s>", "as"), overlap("<s>", "<pad>"), overlap("abc", "b")
    (False, False, False, True)
    """
    if a in b or b in a:
        return True
    lengths = range(1, min(len(a), len(b)))
    return any(a.endswith(b[:n]) or b.endswith(a[:n]) for n in lengths)
