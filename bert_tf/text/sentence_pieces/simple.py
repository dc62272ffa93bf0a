"""Texts normalised by one look-up a character, where no character's fate depends on more than its neighbours.

What the steps do is asked of them once, text by text in Python: then it is in a table.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import tensorflow as tf

from bert_tf.text.sentence_pieces.characters import Characters, OneText
from bert_tf.text.sentence_pieces.trie import LIMIT, Pages, PointNumbers

USUAL, ODD, BETWEEN = range(3)
"""Classes of characters: those that all go with, those that are not for this, and what stands between two texts.
Further ones are of a character each, which only some go with."""
CLASS_BITS, FLAG_BITS = 5, 2
CLASSES = 1 << CLASS_BITS
PLAIN = "x"  # beside which a character is looked at
ASCII = [chr(point) for point in range(128)]


class SimpleTexts:
    """Which texts are simple, and what their characters become, in TensorFlow ops.

    Args:
        normalize: a text as it is normalised; None for one that is not simple, as single characters, two neighbours or
            the first or last character of it tell.
        touched: all characters beyond ASCII that are not always left as they are.
        names: first characters of added tokens, as they are looked for in texts; texts with one of them are not simple.
        found: the same of those that are looked for in normalised texts.
        flags: up to `FLAG_BITS` sets of characters, of which it is told whether a normalised character is one.
    """

    def __init__(
        self,
        normalize: Callable[[str], OneText | None],
        *,
        touched: Collection[str],
        names: Collection[str],
        found: Collection[str],
        flags: Collection[Collection[str]],
    ) -> None:
        def kept(text: str) -> str | None:
            """The text, normalised, if it has as many characters then; or None."""
            found = normalize(text)
            return found.text if found is not None and not found.before and len(found.text) == len(text) else None

        plain = kept(PLAIN) or PLAIN
        becomes: dict[str, str] = {}
        for c in (*ASCII, *sorted(touched)):
            text = kept(PLAIN + c + PLAIN) if c not in names else None
            if text is not None and text[::2] == plain * 2 and text[1] not in found:
                becomes[c] = text[1]

        def together(text: str) -> bool:
            """Whether the characters of a text become what each becomes alone."""
            return kept(text) == "".join(becomes[c] for c in text)

        fine = [c for c in ASCII if c in becomes]
        apart = {(c, "") for c in fine if not together(PLAIN + c)} | {("", c) for c in fine if not together(c + PLAIN)}
        for c in fine:
            if not together(PLAIN + "".join(c + other + PLAIN for other in fine)):
                apart |= {(c, other) for other in fine if not together(PLAIN + c + other + PLAIN)}
        own = sorted({c for pair in apart for c in pair if c})[: CLASSES - BETWEEN - 1]
        classes = {c: USUAL for c in fine if not any(c in pair for pair in apart)}
        classes |= {c: number for number, c in enumerate(own, BETWEEN + 1)}
        for c in becomes.keys() - set(ASCII):
            beside = PLAIN + c + c + "".join(f"{PLAIN}{other}{c}{other}{PLAIN}" for other in own)
            if all(map(together, (c, c + PLAIN, PLAIN + c, beside))):
                classes[c] = USUAL
        odd = np.zeros((CLASSES, CLASSES), bool)
        odd[ODD, :] = odd[:, ODD] = True
        for a, b in apart:
            odd[classes.get(a, BETWEEN if not a else ODD), classes.get(b, BETWEEN if not b else ODD)] = True
        self.odd = tf.constant(odd.ravel())
        white = [frozenset(flag) for flag in flags]
        numbers = {LIMIT: BETWEEN}
        for c in {*ASCII, *touched, *names, *found, *(c for flag in white for c in flag)}:
            known = c.isascii() or c in touched or c in names
            kind = classes.get(c, ODD) if known else ODD if c in found else USUAL
            now = becomes.get(c, c) if kind != ODD else c
            told = sum((now in flag) << bit for bit, flag in enumerate(white))
            numbers[ord(c)] = ((ord(now) - ord(c)) << FLAG_BITS | told) << CLASS_BITS | kind
        points = np.array(sorted(numbers))
        self.numbers = PointNumbers(Pages.of(points, np.array([numbers[point] for point in points.tolist()])))

    def look(self, x: Characters) -> tuple[Any, Any]:
        """Texts as they are, to what is known of each character, int32 [N]; and whether all of them are simple."""
        numbers = self.numbers(x.values)
        kinds = tf.bitwise.bitwise_and(numbers, CLASSES - 1)
        before = tf.concat([[BETWEEN], kinds[:-1]], axis=0)[: tf.size(kinds)]
        return numbers, ~tf.reduce_any(tf.gather(self.odd, before * CLASSES + kinds))

    def __call__(self, x: Characters, numbers) -> tuple[Characters, list[Any]]:
        """Simple texts, normalised, and for each flag which characters have it, bool [N].

        Args:
            numbers: what `look` gives.
        """
        told = tf.bitwise.right_shift(numbers, CLASS_BITS)
        values = x.values + tf.bitwise.right_shift(told, FLAG_BITS)
        flags = [tf.bitwise.bitwise_and(told, 1 << bit) > 0 for bit in range(FLAG_BITS)]
        return x._replace(values=values), flags
