"""Which added tokens texts name, and where the parts between them are: what comes before bytes and merges."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from bert_tf.text.added_tokens import AddedToken
from bert_tf.text.byte_pairs.composed import Composer
from bert_tf.text.repeated import owners
from bert_tf.text.tokens.splitting import Parts, TokenSplitter, whole

Numbered = tuple[AddedToken, int]
LOG = logging.getLogger(__name__)


class Named(NamedTuple):
    """parts of texts. Where texts are normalised, `parts` are placed in the characters of all that are, one after the
    other, and starts and ends, int32 [N], say where each of those is in its text; else they are None."""

    parts: Parts
    starts: Any = None
    ends: Any = None


class Naming:
    """Cuts texts at added tokens: first at those that are looked for as they are, then at those in normalised text.

    Args:
        tokens, numbers: what texts can name, and the number of each.
        composes: texts are put into Unicode's composed form.
        passes_over_special: special tokens are found, so that nothing else is found in them, but are not cut out.
    """

    def __init__(
        self, tokens: Sequence[AddedToken], numbers: Sequence[int], *, composes: bool, passes_over_special: bool
    ) -> None:
        self.composer = Composer() if composes else None
        pairs = list(zip(tokens, numbers, strict=True))
        raw = [pair for pair in pairs if not pair[0].is_normalized]
        normal = [pair for pair in pairs if pair[0].is_normalized]
        if self.composer is not None:
            normal = self._composed(normal, self.composer)
        elif not meet(raw, normal):  # Then one search finds the same as two.
            raw, normal = pairs, []
        self.as_found = {number: token.content for token, number in normal}
        """The numbers of tokens that are looked for in normalised text -> what is looked for."""
        self.raw, self.normal = (
            TokenSplitter(*zip(*some, strict=True), passes_over_special=passes_over_special) if some else None
            for some in (raw, normal)
        )

    def _composed(self, tokens: Sequence[Numbered], composer: Composer) -> list[Numbered]:
        found: dict[str, Numbered] = {}
        for token, number in tokens:
            content = composer.of_one(token.content)
            if content in found:
                LOG.warning("added tokens are the same when normalised, %r: the first is found", content)
            found.setdefault(content, (token._replace(content=content), number))
        return list(found.values())

    def __call__(self, texts) -> Named:
        """string [B], valid UTF-8 -> Named."""
        parts = whole(texts) if self.raw is None else self.raw(texts)
        starts = ends = None
        if self.composer is not None:
            parts, starts, ends = self._normalized(parts, self.composer)
        return Named(parts if self.normal is None else self.normal.again(parts), starts, ends)

    def _normalized(self, parts: Parts, composer: Composer):
        is_token = parts.numbers >= 0
        composed = composer(tf.where(is_token, "-", parts.strings))  # one character stands for a token
        row = owners(composed.row_splits[1:] - composed.row_splits[:-1])
        start, of_token = tf.gather(parts.starts, row), tf.gather(is_token, row)
        splits = tf.cast(composed.row_splits, tf.int32)
        strings = tf.where(is_token, "", composed.strings)
        return (
            parts._replace(strings=strings, starts=splits[:-1], ends=splits[1:]),
            start + tf.where(of_token, 0, composed.starts),
            tf.where(of_token, tf.gather(parts.ends, row), start + composed.ends),
        )

    def places(self, named: Named, part, first, last) -> tuple[Any, Any]:
        """Where tokens are in their texts.

        Args:
            part: int32 [T], the part that each token is of.
            first, last: int32 [T], its first and last character, in characters of that part.
        Returns: starts and ends, int32 [T], in characters of the text.
        """
        start, end, number = (
            tf.gather(column, part) for column in (named.parts.starts, named.parts.ends, named.parts.numbers)
        )
        starts, ends = tf.where(number >= 0, start, start + first), tf.where(number >= 0, end, start + last + 1)
        if named.starts is None:
            return starts, ends
        return tf.gather(named.starts, starts), tf.gather(named.ends, ends - 1)


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
