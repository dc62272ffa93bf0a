"""One text in Python: what the graph gives for it, without the time that a graph's many small operators take.

Texts of printable ASCII that can name no added token are split at white space and around punctuation, lower-cased
letter by letter, and looked up piece by piece, the longest first. Which characters are what is read from the table of
normalization, as in the graph; of other texts the graph alone knows what becomes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bert_tf.text.tokens.one_row import Piece
from bert_tf.text.wordpiece.tables import (
    CLASS_BITS,
    ISOLATED,
    KIND_BITS,
    PAGE_BITS,
    PLAIN,
    SPACE,
    NormalizationTable,
)

PREFIX = "##"
ASCII = 128


class OneText:
    """Splits a text into pieces as `bert_tf.text.wordpiece.graph.WordPieceGraph` does, where that takes its short cut.

    Args:
        vocabulary: tokens of WordPiece, each different.
        table: how to normalise.
        short_cut: a pattern of the texts that this is for, in ASCII.
        unk_token: what stands for a word that has no pieces.
        max_word_characters: a longer word has none.

    >>> from bert_tf.text.wordpiece.tables import load_table
    >>> one = OneText(["[UNK]", "un", "##aff", "!"], load_table(True, True, True), short_cut="[ !-~]*",
    ...               unk_token="[UNK]", max_word_characters=100)
    >>> one("Unaff! Oh")
    [(1, 0, 2), (2, 2, 5), (3, 5, 6), (0, 7, 9)]
    >>> one("Ünaff") is None
    True
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        table: NormalizationTable,
        *,
        short_cut: str,
        unk_token: str,
        max_word_characters: int,
    ) -> None:
        numbers = {token: number for number, token in enumerate(vocabulary)}
        self.unknown, self.max_word_characters = numbers[unk_token], max_word_characters
        self.begins = {token: number for token, number in numbers.items() if not token.startswith(PREFIX)}
        self.continues = {token[len(PREFIX) :]: number for token, number in numbers.items() if token.startswith(PREFIX)}
        self.longest = max(map(len, vocabulary))
        self.fits = re.compile(short_cut).fullmatch
        kinds, self.normal = {}, {}
        for point in range(ASCII):
            entry = int(table.entries[(int(table.pages[point >> PAGE_BITS]) << PAGE_BITS) + point % (1 << PAGE_BITS)])
            kinds[chr(point)] = entry & (1 << KIND_BITS) - 1
            self.normal[point] = point + (entry >> KIND_BITS + CLASS_BITS)
        alone, plain = ("".join(c for c, kind in kinds.items() if kind == wanted) for wanted in (ISOLATED, PLAIN))
        self.words = re.compile(f"[{re.escape(alone)}]|[{re.escape(plain)}]+").finditer
        known = {PLAIN, ISOLATED, SPACE}
        self.is_known = all(kind in known for c, kind in kinds.items() if self.fits(c))

    def __call__(self, text: str) -> list[Piece] | None:
        """The pieces, without special tokens around them; None: a text for the graph."""
        if not self.is_known or not text.isascii() or not self.fits(text):
            return None
        found: list[Piece] = []
        normal = text.translate(self.normal)
        for word in self.words(normal):
            self._look_up(word[0], word.start(), found)
        return found

    def _look_up(self, word: str, place: int, found: list[Piece]) -> None:
        """Adds the pieces of a word that stands at this place."""
        number = self.begins.get(word)
        length = len(word)
        if length > self.max_word_characters:
            number = self.unknown
        if number is not None:
            found.append((number, place, place + length))
            return
        kept, start, pieces = len(found), 0, self.begins
        while start < length:
            end = min(length, start + self.longest)
            while end > start and (number := pieces.get(word[start:end])) is None:
                end -= 1
            if end == start:
                del found[kept:]
                found.append((self.unknown, place, place + length))
                return
            found.append((number, place + start, place + end))  # pyright: ignore[reportArgumentType]
            start, pieces = end, self.continues
